// node scripts/sizes.mjs: how large the library is in a page, minified by Vite and compressed by gzip, with nothing else
// in the bundle. Exit code 1 if a program is larger than its limit.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build as bundle } from "vite";
import { build } from "./build.mjs";

const DIST = fileURLToPath(new URL("../dist/", import.meta.url));
const KB = 1024;

/** What programs import, from which module of dist/, and the most that this may take in bytes. */
const PROGRAMS = {
  // 20 KB are wanted. The rest is messages for what a user can correct, the memory plan, and the classes of marks.
  training: { names: "createTrainer, Dataset, generate, train", from: "index.js", most: 23.5 * KB },
};

/**
 * @param {{ names: string, from: string }} program
 * @returns {Promise<number>} its size in bytes
 */
async function sizeOf({ names, from }) {
  const result = await bundle({
    configFile: false,
    logLevel: "warn",
    plugins: [
      {
        name: "program",
        resolveId: (id) => (id === "program" ? id : undefined),
        load: (id) =>
          id === "program"
            ? `import { ${names} } from ${JSON.stringify(join(DIST, from))}; globalThis.used = [${names}];`
            : undefined,
      },
    ],
    build: { write: false, target: "es2023", modulePreload: false, rolldownOptions: { input: "program" } },
  });
  if (Array.isArray(result) || !("output" in result)) throw new TypeError("Vite returned no single bundle.");
  const code = result.output.map((part) => (part.type === "chunk" ? part.code : "")).join("");
  return gzipSync(code).length;
}

await build();
for (const [name, program] of Object.entries(PROGRAMS)) {
  const size = await sizeOf(program);
  console.log(`${name}: ${size} bytes of ${program.most}`);
  if (size > program.most) process.exitCode = 1;
}

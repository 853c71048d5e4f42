#!/usr/bin/env node
// Starts the command line. A checkout has no dist/ at first, and an old one after a change: then this
// builds it. The published package comes with dist/ and without sources.
import { existsSync, readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const program = `${root}/dist/cli.js`;

if (existsSync(`${root}/rollup.config.mjs`) && !isBuilt()) {
  console.error("Building esp32gpt...");
  const folder = process.cwd();
  process.chdir(root);
  const { rollup } = await import("rollup");
  const { loadConfigFile } = await import("rollup/loadConfigFile");
  const { options } = await loadConfigFile(`${root}/rollup.config.mjs`, { silent: true });
  for (const config of options) {
    const bundle = await rollup(config);
    for (const output of config.output) await bundle.write(output);
    await bundle.close();
  }
  process.chdir(folder);
}

const { main } = await import("../dist/cli.js");
await main();

/** Whether the program is newer than everything that it is made of. */
function isBuilt() {
  if (!existsSync(program)) return false;
  const built = statSync(program).mtimeMs;
  const sources = ["src", "host"].flatMap((folder) =>
    readdirSync(`${root}/${folder}`, { recursive: true }).map((file) => `${root}/${folder}/${file}`),
  );
  return [...sources, `${root}/rollup.config.mjs`, `${root}/package.json`].every(
    (file) => statSync(file).mtimeMs <= built,
  );
}

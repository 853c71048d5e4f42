// npm run build: builds dist/, unless it is newer than its sources. bin/esp32gpt.js and the firmware scripts call
// build() first, without the type declarations of the package.
import { mkdirSync, readdirSync, realpathSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DIST, isBuilt, ROOT, STAMP } from "./built.cjs";

/** Age in milliseconds after which a temporary file belongs to a killed build. */
const OLDEST_LEFTOVER = 60_000;

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await build(true);

/**
 * Builds what the command line runs, unless it is up to date.
 * @param {boolean} [withTypes] whether to build the type declarations as well
 */
export async function build(withTypes = false) {
  if (isBuilt(withTypes)) return;
  console.error("Building esp32gpt...");
  const begin = new Date();
  const folder = process.cwd();
  process.chdir(ROOT);
  try {
    const files = await bundle(withTypes);
    // Each file is written atomically; a concurrent build writes the same content.
    mkdirSync(DIST, { recursive: true });
    removeLeftovers();
    for (const [name, content] of files) writeWhole(join(DIST, name), content);
    removeOthers(new Set(files.map(([name]) => name)), withTypes);
    const sizes = Object.fromEntries(files.map(([name]) => [name, statSync(join(DIST, name)).size]));
    writeWhole(STAMP, JSON.stringify(sizes), begin);
  } finally {
    process.chdir(folder);
  }
}

/**
 * @param {boolean} withTypes
 * @returns {Promise<[name: string, content: string | Uint8Array][]>}
 */
async function bundle(withTypes) {
  const { rollup } = await import("rollup");
  const { loadConfigFile } = await import("rollup/loadConfigFile");
  const { options } = await loadConfigFile(join(ROOT, "rollup.config.mjs"), {
    silent: true,
    configTypes: withTypes,
  });
  /** @type {[string, string | Uint8Array][]} */
  const files = [];
  for (const config of options) {
    const bundle = await rollup(config);
    for (const options of config.output) {
      const { output } = await bundle.generate(options);
      for (const part of output) files.push([part.fileName, part.type === "chunk" ? part.code : part.source]);
    }
    await bundle.close();
  }
  return files;
}

/**
 * Writes a file atomically.
 * @param {string} file
 * @param {string | Uint8Array} content
 * @param {Date} [time] the mtime to set
 */
function writeWhole(file, content, time) {
  const unfinished = `${file}.${process.pid}.part`;
  writeFileSync(unfinished, content);
  if (time) utimesSync(unfinished, time, time);
  renameSync(unfinished, file);
}

/**
 * Removes what earlier builds have left, as npm packs the whole folder.
 * @param {Set<string>} names of the files of this build
 * @param {boolean} withTypes whether the type declarations are among them
 */
function removeOthers(names, withTypes) {
  const isOther = (/** @type {string} */ name) =>
    !names.has(name) && /\.(c?js|c?js\.map|d\.ts)$/.test(name) && (withTypes || !name.endsWith(".d.ts"));
  for (const name of readdirSync(DIST).filter(isOther)) rmSync(join(DIST, name), { force: true });
}

/** Removes temporary files of killed builds. */
function removeLeftovers() {
  for (const name of readdirSync(DIST).filter((name) => name.endsWith(".part"))) {
    const file = join(DIST, name);
    if (Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) > OLDEST_LEFTOVER)
      rmSync(file, { force: true });
  }
}

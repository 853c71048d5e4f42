// Loads a CommonJS file as require() does, and keeps what V8 has compiled of it for the next start. Node itself can do
// so from version 22.1 on (module.enableCompileCache).
const { createHash } = require("node:crypto");
const {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} = require("node:fs");
const { createRequire } = require("node:module");
const { basename, dirname, join } = require("node:path");
const { Script } = require("node:vm");

/** The most files that a folder has: one for each version of Node that starts the program. */
const MOST_KEPT = 4;
const CHECKSUM_BYTES = 32;

module.exports = { load };

/**
 * @param {string} file in ASCII, without import()
 * @param {string} folder of the compiled form; without one that can be written to, the file is compiled at each start
 * @returns {object} its exports
 */
function load(file, folder) {
  // Node has source maps only of the files that it loads itself.
  if (process.sourceMapsEnabled) return require(file);
  const source = readFileSync(file);
  const kept = join(folder, `${basename(file)}-${process.version}-${process.arch}`);
  const cachedData = readKept(kept, source);
  const script = new Script(
    `(function (exports, require, module, __filename, __dirname) { ${source.toString("latin1")}\n})`,
    cachedData ? { filename: file, cachedData } : { filename: file },
  );
  // At the end, the functions that were called are compiled too.
  if (!cachedData || script.cachedDataRejected) process.once("exit", () => keep(kept, source, script));
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file));
  return module.exports;
}

/**
 * Of the source as well as of the compiled form: V8 only compares the length of the source.
 * @param {Uint8Array} source
 * @param {Uint8Array} compiled
 */
function checksum(source, compiled) {
  return createHash("sha256").update(source).update(compiled).digest();
}

/**
 * @param {string} kept the path of the compiled form
 * @param {Uint8Array} source
 * @returns {Buffer | undefined} undefined if it is missing, damaged, or of another source
 */
function readKept(kept, source) {
  try {
    const bytes = readFileSync(kept);
    const compiled = bytes.subarray(CHECKSUM_BYTES);
    return checksum(source, compiled).equals(bytes.subarray(0, CHECKSUM_BYTES)) ? compiled : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} kept
 * @param {Uint8Array} source
 * @param {Script} script
 */
function keep(kept, source, script) {
  const unfinished = `${kept}.${process.pid}.part`;
  try {
    mkdirSync(dirname(kept), { recursive: true });
    const compiled = script.createCachedData();
    writeFileSync(unfinished, Buffer.concat([checksum(source, compiled), compiled]));
    renameSync(unfinished, kept);
    removeOldest(dirname(kept));
  } catch {
    // The folder is read-only or the disk is full: the next start compiles again.
    if (existsSync(unfinished)) rmSync(unfinished);
  }
}

/** @param {string} folder */
function removeOldest(folder) {
  const age = (/** @type {string} */ name) => statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const names = readdirSync(folder).map((name) => /** @type {const} */ ([age(name), name]));
  const oldest = names.sort(([one], [other]) => other - one).slice(MOST_KEPT);
  for (const [, name] of oldest) rmSync(join(folder, name), { force: true });
}

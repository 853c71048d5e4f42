// Whether dist/ is newer than its sources. bin/esp32gpt.js asks at every start, therefore this is CommonJS, and apart
// from the build itself.
const { readdirSync, readFileSync, statSync } = require("node:fs");
const { join } = require("node:path");

const ROOT = join(__dirname, "..");
const DIST = join(ROOT, "dist");
/** Lists the files of the build with their sizes. It is written last; its mtime is the start of the build. */
const STAMP = join(DIST, "built.json");
/** The type declarations take longer than everything else. */
const TYPES = "index.d.ts";
const SOURCES = ["src", "host", "rollup.config.mjs", "package.json", "tsconfig.json"];

module.exports = { DIST, isBuilt, ROOT, STAMP };

/** @param {boolean} [withTypes] whether the type declarations are needed as well */
function isBuilt(withTypes = false) {
  try {
    const built = statSync(STAMP).mtimeMs;
    /** @type {Record<string, number>} */
    const sizes = JSON.parse(readFileSync(STAMP, "utf8"));
    for (const name in sizes) if (statSync(join(DIST, name)).size !== sizes[name]) return false;
    if (withTypes && !(TYPES in sizes)) return false;
    return SOURCES.every((name) => isOlder(join(ROOT, name), built));
  } catch {
    // A file is missing or was removed meanwhile.
    return false;
  }
}

/** The C code, which is in the same folders, has a build of its own. */
const OTHERS = /\.[ch]$/;

/**
 * Whether a file, or a folder and all in it, is older. readdirSync with `recursive` takes three times as long.
 * @param {string} path
 * @param {number} time in milliseconds
 * @returns {boolean}
 */
function isOlder(path, time) {
  const status = statSync(path);
  if (status.mtimeMs >= time) return false;
  return (
    !status.isDirectory() || readdirSync(path).every((name) => OTHERS.test(name) || isOlder(`${path}/${name}`, time))
  );
}

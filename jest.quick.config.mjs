import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import config from "./jest.config.mjs";
import { isLong } from "./test/support/longest-first.mjs";

// npm run test:quick: the fast tests that start no child process and no browser, neither directly nor through modules
// of test/ that they import.

const FOLDER = fileURLToPath(new URL("test/", import.meta.url));

/** @type {Map<string, boolean>} */
const known = new Map();

/**
 * @param {string} file
 * @returns {boolean}
 */
function isQuick(file) {
  if (!known.has(file)) {
    known.set(file, true);
    const names = [...readFileSync(file, "utf8").matchAll(/ from "(.*)";$/gm)].map(([, name]) => name);
    const used = names.filter((name) => name.startsWith(".")).map((name) => join(dirname(file), `${name}.ts`));
    const starts = names.some((name) => /^(node:child_process|playwright-core)$/.test(name));
    known.set(file, !starts && used.every((path) => !path.startsWith(FOLDER) || isQuick(path)));
  }
  return known.get(file) ?? false;
}

const files = readdirSync(FOLDER, { recursive: true }).map((name) => join(FOLDER, String(name)));
const quick = files.filter((file) => file.endsWith(".test.ts") && !isLong(file) && isQuick(file));

/** @type {import("jest").Config} */
export default {
  ...config,
  globalSetup: null,
  globalTeardown: null,
  // These tests are CPU-bound.
  maxWorkers: "100%",
  testMatch: quick.map((file) => `<rootDir>/test/${relative(FOLDER, file)}`),
};

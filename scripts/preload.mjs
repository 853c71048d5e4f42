// Every TypeScript module of the firmware and of the library is preloaded: frozen into flash at build time. mcconfig's
// wildcards in "preload" skip TypeScript, so this writes the lists in the manifests from their folders. --check reports
// lists that are out of date; --list prints each module of the firmware with its files as JSON, --list-library those of
// the library.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * @typedef {{
 *   include?: string[],
 *   modules?: Record<string, string | string[]>,
 *   preload?: string[],
 *   platforms?: Record<string, { modules?: Record<string, string> }>,
 * }} Manifest
 */

const FIRMWARE = join(ROOT, "manifest.json");
/** What an app of somebody else includes. */
const LIBRARY = join(ROOT, "moddable", "manifest.json");
/** The same, for an app that trains nothing. */
const INFERENCE = join(ROOT, "moddable", "manifest-inference.json");

/**
 * @param {string} [file]
 * @returns {string[]} the manifest of the firmware and all manifests of this project that it includes
 */
export function manifests(file = FIRMWARE) {
  const { include = [] } = read(file);
  const own = include.filter((path) => path.startsWith(".")).map((path) => join(dirname(file), path));
  return [file, ...own.flatMap((path) => manifests(path))];
}

/** @returns {string[]} the manifests of the firmware and those of the library, each once */
export function allManifests() {
  return [...new Set([...manifests(FIRMWARE), ...manifests(LIBRARY), ...manifests(INFERENCE)])];
}

/**
 * @param {string} file a manifest
 * @returns {Map<string, string[]>} the TypeScript files of each of its modules
 */
export function modulesOf(file) {
  const { modules = {}, platforms = {} } = read(file);
  /** @type {Map<string, string[]>} */
  const found = new Map();
  for (const each of [modules, ...Object.values(platforms).map((platform) => platform.modules ?? {})])
    for (const [name, source] of Object.entries(each)) {
      if (name === "~" || typeof source !== "string") continue;
      for (const path of sourcesOf(join(dirname(file), source))) {
        const stem = /([^/]+)\.ts$/.exec(path)?.[1] ?? "";
        const specifier = name.replace(/\*$/, stem);
        found.set(specifier, [...(found.get(specifier) ?? []), path]);
      }
    }
  return found;
}

/** @param {string} source as a manifest names it, without .ts or with a wildcard @returns {string[]} */
function sourcesOf(source) {
  if (!source.endsWith("/*")) return [`${source}.ts`];
  const folder = dirname(source);
  return readdirSync(folder)
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name));
}

/** @param {string} file @returns {Manifest} */
function read(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const listed = process.argv.includes("--list-library") ? LIBRARY : FIRMWARE;
  if (process.argv.some((word) => word.startsWith("--list")))
    console.log(
      JSON.stringify(manifests(listed).map((file) => ({ file, modules: Object.fromEntries(modulesOf(file)) }))),
    );
  else
    for (const file of allManifests()) {
      const manifest = read(file);
      const wanted = [...modulesOf(file).keys()].sort();
      if (JSON.stringify(manifest.preload ?? []) === JSON.stringify(wanted)) continue;
      if (process.argv.includes("--check")) {
        console.error(`${relative(ROOT, file)}: "preload" does not match its modules: run node scripts/preload.mjs.`);
        process.exitCode = 1;
      } else writeFileSync(file, `${JSON.stringify({ ...manifest, preload: wanted }, null, 2)}\n`);
    }
}

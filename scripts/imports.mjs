// How the files import each other, types included, as dependency-cruiser sees it: nothing in a circle,
// src/platform.ts nothing at all, and no chain of imports in src/ longer than a reader can follow.
import { cruise } from "dependency-cruiser";

const MOST_FILES = 10;

/** @type {import("dependency-cruiser").ICruiseOptions} */
const options = {
  ruleSet: {
    forbidden: [
      { name: "no-circle", severity: "error", from: {}, to: { circular: true } },
      { name: "platform-imports-nothing", severity: "error", from: { path: "^src/platform\\.ts$" }, to: {} },
      {
        name: "src-imports-src",
        severity: "error",
        from: { path: "^src/" },
        to: { path: "^(host|web|scripts|test)/" },
      },
      { name: "web-imports-src", severity: "error", from: { path: "^web/" }, to: { path: "^(host|scripts|test)/" } },
    ],
  },
  validate: true,
  tsPreCompilationDeps: true,
  doNotFollow: { path: "node_modules" },
};

const { output } = await cruise(["src", "host", "web"], options);
if (typeof output === "string") throw new TypeError("dependency-cruiser gives text where data was asked for");
const { violations } = output.summary;
for (const { from, to, rule } of violations) console.error(`${rule.name}: ${from} imports ${to}`);

/** @type {Map<string, string[]>} */
const imports = new Map(
  output.modules
    .filter(({ source }) => source.startsWith("src/"))
    .map(({ source, dependencies }) => [
      source,
      dependencies.map(({ resolved }) => resolved).filter((file) => file.startsWith("src/")),
    ]),
);

/** @type {Map<string, string[]>} */
const chains = new Map();
/**
 * @param {string} file
 * @returns {string[]} the longest chain of imports that begins with it
 */
function chainOf(file) {
  const known = chains.get(file);
  if (known) return known;
  chains.set(file, []); // Circles are told above.
  const longest = (imports.get(file) ?? []).map(chainOf).reduce((a, b) => (b.length > a.length ? b : a), []);
  const chain = [file, ...longest];
  chains.set(file, chain);
  return chain;
}

const longest = [...imports.keys()].map(chainOf).reduce((a, b) => (b.length > a.length ? b : a), []);
console.log(
  `${imports.size} files in src/; the longest chain of imports has ${longest.length}: ${longest.join(" > ")}`,
);
if (longest.length > MOST_FILES) console.error(`No chain may have more than ${MOST_FILES} files.`);
if (violations.length > 0 || longest.length > MOST_FILES) process.exitCode = 1;

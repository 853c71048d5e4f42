// Checks the imports between files, including type imports, with dependency-cruiser: no cycles of files or rooms,
// each room imports only lower ones, and no chain of imports is too long to follow.
import { cruise } from "dependency-cruiser";

/** The rooms, lowest first: a file imports only its own room and lower ones. */
const ROOMS = [
  "src/gpt/base",
  "src/gpt/data",
  "src/gpt/model",
  "src/gpt/training",
  "src/gpt/checkpoint",
  "src/gpt/native",
  "src/gpt",
  "src/protocol",
  "src/places",
  "src/client",
  "src/flasher",
  "src/jobs",
  "src/device",
  "src/firmware",
  "host/files",
  "host/terminal",
  "host/node",
  "host/xs",
  "host/run",
  "host/simulator",
  "host/monitor",
  "host/flash",
  "host",
  "web/worker",
  "web/workbench",
  "web/components",
  "web/model-map",
  "web/inside",
  "web/hand-on",
  "web/step",
  "web/train",
  "web/board",
  "web/offline",
  "web/service-worker",
  "web",
];

/** Patterns of the rooms of src/ that import more than src/gpt. */
const BESIDE = [
  { name: "library-alone", from: "^src/gpt/", to: "^(?!src/gpt/|node_modules/)" },
  { name: "places-import-the-library", from: "^src/places/", to: "^src/(?!gpt/|places/)" },
  { name: "protocol-imports-the-library", from: "^src/protocol/", to: "^src/(?!gpt/|protocol/)" },
  { name: "flasher-imports-the-library", from: "^src/flasher/", to: "^src/(?!gpt/|flasher/)" },
  { name: "client-without-device", from: "^src/client/", to: "^src/(?!gpt/|protocol/|places/|client/)" },
  { name: "jobs-without-device", from: "^src/jobs/", to: "^src/(?!gpt/|protocol/|jobs/)" },
  { name: "device-without-client", from: "^src/device/", to: "^src/(client|jobs|firmware|places)/" },
  { name: "host-without-web", from: "^host/", to: "^(web|scripts|test)/" },
  { name: "web-without-host", from: "^web/", to: "^(host|scripts|test)/" },
  { name: "src-imports-src", from: "^src/", to: "^(host|web|scripts|test)/" },
];

/** Maximum number of files in a chain of imports that begins in each folder. */
const LONGEST_CHAIN = { src: 16, host: 18, web: 16 };

/** @type {import("dependency-cruiser").ICruiseOptions} */
const options = {
  ruleSet: {
    forbidden: [
      { name: "no-circle", severity: "error", from: {}, to: { circular: true } },
      { name: "platform-imports-nothing", severity: "error", from: { path: "^src/gpt/base/platform\\.ts$" }, to: {} },
      ...BESIDE.map(({ name, from, to }) => ({
        name,
        severity: /** @type {const} */ ("error"),
        from: { path: from },
        to: { path: to, ...(from === "^src/gpt/" && { pathNot: "^esp32gpt" }) },
      })),
    ],
  },
  validate: true,
  tsPreCompilationDeps: true,
  doNotFollow: { path: "node_modules" },
};

const { output } = await cruise(["src", "host", "web"], options);
if (typeof output === "string") throw new TypeError("dependency-cruiser returned text instead of data");
/** @type {string[]} */
const faults = output.summary.violations.map(({ from, to, rule }) => `${rule.name}: ${from} imports ${to}`);

/** @type {Map<string, string[]>} */
const imports = new Map(
  output.modules
    .filter(({ source }) => /^(src|host|web)\//.test(source))
    .map(({ source, dependencies }) => [
      source,
      dependencies.map(({ resolved }) => resolved).filter((file) => /^(src|host|web)\//.test(file)),
    ]),
);

/** @param {string} file @returns {number} index of its room in ROOMS */
function roomOf(file) {
  const found = ROOMS.filter((memory) => file.startsWith(`${memory}/`)).sort((a, b) => b.length - a.length);
  return ROOMS.indexOf(found[0] ?? "");
}

for (const [file, imported] of imports)
  for (const other of imported)
    if (roomOf(other) > roomOf(file))
      faults.push(`${file} is in ${ROOMS[roomOf(file)]} and must not import ${other}, which is higher`);

/** @type {Map<string, string[]>} */
const chains = new Map();
/**
 * @param {string} file
 * @returns {string[]} the longest chain of imports that begins with it
 */
function chainOf(file) {
  const known = chains.get(file);
  if (known) return known;
  chains.set(file, []); // Cycles are reported above.
  const longest = (imports.get(file) ?? []).map(chainOf).reduce((a, b) => (b.length > a.length ? b : a), []);
  const chain = [file, ...longest];
  chains.set(file, chain);
  return chain;
}

for (const [top, most] of Object.entries(LONGEST_CHAIN)) {
  const files = [...imports.keys()].filter((file) => file.startsWith(`${top}/`));
  const longest = files.map(chainOf).reduce((a, b) => (b.length > a.length ? b : a), []);
  console.log(
    `${files.length} files in ${top}/; the longest chain of imports has ${longest.length}: ${longest.join(" > ")}`,
  );
  if (longest.length > most) faults.push(`A chain that begins in ${top}/ may have at most ${most} files.`);
}
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;

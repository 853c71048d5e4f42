import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { dts } from "rollup-plugin-dts";
import { transpile } from "./scripts/transpile.mjs";

const { dependencies } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
const external = [/^node:/, ...Object.keys(dependencies)];

// The subpaths of the package that have JavaScript.
const entries = {
  index: "src/gpt/index.ts",
  client: "src/client/index.ts",
  node: "src/places/node/index.ts",
  browser: "src/places/browser/index.ts",
};

// All declarations are built at once, so that a class has one declaration, whatever subpath it comes from.
const declarations = {
  input: { ...entries, moddable: "src/places/moddable/place.ts", native: "src/gpt/native/native-ops.ts" },
  output: { dir: "dist", format: "es", chunkFileNames: "[name]-declarations.d.ts" },
  external,
  plugins: [dts()],
};

// Node and browsers have String.prototype.normalize, which makes a large table short. web/vite.config.mjs does the same.
const shortTable = {
  name: "short-table",
  /** @param {string} id */
  resolveId: (id) =>
    id === "./compositions" ? fileURLToPath(new URL("src/places/compositions.ts", import.meta.url)) : null,
};

/**
 * What many programs do without has chunks of its own: a bundler leaves out files that are not used, but tables remain
 * that are in a file with others.
 * @param {string} id
 */
function ownChunk(id) {
  if (/\/(i32-(?!arithmetic|format)[^/]*|portable-functions)\.ts$/.test(id)) return "i32";
  return id.includes("/src/gpt/checkpoint/") ? "checkpoint" : undefined;
}

// The library, the command line and the entry point of the firmware scripts share most of their code.
const programs = {
  input: { ...entries, cli: "host/cli.ts", firmware: "host/firmware.ts" },
  output: {
    dir: "dist",
    format: "es",
    sourcemap: true,
    chunkFileNames: "core-[name].js",
    manualChunks: ownChunk,
    onlyExplicitManualChunks: true,
  },
  external,
  plugins: [shortTable, transpile()],
};

// Bundles that run in XS, one file each: a job of the command line, and the simulated board.
/** @param {string} input @param {string} file */
const inXs = (input, file) => ({
  input,
  output: { file, format: "es", sourcemap: true },
  plugins: [transpile()],
});
const device = inXs("host/xs/main.ts", "dist/device.js");
const board = inXs("host/xs/board.ts", "dist/board.js");
// What an app of simulate --app imports.
const app = inXs("host/xs/app.ts", "dist/app.js");

/** @param {string} input @param {string} file */
const benchmark = (input, file) => ({
  input,
  output: { file, format: "es", sourcemap: true },
  external,
  plugins: [transpile()],
});

/** @param {Record<string, unknown>} options of the command line */
export default ({ configBench, configBenchChip, configTypes }) => {
  if (configBench) return [benchmark("scripts/bench.ts", "build/bench.js")];
  if (configBenchChip) return [benchmark("scripts/chip/bench.ts", "build/bench-chip.js")];
  return [...(configTypes ? [declarations] : []), device, board, app, programs];
};

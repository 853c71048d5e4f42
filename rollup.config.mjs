import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { dts } from "rollup-plugin-dts";
import { transpile } from "./scripts/transpile.mjs";

const { dependencies } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
const external = [/^node:/, ...Object.keys(dependencies)];

/** @param {string} name of an entry of the package */
const declarations = (name) => ({
  input: `src/gpt/${name}.ts`,
  output: { file: `dist/${name}.d.ts` },
  plugins: [dts()],
});
const library = [declarations("index"), declarations("inference")];

// The library, the command line and the entry point of the firmware scripts share most of their code.
const programs = {
  input: { index: "src/gpt/index.ts", cli: "host/cli.ts", firmware: "host/firmware.ts" },
  output: { dir: "dist", format: "es", sourcemap: true, chunkFileNames: "core.js" },
  external,
  plugins: [transpile()],
};

/**
 * Leaves out what a page that only uses a model does not need: the table of Unicode, which every browser has, and the
 * documentation of the settings.
 * @returns {import("rollup").Plugin}
 */
const lean = () => ({
  name: "lean",
  resolveId: (id) => (id.endsWith("/canonical") ? resolve("src/places/canonical.ts") : null),
  transform: (code, id) => (id.endsWith("/settings.ts") ? code.replaceAll(/\bdoc: "[^"]*"/g, 'doc: ""') : null),
});

// Using a model without training: in a file of its own, as it is for pages.
const inference = {
  input: "src/gpt/inference.ts",
  output: { file: "dist/inference.js", format: "es" },
  plugins: [lean(), transpile()],
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
  return [...(configTypes ? library : []), device, board, inference, programs];
};

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { dts } from "rollup-plugin-dts";
import { transpile } from "./scripts/transpile.mjs";

const { dependencies } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
const external = [/^node:/, ...Object.keys(dependencies)];
/** Stands in for a subpath of the package that is still to come. */
const PLATFORM = fileURLToPath(new URL("examples/rhythm/platform.ts", import.meta.url));

const library = { input: "src/gpt/index.ts", output: { file: "dist/index.d.ts" }, plugins: [dts()] };

// The library, the command line and the entry point of the firmware scripts share most of their code.
const programs = {
  input: { index: "src/gpt/index.ts", cli: "host/cli.ts", firmware: "host/firmware.ts" },
  output: { dir: "dist", format: "es", sourcemap: true, chunkFileNames: "core.js" },
  external,
  plugins: [transpile()],
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

/** The example is a program that uses the package. @param {string} input @param {string} file */
const example = (input, file) => ({
  ...benchmark(input, file),
  external: "esp32gpt",
  plugins: [
    { name: "platform", resolveId: (/** @type {string} */ id) => (id === "esp32gpt/platform" ? PLATFORM : null) },
    transpile(),
  ],
});

/** @param {Record<string, unknown>} options of the command line */
export default ({ configBench, configBenchChip, configRhythm, configTypes }) => {
  if (configBench) return [benchmark("scripts/bench.ts", "build/bench.js")];
  if (configBenchChip) return [benchmark("scripts/chip/bench.ts", "build/bench-chip.js")];
  if (configRhythm)
    return [
      example("examples/rhythm/run.ts", "build/rhythm.js"),
      example("examples/rhythm/bench.ts", "build/rhythm-bench.js"),
    ];
  return [...(configTypes ? [library] : []), device, board, programs];
};

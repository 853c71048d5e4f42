import { readFileSync } from "node:fs";
import typescript from "@rollup/plugin-typescript";
import { dts } from "rollup-plugin-dts";

const { dependencies } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
const external = [/^node:/, ...Object.keys(dependencies)];
// Without comments: XS reads its whole program at every start.
const compile = () => typescript({ noEmit: false, removeComments: true, include: ["src/**", "host/**", "scripts/**"] });

const library = { input: "src/index.ts", output: { file: "dist/index.d.ts" }, plugins: [dts()] };

// The library, the command line and what the scripts for the firmware ask share most of their code.
const programs = {
  input: { index: "src/index.ts", cli: "host/cli.ts", firmware: "host/firmware.ts" },
  output: { dir: "dist", format: "es", sourcemap: true, chunkFileNames: "core.js" },
  external,
  plugins: [compile()],
};

// The device program for XS, in one file.
const device = {
  input: "host/xs/main.ts",
  output: { file: "dist/device.js", format: "es", sourcemap: true },
  plugins: [compile()],
};

/** @param {string} input @param {string} file */
const benchmark = (input, file) => ({
  input,
  output: { file, format: "es", sourcemap: true },
  external,
  plugins: [compile()],
});

/** @param {Record<string, unknown>} options of the command line */
export default ({ configBench, configBenchChip }) => {
  if (configBench) return [benchmark("scripts/bench.ts", "build/bench.js")];
  if (configBenchChip) return [benchmark("scripts/chip/bench.ts", "build/bench-chip.js")];
  return [library, device, programs];
};

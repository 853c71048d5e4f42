import { readFileSync } from "node:fs";
import typescript from "@rollup/plugin-typescript";
import { dts } from "rollup-plugin-dts";

const { dependencies } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
const external = [/^node:/, ...Object.keys(dependencies)];
const plugins = () => [typescript({ tsconfig: "tsconfig.json", noEmit: false, include: ["src/**", "host/**"] })];

export default [
  // The library: runs on any engine.
  { input: "src/index.ts", output: { file: "dist/index.js", format: "es", sourcemap: true }, plugins: plugins() },
  { input: "src/index.ts", output: { file: "dist/index.d.ts", format: "es" }, plugins: [dts()] },
  // The command line, for Node; last, as its date tells whether the build is up to date.
  {
    input: "host/cli.ts",
    output: { file: "dist/cli.js", format: "es", sourcemap: true },
    external,
    plugins: plugins(),
  },
];

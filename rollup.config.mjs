import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { dts } from "rollup-plugin-dts";
import { transpile } from "./scripts/transpile.mjs";

const { dependencies } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
const external = [/^node:/, ...Object.keys(dependencies)];

/**
 * Marks frozen constants as free of side effects, so that every bundler leaves out those that are not used.
 * @returns {import("rollup").Plugin}
 */
const pure = () => ({
  name: "pure",
  renderChunk: (code) => ({
    code: code.replaceAll(/= Object\.freeze\(/g, "= /*#__PURE__*/ Object.freeze("),
    map: null,
  }),
});

// The subpaths of the package that have JavaScript.
const entries = {
  index: "src/gpt/index.ts",
  client: "src/client/index.ts",
  node: "src/places/node/index.ts",
  browser: "src/places/browser/index.ts",
};

// All declarations are built at once, so that a class has one declaration, whatever subpath it comes from.
const declarations = {
  input: {
    ...entries,
    inference: "src/gpt/inference.ts",
    moddable: "src/places/moddable/place.ts",
    native: "src/gpt/native/native-ops.ts",
  },
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

// The library and the entry point of the firmware scripts share most of their code.
const programs = {
  input: { ...entries, firmware: "host/firmware.ts" },
  output: {
    dir: "dist",
    format: "es",
    sourcemap: true,
    chunkFileNames: "core-[name].js",
    manualChunks: ownChunk,
    onlyExplicitManualChunks: true,
  },
  external,
  plugins: [shortTable, transpile(), pure()],
};

/** Writes characters beyond ASCII as escapes: Node reads and compiles such a file faster. */
const ascii = {
  name: "ascii",
  /** @param {string} code */
  renderChunk: (code) => ({
    code: code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
    map: null,
  }),
};

// The command line: one file, of CommonJS, so that bin/ can keep it in compiled form.
const commandLine = {
  input: "host/cli.ts",
  // The sources that the library shares are in its maps.
  output: {
    file: "dist/cli.cjs",
    format: "cjs",
    sourcemap: true,
    sourcemapExcludeSources: true,
    inlineDynamicImports: true,
  },
  external: [...external, "rollup", "typescript"],
  plugins: [
    shortTable,
    transpile(),
    {
      name: "in-common-js",
      /** @param {string | null} property */
      resolveImportMeta: (property) =>
        property === "url" ? 'require("node:url").pathToFileURL(__filename).href' : null,
      renderDynamicImport: () => ({ left: 'require("../bin/import.js")(', right: ")" }),
    },
    ascii,
  ],
};

/** The settings of a model, and of what it generates. */
const INFERENCE_SETTINGS = "preset n_layer n_embd n_head block_size mlp_width temperature top_k top_p seed".split(" ");

/** Lines of the presets that say how they are trained. */
const TRAINING_OF_PRESETS = /^ {2,4}(?:initStd|sampling|weighs|batchSize|steps|learningRate): .*,\n/gm;

/**
 * Leaves out what a page that only uses a model does not need: the table of Unicode and the loops for UTF-8, which every
 * browser has, the documentation of the settings, and what is for a training or a board.
 * @returns {import("rollup").Plugin}
 */
const lean = () => ({
  name: "lean",
  resolveId(id) {
    const name = /\/(canonical|utf8)$/.exec(id)?.[1];
    return name === undefined ? null : resolve(`src/places/${name}.ts`);
  },
  transform(code, id) {
    if (id.endsWith("/settings.ts")) return withoutOthers(code);
    return id.endsWith("/config.ts") ? code.replaceAll(TRAINING_OF_PRESETS, "") : null;
  },
});

/** @param {string} code of src/gpt/base/settings.ts */
function withoutOthers(code) {
  const kept = code.replaceAll(/^ {2}(\w+): Object\.freeze\(\{(?:.*\}\),\n|\n[^]*?^ {2}\}\),\n)/gm, (entry, name) =>
    INFERENCE_SETTINGS.includes(name) ? entry : "",
  );
  return kept.replaceAll(/^ +(?:given|kept|doc|remark): "[^"]*",\n/gm, "");
}

// Using a model without training: in a file of its own, as it is for pages.
const inference = {
  input: "src/gpt/inference.ts",
  output: { file: "dist/inference.js", format: "es" },
  // What only a training reads of the settings goes.
  treeshake: { propertyReadSideEffects: false },
  plugins: [lean(), transpile(), pure()],
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

// Of an example, which imports the package.
const study = { ...benchmark("examples/rhythm/bench.ts", "build/rhythm-bench.js"), external: /^esp32gpt/ };

/** @param {Record<string, unknown>} options of the command line */
export default ({ configBench, configBenchChip, configRhythm, configTypes }) => {
  if (configBench) return [benchmark("scripts/bench.ts", "build/bench.js")];
  if (configBenchChip) return [benchmark("scripts/chip/bench.ts", "build/bench-chip.js")];
  if (configRhythm) return [study];
  return [...(configTypes ? [declarations] : []), device, board, app, inference, programs, commandLine];
};

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { minifySync } from "@swc/core";
import fc from "fast-check";
import { rollup } from "rollup";
import { respell as respellByTable } from "../src/gpt/data/canonical";
import { createTrainer, Dataset, formatResource, generate, Random, typescriptOps } from "../src/gpt/index";
import * as inference from "../src/gpt/inference";
import { respell } from "../src/places/canonical";
import { ROOT } from "./helpers";
import { temporaryFolder } from "./support/cli";
import { fuzzRuns } from "./support/fuzz";

/* dist/inference.js, as a page has it: what a bundler and a minifier leave, and what it says. */

const at = temporaryFolder();
const BUILT = join(ROOT, "dist", "inference.js");
/** Bytes, compressed, of a page's program that generates in f32. */
const BUDGET = 8 * 1024;

/** A page's program that uses these, bundled and minified. */
async function bundled(...names: readonly string[]): Promise<string> {
  writeFileSync(at("page.js"), `export { ${names.join(", ")} } from ${JSON.stringify(BUILT)};\n`);
  const build = await rollup({ input: at("page.js") });
  const { output } = await build.generate({ format: "es" });
  await build.close();
  return minifySync(output[0].code, { module: true, compress: { passes: 3 }, mangle: { toplevel: true } }).code;
}

const GENERATION = ["modelFromFlash", "generate", "Random"];

test("generation alone fits the budget, and has no kernel of a training", async () => {
  const code = await bundled(...GENERATION, "f32InferenceOps");
  const { length } = gzipSync(code, { level: 9 });
  console.info(`Generation in f32 takes ${length} bytes, compressed, of ${BUDGET}`);
  expect(length).toBeLessThanOrEqual(BUDGET);
  expect(code).not.toMatch(/Backward|beta1|accumulate/);
});

test("in i32 it is larger by its kernels, and neither has those of a training", async () => {
  const code = await bundled(...GENERATION, "i32InferenceOps");
  const { length } = gzipSync(code, { level: 9 });
  console.info(`Generation in i32 takes ${length} bytes, compressed`);
  expect(length).toBeLessThanOrEqual(1.6 * BUDGET);
  expect(code).not.toMatch(/Backward/);
});

test.each(["f32", "i32"] as const)("it generates what the trained model does, in %s", (dtype) => {
  const trainer = createTrainer({
    dataset: Dataset.of(["emma", "zoé", "anna"]),
    ops: typescriptOps(dtype),
    training: { steps: 5 },
  });
  for (let i = 0; i < 5; i++) trainer.step();
  writeFileSync(at("model.bin"), formatResource(trainer.model));
  writeFileSync(
    at("program.mjs"),
    `import { readFileSync } from "node:fs";
    import { ${dtype}InferenceOps, generate, modelFromFlash, Random } from ${JSON.stringify(BUILT)};
    const model = modelFromFlash(new Uint8Array(readFileSync(${JSON.stringify(at("model.bin"))})), ${dtype}InferenceOps);
    const random = new Random(2);
    console.log(JSON.stringify(["", "zoe\\u0301", "e"].map((prefix) => generate(model, { random, prefix }))));`,
  );
  const random = new Random(2);
  const wanted = ["", "zoé", "e"].map((prefix) => generate(trainer.model, { random, prefix }));
  expect(JSON.parse(execFileSync(process.execPath, [at("program.mjs")], { encoding: "utf8" }))).toEqual(wanted);
});

test("it has all that its source exports, and the settings without their documentation", () => {
  const script = `import * as all from ${JSON.stringify(BUILT)}; console.log(JSON.stringify(Object.keys(all)));`;
  const keys = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  expect(JSON.parse(keys)).toEqual(Object.keys(inference).sort());
  const code = readFileSync(BUILT, "utf8");
  expect(code).toMatch(/n_layer: Object\.freeze\(\{/);
  expect(code).not.toMatch(/transformer layers/);
});

test("a text is respelled as by the table, for vocabularies in NFC, in NFD, and between", () => {
  const letter = fc.constantFrom(...Array.from("aeouyAEOdcnzhαωηικかは각가값שব"));
  const mark = fc.constantFrom(..."\u0300\u0301\u0302\u0303\u0306\u0308\u0309\u0323\u031b\u0345\u3099".split(""));
  const text = fc.array(fc.oneof(letter, mark), { maxLength: 8 }).map((parts) => parts.join(""));
  const form = fc.constantFrom("NFC", "NFD");
  fc.assert(
    fc.property(text, text, form, form, (known, given, ofKnown, ofGiven) => {
      const points = new Set(Array.from((known + given).normalize(ofKnown), (c) => c.codePointAt(0) ?? 0));
      const isKnown = (codePoint: number): boolean => points.has(codePoint);
      const wanted = given.normalize(ofGiven);
      expect(respell(wanted, isKnown)).toBe(respellByTable(wanted, isKnown));
    }),
    { numRuns: fuzzRuns(2000) },
  );
});

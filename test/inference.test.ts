import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { createTrainer, Dataset, formatResource, type Model, typescriptOps } from "../src/gpt/index";
import { crc32 } from "../src/gpt/base/crc32";
import {
  f32InferenceOps,
  generate,
  i32InferenceOps,
  type InferenceModel,
  type InferenceOps,
  InputError,
  modelFromFlash,
  planInference,
  Predictor,
  Random,
} from "../src/gpt/inference";
import type { ModelConfig, PresetName } from "../src/gpt/model/config";
import type { Dtype } from "../src/gpt/model/ops";
import { activationLayout } from "../src/gpt/model/activations";
import { i32Ops } from "../src/gpt/model/i32-ops";
import { planMemory } from "../src/gpt/plan";
import { ROOT } from "./helpers";
import { checkSentence, fuzzRandom, fuzzRuns, HOSTILE, mutated, pick } from "./support/fuzz";

/* A model from a resource: it says what the trained one says, and a resource that is not sound is refused. */

const NAMES = ["emma", "zoé", "anna lea", "olivia", "mia", "lina"];
const OPS: Readonly<Record<"f32" | "i32", InferenceOps>> = { f32: f32InferenceOps, i32: i32InferenceOps };
const HEADER = 16;

function trained(dtype: Dtype, preset: PresetName = "esp32gpt", shape: Partial<ModelConfig> = {}): Model {
  const trainer = createTrainer({
    dataset: Dataset.of(NAMES),
    ops: typescriptOps(dtype),
    preset,
    model: shape,
    training: { steps: 9 },
  });
  for (let i = 0; i < 9; i++) trainer.step();
  return trainer.model;
}

/** All that a model says. */
function answersOf(model: InferenceModel): unknown {
  const predictor = new Predictor(model);
  const random = new Random(5);
  return [
    ...["", "a", "zoe\u0301", "anna l"].map((prefix) => [...predictor.probabilities(prefix)]),
    [...predictor.negativeLogLikelihood("emma lina").each],
    ...["", "m", "zo", "anna"].map((prefix) => generate(model, { random, prefix, topK: 6 })),
    generate(model, { random, temperature: 0 }),
    ...Array.from({ length: 8 }, () => generate(model, { random, temperature: 3 })),
  ];
}

const SHAPES: readonly [PresetName, Partial<ModelConfig>][] = [
  ["esp32gpt", {}],
  ["microgpt", { nLayer: 3, nEmbd: 12, mlpWidth: 20 }],
  ["tuned", { nLayer: 2, blockSize: 11, relativeBias: true }],
  ["tuned", { nLayer: 1, nHead: 2, relativeBias: false }],
];

describe.each(["f32", "i32"] as const)("in %s", (dtype) => {
  test.each(SHAPES)("it says the same as the trained %s with %p, bit for bit", (preset, shape) => {
    const model = trained(dtype, preset, shape);
    const resource = formatResource(model);
    const before = resource.slice();
    const read = modelFromFlash(resource, OPS[dtype]);
    expect(answersOf(read)).toEqual(answersOf(model));
    expect(read.config).toMatchObject(model.config);
    expect(read.parameters.buffer).toBe(resource.buffer);
    expect(resource).toEqual(before);
  });

  test("it takes what the plan says, in flash and in RAM", () => {
    const resource = formatResource(trained(dtype, "microgpt", { nLayer: 3 }));
    const model = modelFromFlash(resource, OPS[dtype]);
    const plan = planInference(model.config, dtype, model.vocabulary);
    expect(plan.flash).toBe(resource.length);
    expect(plan.buffers[0].bytes).toBe(model.logits[0].buffer.byteLength);
    expect(plan.bufferBytes).toBe(plan.buffers.reduce((sum, { bytes }) => sum + bytes, 0));
  });
});

test("a device with 64 for n_embd needs a tenth of the memory of a training", () => {
  const config: ModelConfig = {
    preset: "esp32gpt",
    nLayer: 1,
    nEmbd: 64,
    nHead: 4,
    blockSize: 16,
    vocabularySize: 27,
  };
  const { bufferBytes, flash } = planInference(config, "i32");
  expect(bufferBytes).toBeLessThan(planMemory(config, { ops: i32Ops }).bufferBytes / 10);
  expect(bufferBytes).toBeLessThan(50_000);
  expect(flash).toBeLessThan(220_000);
});

test("layers share activations, but each keeps its keys and values in floats", () => {
  const config = { ...trained("f32").config, nLayer: 4 };
  const one = { ...config, nLayer: 1 };
  const grown = (dtype: Dtype): number =>
    activationLayout(config, dtype, "inference").length - activationLayout(one, dtype, "inference").length;
  expect(grown("f32")).toBe(3 * 3 * config.blockSize * config.nEmbd);
  expect(grown("i32")).toBe(0);
});

test("a model in f64 has no resource", () => {
  expect(() => formatResource(trained("f64"))).toThrow(InputError);
});

/** Changes a resource, and makes the checksum right again. */
function sealed(change: (view: DataView) => void): Uint8Array {
  const bytes = SOUND.slice();
  change(new DataView(bytes.buffer));
  return seal(bytes);
}

function seal(bytes: Uint8Array): Uint8Array {
  if (bytes.length >= HEADER) new DataView(bytes.buffer).setUint32(8, crc32(bytes.subarray(12)), true);
  return bytes;
}

/** With another text, of which the length is right. */
function withText(change: (text: string) => string, sound = SOUND): Uint8Array {
  const size = new DataView(sound.buffer).getUint32(12, true);
  let text = change(Buffer.from(sound.subarray(HEADER, HEADER + size)).toString());
  while (Buffer.byteLength(text) % 4 !== 0) text += "\n";
  const head = sound.slice(0, HEADER);
  new DataView(head.buffer).setUint32(12, Buffer.byteLength(text), true);
  return seal(Uint8Array.from(Buffer.concat([head, Buffer.from(text), sound.subarray(HEADER + size)])));
}

const SOUND = formatResource(trained("f32"));
const FAULTS: readonly [string, Uint8Array, RegExp][] = [
  ["nothing", new Uint8Array(0), /is not one: make it with esp32gpt export/],
  ["another file", Uint8Array.from(Buffer.from("a text of more than sixteen bytes")), /is not one/],
  ["cut off", SOUND.slice(0, -4), /checksum is wrong/],
  ["cut off in its header", SOUND.slice(0, HEADER - 1), /is not one/],
  ["with bytes behind it", Uint8Array.from([...SOUND, 0, 0, 0, 0]), /checksum is wrong/],
  ["with bytes behind it, sealed", seal(Uint8Array.from([...SOUND, 0, 0, 0, 0])), /needs a resource of \d+ bytes/],
  ["of other bits", SOUND.map((byte, i) => (i === 2000 ? byte ^ 4 : byte)), /checksum is wrong/],
  ["of another version", sealed((view) => view.setUint32(4, 7, true)), /it has version 7/],
  ["at an odd place", Uint8Array.from([0, ...SOUND]).subarray(1), /multiple of 4 bytes/],
  ["with text of any length", sealed((view) => view.setUint32(12, 0x7ffffffc, true)), /its text has 2147483644 bytes/],
  ["with text of 5 bytes", sealed((view) => view.setUint32(12, 5, true)), /its text has 5 bytes/],
  ["without text", sealed((view) => view.setUint32(12, 0, true)), /its dtype is ""/],
  ["of invalid UTF-8", sealed((view) => view.setUint8(HEADER, 0xff)), /not UTF-8/],
  ["for other ops", withText((text) => text.replace("f32", "i32")), /its dtype is "i32", and these ops compute in f32/],
  ["of too many layers", withText((text) => text.replace("n_layer=1", "n_layer=1000000000")), /n_layer must be/],
  ["of more layers", withText((text) => text.replace("n_layer=1", "n_layer=2")), /needs a resource of \d+ bytes/],
  ["of no number", withText((text) => text.replace("n_head=4", "n_head=four")), /Its n_head is "four"/],
  ["without a preset", withText((text) => text.replace("preset", "p")), /The preset must be one of/],
  ["without a vocabulary", withText((text) => text.replace("vocabulary", "v")), /It has no vocabulary/],
  ["with heads of no width", withText((text) => text.replace("n_head=4", "n_head=5")), /must be a multiple of n_head/],
];

test.each(FAULTS)("a resource is refused that is %s", (_what, bytes, words) => {
  const read = (): unknown => modelFromFlash(bytes, f32InferenceOps);
  expect(read).toThrow(InputError);
  expect(read).toThrow(words);
});

test("ops that refuse the place of the weights in memory make a sentence", () => {
  const ops: InferenceOps = {
    ...f32InferenceOps,
    embeddingForward() {
      throw new RangeError("an op got floats that are not aligned");
    },
  };
  expect(() => modelFromFlash(SOUND, ops)).toThrow(
    new InputError(
      "The resource cannot be used: It must be at a multiple of 4 bytes in memory; the ops say: an op got floats that are not aligned.",
    ),
  );
});

test("weights that are not finite make a sentence", () => {
  const bytes = sealed((view) => view.setUint32(SOUND.length - 4, 0x7fc00000, true));
  const model = modelFromFlash(bytes, f32InferenceOps);
  expect(() => generate(model, { random: new Random(1) })).toThrow(InputError);
  expect(() => new Predictor(model).probabilities()).toThrow(InputError);
});

test("what somebody has altered is read, or refused with a sentence", () => {
  const random = fuzzRandom();
  const sounds = (["f32", "i32"] as const).map(
    (dtype) => [dtype, formatResource(trained(dtype, "tuned", { nEmbd: 4, blockSize: 5 }))] as const,
  );
  const outcomes = { read: 0, refused: 0 };
  for (let run = 0; run < fuzzRuns(3000); run++) {
    const [dtype, sound] = pick(random, sounds);
    const kind = random.index(3);
    const bytes =
      kind === 0
        ? mutated(random, sound)
        : kind === 1
          ? seal(mutated(random, sound))
          : withText((text) => rewritten(random, text), sound);
    try {
      const model = modelFromFlash(bytes, OPS[dtype]);
      generate(model, { random });
      new Predictor(model).probabilities();
      outcomes.read++;
    } catch (error) {
      checkSentence(error);
      outcomes.refused++;
    }
  }
  expect(outcomes.read).toBeGreaterThan(fuzzRuns(3000) / 20);
  expect(outcomes.refused).toBeGreaterThan(fuzzRuns(3000) / 3);
});

/** A text with one of its values replaced. */
function rewritten(random: Random, text: string): string {
  const lines = text.split("\n");
  const at = random.index(lines.length);
  const [key] = lines[at].split("=");
  lines[at] =
    `${key}=${pick(random, ["0", "1", "2", "4", "5", "255", "4096", "1e3", "true", "f32", "i32", ...HOSTILE])}`;
  return lines.join("\n");
}

/* The Moddable manifest against the sources. */

const GPT = join(ROOT, "src", "gpt");

/** The files that a module imports when it runs. */
function importsOf(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2023, true);
  return source.statements.flatMap((statement) => {
    const isImport = ts.isImportDeclaration(statement);
    if (!(isImport || ts.isExportDeclaration(statement)) || !statement.moduleSpecifier) return [];
    const named = isImport ? statement.importClause?.namedBindings : statement.exportClause;
    const isOfTypes = isImport
      ? statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
      : statement.isTypeOnly;
    const elements = named && (ts.isNamedImports(named) || ts.isNamedExports(named)) ? [...named.elements] : [];
    if (isOfTypes || (elements.length > 0 && elements.every(({ isTypeOnly }) => isTypeOnly))) return [];
    return [join(dirname(file), `${(statement.moduleSpecifier as ts.StringLiteral).text}.ts`)];
  });
}

function reachable(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const next of importsOf(file)) reachable(next, seen);
  return seen;
}

const needed = [...reachable(join(GPT, "inference.ts"))].map((file) => relative(GPT, file).replace(".ts", "")).sort();

test("the manifest has the modules that inference needs and no other, all of them preloaded", () => {
  const manifest = JSON.parse(readFileSync(join(GPT, "manifest-inference.json"), "utf8")) as {
    readonly include: string[];
    readonly modules: Record<string, string>;
    readonly preload: string[];
  };
  expect(manifest.modules).toEqual(Object.fromEntries(needed.map((name) => [`esp32gpt/gpt/${name}`, `./${name}`])));
  expect(manifest.preload).toEqual(Object.keys(manifest.modules));
  expect(manifest.include).toEqual(["./native/manifest.json"]);
});

test("inference links no training and no reader of checkpoints", () => {
  expect(needed.filter((name) => /^(checkpoint|training)\/|adam|backward|trainer|dataset/.test(name))).toEqual([
    "training/document-length",
  ]);
});

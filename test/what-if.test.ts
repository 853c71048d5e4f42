// A model without some of its parts, against models in which what these parts say is dropped on its way.
import { DEFAULT_TRAINING, type ModelConfig, type TrainingConfig } from "../src/gpt/model/config";
import { Dataset } from "../src/gpt/data/dataset";
import { allocate } from "../src/gpt/model/layout";
import { Model } from "../src/gpt/model/model";
import type { Dtype, Floats, Ops, Tensor } from "../src/gpt/model/ops";
import { Generator } from "../src/gpt/model/generate";
import { Random, siblingSeed } from "../src/gpt/model/random";
import { typescriptOps } from "../src/gpt/model/typescript-ops";
import { Trainer } from "../src/gpt/training/trainer";
import type { Omission } from "../web/worker/questions";
import { askWhatIf, leaveOut } from "../web/worker/what-if";
import { datasetOf, drawnModel, largestDifference, lossOf, mean, shippedNames } from "./helpers";

const NOTHING: Omission = { heads: [], mlps: [], positions: false, distances: false };
const HEAD = (layer: number, head: number): Partial<Omission> => ({ heads: [{ layer, head }] });

let turns = 0;
const clock = {
  now: () => performance.now(),
  schedule(slice: () => void): void {
    turns++;
    setImmediate(slice);
  },
};
/** Training steps before the question; i32 is slow without C. */
const STEPS = { f32: 60, f64: 60, i32: 10 };
const FEW = ["anna", "emma", "olivia", "ava", "isabella", "sophia", "charlotte", "mia", "amelia", "harper"];
const OPTIONS = { clock, seed: 5, temperature: 0.8 };

function trainerOf(config: Partial<ModelConfig>, dtype: Dtype, training: Partial<TrainingConfig> = {}): Trainer {
  const settings = { ...DEFAULT_TRAINING, ...training };
  const dataset = dtype === "i32" ? datasetOf(...FEW) : shippedNames();
  const trainer = new Trainer(drawnModel(config, dtype), dataset, new Random(42), settings);
  for (let step = 0; step < STEPS[dtype]; step++) trainer.step();
  return trainer;
}

const numbersOf = (x: Tensor): Floats | Int32Array => ("mantissas" in x ? x.mantissas : (x as Floats));

/** Ops that drop what the parts have computed: the columns of a head, what an MLP adds, the rows of positions. */
function deaf(model: Model, { heads, mlps, positions, distances }: Omission): Ops {
  const { ops, config, weights } = model;
  const { nHead, nEmbd } = config;
  const width = nEmbd / nHead;
  const zeros = (length: number): Tensor => ops.view(allocate(ops.dtype, length), 0, length);
  let [attention, mlp] = [0, 0];
  return {
    ...ops,
    embeddingForward(x, wte, wpe, tokens, from, to, n) {
      [attention, mlp] = [0, 0];
      ops.embeddingForward(x, wte, positions ? zeros(config.blockSize * n) : wpe, tokens, from, to, n);
    },
    attentionForward(y, p, qkv, bias, from, to, n, count, block) {
      const layer = attention++;
      expect(bias).toBe(weights.layers[layer].bias);
      ops.attentionForward(y, p, qkv, distances ? undefined : bias, from, to, n, count, block);
      for (const { head } of heads.filter((each) => each.layer === layer))
        for (let t = from; t < to; t++) numbersOf(y).fill(0, t * n + head * width, t * n + (head + 1) * width);
    },
    mlpForward(y, residual, h, x, w1, w2, from, to, n, hidden) {
      const w = mlps.includes(mlp++) ? zeros(hidden * n) : w2;
      ops.mlpForward(y, residual, h, x, w1, w, from, to, n, hidden);
    },
  };
}

const WIDE: Partial<ModelConfig> = { nLayer: 2, nEmbd: 16, nHead: 2, preset: "tuned" };

describe.each<[Dtype, Partial<ModelConfig>, Partial<Omission>]>([
  ["f32", {}, HEAD(0, 2)],
  ["f32", {}, { mlps: [0] }],
  ["f32", {}, { positions: true }],
  ["f32", {}, { ...HEAD(0, 0), mlps: [0], positions: true }],
  ["f32", WIDE, HEAD(1, 1)],
  ["f32", WIDE, { ...HEAD(0, 1), mlps: [1] }],
  ["f32", WIDE, { distances: true }],
  ["f32", { preset: "microgpt" }, { heads: [0, 1, 2, 3].map((head) => ({ layer: 0, head })) }],
  ["i32", {}, HEAD(0, 3)],
  ["i32", WIDE, { ...HEAD(1, 0), mlps: [0], distances: true }],
])("in %s, %j without %j", (dtype, config, parts) => {
  const omission = { ...NOTHING, ...parts };

  test("the loss and the words are those of a model that never hears of the parts", async () => {
    const trainer = trainerOf(config, dtype);
    const { model, dataset } = trainer;
    const answer = await askWhatIf(trainer, omission, OPTIONS);
    const documents = Math.min(200, dataset.count);
    const names = Array.from({ length: documents }, (_, i) =>
      nameOf(dataset, Math.floor((i * dataset.count) / documents)),
    );
    const without = new Model(model.config, deaf(model, omission), model.vocabulary);
    without.parameters.set(model.parameters);
    Object.assign(without, { weights: model.weights });
    const fitting = names.filter((name) => name.length < 16);
    expect(answer.whole.loss).toBeCloseTo(mean(fitting.map((name) => lossOf(model, name))), 6);
    const wanted = mean(fitting.map((name) => lossOf(without, name)));
    // In i32 a block that lacks the numbers of a part may have another exponent.
    expect(Math.abs(answer.without.loss - wanted)).toBeLessThan(dtype === "i32" ? 1e-4 : 1e-6);
    expect(Math.abs(answer.without.loss - answer.whole.loss)).toBeGreaterThan(1e-4);
    expect(answer.whole.words).toEqual(wordsOf(model));
    if (dtype === "f32") expect(answer.without.words).toEqual(wordsOf(without));
    expect(answer).toMatchObject({ step: STEPS[dtype], documents: fitting.length, isHeldOut: false });
  });
});

/** Ten words, each from a stretch of 17 random numbers. */
function wordsOf(model: Model): string[] {
  const all = new Random(siblingSeed(5));
  return Array.from({ length: 10 }, () => {
    const word = new Generator(model, all.copy()).name(0.8);
    for (let i = 0; i < 17; i++) all.uniform();
    return word;
  });
}

function nameOf(dataset: Dataset, index: number): string {
  const tokens = new Uint8Array(40);
  const length = dataset.tokens(index, tokens);
  return Array.from(tokens.subarray(1, length - 1), (token) => dataset.vocabulary.characterOf(token)).join("");
}

test("with nothing left out, both are the same", async () => {
  const { whole, without } = await askWhatIf(trainerOf({}, "f32"), NOTHING, OPTIONS);
  expect(without).toEqual(whole);
});

test("of a training that holds documents out, these are measured: the loss is the validation loss", async () => {
  const trainer = trainerOf({}, "f32", { holdout: 10 });
  const { whole, documents, isHeldOut } = await askWhatIf(trainer, { ...NOTHING, mlps: [0] }, OPTIONS);
  expect({ documents, isHeldOut }).toEqual({ documents: 100, isHeldOut: true });
  const sample = Array.from(trainer.holdout?.sample ?? [], (index) => nameOf(trainer.dataset, index));
  expect(whole.loss).toBeCloseTo(mean(sample.map((name) => lossOf(trainer.model, name))), 6);
});

test("of a short list every document is measured that fits the block", async () => {
  const dataset = Dataset.of(["ab", "ba", "aab", "abababababababababab"]);
  const model = new Model(
    { ...drawnModel({}, "f32").config, vocabularySize: 3 },
    typescriptOps("f32"),
    dataset.vocabulary,
  );
  const { documents } = await askWhatIf(new Trainer(model, dataset, new Random(1), DEFAULT_TRAINING), NOTHING, OPTIONS);
  expect(documents).toBe(3);
});

test.each(["f32", "i32"] as const)("in %s, a training that goes on meanwhile is not touched", async (dtype) => {
  const [trainer, alone] = [trainerOf({}, dtype), trainerOf({}, dtype)];
  const omission = { ...NOTHING, ...HEAD(0, 1), mlps: [0], positions: true };
  const still = await askWhatIf(trainerOf({}, dtype), omission, OPTIONS);
  turns = 0;
  let isAnswered = false;
  const asked = askWhatIf(trainer, omission, OPTIONS).finally(() => (isAnswered = true));
  let steps = 0;
  while (!isAnswered) {
    trainer.step();
    alone.step();
    steps++;
    await new Promise(setImmediate);
  }
  expect(steps).toBeGreaterThan(1);
  expect(turns).toBeGreaterThan(1);
  expect(largestDifference(trainer.model.parameters, alone.model.parameters)).toBe(0);
  // The copy was made at the first step.
  expect(await asked).toEqual(still);
});

test("a part that is not there is a mistake", () => {
  const model = drawnModel({}, "f32");
  for (const wrong of [HEAD(0, 4), HEAD(1, 0), { mlps: [1] }, { distances: true }])
    expect(() => leaveOut(model, { ...NOTHING, ...wrong })).toThrow(RangeError);
});

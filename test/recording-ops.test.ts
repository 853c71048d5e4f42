import { recordStep, recordUpdate, recordWhatIf } from "../web/worker/recorded-step";
import type { DocumentRecord, LayerRecord, StepRecording } from "../web/worker/step-recording";
import { InputError } from "../src/gpt/base/errors";
import { DEFAULT_MODEL, type ModelConfig, type TrainingConfig, trainingConfig } from "../src/gpt/model/config";
import type { ActivationGradients } from "../src/gpt/model/activations";
import { forward } from "../src/gpt/model/forward";
import { MomentWords } from "../src/gpt/model/moment-words";
import { Model } from "../src/gpt/model/model";
import type { Dtype, Floats, IntegerTensor, Numbers, Tensor } from "../src/gpt/model/ops";
import { drawParameters, parameterLayout } from "../src/gpt/model/parameters";
import { Random } from "../src/gpt/model/random";
import { typescriptOps } from "../src/gpt/model/typescript-ops";
import { Trainer } from "../src/gpt/training/trainer";
import { largestDifference, lossOf, shippedNames } from "./helpers";
import { underWay } from "./support/test-device";

/* A step that is recorded for the page: what is recorded, and that the step is the same with a recorder as without. */

interface Case {
  readonly dtype: Dtype;
  readonly model: Partial<ModelConfig>;
  readonly training?: Partial<TrainingConfig>;
}

const CASES: readonly (readonly [name: string, Case])[] = [
  ["esp32gpt", { dtype: "f32", model: {} }],
  ["in double precision", { dtype: "f64", model: {} }],
  ["microgpt", { dtype: "f32", model: { preset: "microgpt" } }],
  ["tuned", { dtype: "f32", model: { preset: "tuned" } }],
  ["two layers", { dtype: "f32", model: { nLayer: 2, preset: "microgpt", relativeBias: true } }],
  ["i32", { dtype: "i32", model: { nLayer: 2 } }],
  ["i32, tuned", { dtype: "i32", model: { preset: "tuned" }, training: { batchSize: 3 } }],
];

/** A training after a few steps; equal calls make equal ones. */
function trainerOf({ dtype, model: shape, training = {} }: Case, steps = 3): Trainer {
  const dataset = shippedNames();
  // The ops of i32 are frozen.
  const ops = { ...typescriptOps(dtype) };
  const config = { ...DEFAULT_MODEL, ...shape, vocabularySize: dataset.vocabulary.size };
  const random = new Random(42);
  const model = new Model(config, ops, dataset.vocabulary);
  drawParameters(model.parameters, random, config, ops);
  const trainer = new Trainer(
    model,
    dataset,
    random,
    trainingConfig(config.preset, training, undefined, ops.functions),
  );
  for (let step = 0; step < steps; step++) trainer.step();
  return trainer;
}

/** All that makes the next steps of a training. */
function bitsOf({ model, adam, state, lastLoss, learningRate }: Trainer): unknown {
  const numbers = [model.parameters, adam.m, adam.v].map(({ buffer }) => Buffer.from(buffer).toString("base64"));
  return [numbers, state, lastLoss, learningRate];
}

async function recordedStep(trainer: Trainer, layer = 0): Promise<StepRecording> {
  const recording = await recordUpdate(trainer, layer, () => trainer.step());
  if (!recording) throw new Error("This step made no update.");
  return recording;
}

/** A number of a tensor, by the definition of block floating point. */
function numberOf(x: Tensor, i: number, exponent: number): number {
  if (!("mantissas" in x)) return x[i];
  const { mantissas, exponents }: IntegerTensor = x;
  const block = exponents.length > 1 ? Math.floor((i * exponents.length) / mantissas.length) : 0;
  return mantissas[i] * 2 ** -(exponents.length > 0 ? exponents[block] : exponent);
}

function numbersOf(x: Tensor, from: number, length: number, exponent = NaN): number[] {
  return Array.from({ length }, (_, i) => numberOf(x, from + i, exponent));
}

const WEIGHT = 27;
const PROBABILITY = 30;

describe.each(CASES)("a recorded step, %s:", (_, given) => {
  test("the training has the same bits as without a recorder, in this step and later ones", async () => {
    const [recorded, plain] = [trainerOf(given), trainerOf(given)];
    for (let round = 0; round < 2; round++) {
      const recording = await recordedStep(recorded);
      const loss = plain.step();
      expect(recording.loss).toBe(loss);
      expect(recording.step).toBe(plain.totalSteps - 1);
      expect(bitsOf(recorded)).toEqual(bitsOf(plain));
      expect(recorded.step()).toBe(plain.step());
      expect(bitsOf(recorded)).toEqual(bitsOf(plain));
    }
  });

  test("the forward pass is what the buffers of the model hold", async () => {
    const [recorded, plain] = [trainerOf(given), trainerOf(given)];
    const { documents, documentCount } = await recordedStep(recorded);
    expect(documentCount).toBe(plain.config.batchSize);
    expect(documents).toHaveLength(documentCount);
    for (const document of documents) expectForward(document, plain.model);
  });

  test("the losses of the letters have the loss as their mean, and those of the documents that of the step", async () => {
    const { documents, loss, weighs } = await recordedStep(trainerOf(given));
    for (const { losses, loss: mean, rows } of documents) {
      expect(losses).toHaveLength(rows);
      expect(losses.reduce((a, b) => a + b, 0) / rows).toBeCloseTo(mean, 4);
    }
    const weight = ({ rows }: DocumentRecord): number => (weighs === "tokens" ? rows : 1);
    const sum = documents.reduce((a, document) => a + weight(document) * document.loss, 0);
    expect(sum / documents.reduce((a, document) => a + weight(document), 0)).toBeCloseTo(loss, 12);
  });

  test("the gradients flow from the logits to the embeddings", async () => {
    const trainer = trainerOf(given);
    const { documents, documentCount, adam, weighs } = await recordedStep(trainer);
    const { nLayer } = trainer.model.config;
    const tokens = trainer.dataset.meanTokens;
    for (const {
      flow,
      logits,
      tokens: [, ...next],
      rows,
      kept,
    } of documents) {
      const back = ["output", "hidden", "middle", "attention", "q", "k", "v"];
      const places = Array.from({ length: nLayer }, (_, i) => back.map((stage) => `${stage} ${nLayer - 1 - i}`)).flat();
      expect(flow.map(({ stage, layer }) => `${stage} ${layer ?? ""}`)).toEqual(["logits ", ...places, "embedding "]);
      // That of the loss by a logit is its probability, less 1 for the token that came.
      const weight = weighs === "tokens" ? 1 / (tokens * documentCount) : 1 / (rows * documentCount);
      const wanted = Array.from({ length: kept }, (_, t) => {
        const p = softmax(rowOf(logits, t, kept));
        p[next[t]] -= 1;
        return weight * Math.hypot(...p);
      });
      expect(largestDifference(flow[0].norms, wanted)).toBeLessThan(given.dtype === "i32" ? 1e-5 : 1e-6);
      expect(flow[0].norm).toBeCloseTo(Math.hypot(...wanted), 5);
    }
    // The buffers still hold what the last document has left in the first layer.
    const { hidden } = trainer.model.activations.layers[0];
    const { dAttention, dqkv } = (trainer as unknown as { activationGradients: ActivationGradients })
      .activationGradients;
    const last = documents[documents.length - 1];
    const { n, block, hidden: units } = trainer.model.shape;
    const found = (stage: string): Float64Array =>
      last.flow.find((place) => place.stage === stage && place.layer === 0)?.norms ?? new Float64Array(0);
    const rowsOf = (x: Tensor, width: number, from = 0): number[] =>
      Array.from({ length: last.kept }, (_, t) => Math.hypot(...numbersOf(x, from + t * width, width)));
    // The losses after the step have overwritten the hidden units, not the gradients.
    expect(units).toBe(lengthOf(hidden) / block);
    expect(largestDifference(found("attention"), rowsOf(dAttention, n))).toBeLessThan(1e-12);
    ["q", "k", "v"].forEach((stage, part) =>
      expect(largestDifference(found(stage), rowsOf(dqkv, n, part * block * n))).toBeLessThan(1e-12),
    );
    if (documentCount > 1) return;
    // The gradient of a row of wpe is that of the embedding at this position.
    const wpe = adam.matrices.find(({ name }) => name === "wpe");
    const rows = Array.from({ length: last.kept }, (_, t) => Math.hypot(...rowOf(wpe?.g ?? [], t, block)));
    expect(largestDifference(last.flow[last.flow.length - 1].norms, rows)).toBeLessThan(1e-6);
  });

  test("the update is that of the formula, with the gradients of the trainer", async () => {
    const [recorded, plain] = [trainerOf(given), trainerOf(given)];
    const before = copyState(plain);
    const { adam } = await recordedStep(recorded);
    plain.step();
    const after = copyState(plain);
    const { beta1, beta2, epsilon, t, learningRate, rate, vScale, matrices } = adam;
    expect([beta1, beta2, epsilon, t]).toEqual([0.85, 0.99, 1e-8, plain.totalSteps]);
    expect(learningRate).toBe(plain.learningRate);
    expect(rate).toBeCloseTo(learningRate / (1 - beta1 ** t), 12);
    expect(vScale).toBeCloseTo(1 / (1 - beta2 ** t), 9);
    const { parts } = parameterLayout(plain.model.config);
    expect(matrices.map(({ name, kept }) => `${name} ${kept}`)).toEqual(
      parts.map(({ name, rows }) => `${name} ${rows}`),
    );
    matrices.forEach((matrix, index) => {
      const { offset, rows, columns } = parts[index];
      const part = (numbers: Floats): Floats => numbers.subarray(offset, offset + rows * columns);
      expect(matrix.wBefore).toEqual(part(before.w));
      expect(matrix.mBefore).toEqual(part(before.m));
      expect(matrix.vBefore).toEqual(part(before.v));
      expect(matrix.w).toEqual(part(after.w));
      // In words they are rounded once the weights have changed.
      const stored = plain.config.moments === "bf16" ? rounded(matrix) : matrix;
      expect(stored.m).toEqual(part(after.m));
      expect(stored.v).toEqual(part(after.v));
      expect(matrix.gradientNorm).toBeCloseTo(Math.hypot(...matrix.g), 6);
      const wanted = Array.from(matrix.g, (g, i) => {
        const m = beta1 * matrix.mBefore[i] + (1 - beta1) * g;
        const v = beta2 * matrix.vBefore[i] + (1 - beta2) * g * g;
        return matrix.wBefore[i] - (rate * m) / (Math.sqrt(v * vScale) + epsilon);
      });
      if (given.dtype === "f64") expect(Array.from(matrix.w)).toEqual(wanted);
      if (given.dtype === "f32") expect(matrix.w).toEqual(Float32Array.from(wanted));
      // Its m has 16 bits and its v has 11: a hundredth of the largest move.
      if (given.dtype === "i32") expect(largestDifference(matrix.w, wanted)).toBeLessThan(0.02 * rate + 2 ** -19);
    });
  });

  test("the losses afterwards are those of the new weights", async () => {
    const trainer = trainerOf(given);
    const { documents } = await recordedStep(trainer);
    for (const { tokens, rows, lossAfter, lossesAfter } of documents) {
      const word = [...tokens.subarray(1, rows)].map((token) => trainer.model.vocabulary.characterOf(token)).join("");
      expect(lossAfter).toBe(lossOf(trainer.model, word));
      expect(lossesAfter.reduce((a, b) => a + b, 0) / rows).toBeCloseTo(lossAfter, 4);
    }
  });

  test("what would be leaves the training as it was", async () => {
    const [asked, plain] = [trainerOf(given), trainerOf(given)];
    const recording = await recordWhatIf(asked, "zoe", 0);
    expect(recording).toMatchObject({ isReal: false, step: 3, documentCount: 1 });
    expect(recording.documents[0].rows).toBe(4);
    expect(recording.documents[0].lossAfter).toBeLessThan(recording.documents[0].loss);
    expect(bitsOf(asked)).toEqual(bitsOf(plain));
    await expect(recordWhatIf(asked, "ß", 0)).rejects.toThrow(InputError);
    expect((await recordWhatIf(asked, undefined, 0)).documents).toHaveLength(1);
    expect(bitsOf(asked)).toEqual(bitsOf(plain));
    expect(asked.step()).toBe(plain.step());
    expect(bitsOf(asked)).toEqual(bitsOf(plain));
  });
});

test("what would be, in the middle of a batch: its names are drawn again", async () => {
  const given: Case = { dtype: "f32", model: { preset: "tuned" } };
  const [asked, plain] = [trainerOf(given), trainerOf(given)];
  for (let i = 0; i < 3; i++) asked.trainDocument();
  await recordWhatIf(asked, "zoe", 0);
  expect(asked.step()).toBe(plain.step());
  expect(bitsOf(asked)).toEqual(bitsOf(plain));
});

test("after the last step, what would be has the learning rate of that step", async () => {
  const trainer = trainerOf({ dtype: "f32", model: {}, training: { steps: 4 } }, 4);
  const { learningRate } = trainer;
  expect((await recordWhatIf(trainer, "emma", 0)).adam.learningRate).toBe(learningRate);
  expect(trainer.learningRate).toBe(learningRate);
});

test("weights that are not finite have no step, and stay", async () => {
  const trainer = trainerOf({ dtype: "f32", model: {} });
  trainer.model.parameters.fill(NaN);
  await expect(recordWhatIf(trainer, "emma", 0)).rejects.toThrow("not finite");
  expect(trainer.model.parameters.every(Number.isNaN)).toBe(true);
});

test("a device that was paused within a batch does and records the whole step", async () => {
  const settings = { preset: "tuned", dtype: "f32" as const };
  const [recorded, plain] = [await underWay(settings), await underWay(settings)];
  for (const { device } of [recorded, plain]) device.pause();
  await recorded.live();
  await plain.live();
  while (recorded.device.trainer.isBetweenBatches) recorded.device.trainer.trainDocument();
  const recording = recordStep(recorded.device, 0);
  await recorded.live();
  const { documentCount, isReal, loss } = await recording;
  expect([documentCount, isReal]).toEqual([8, true]);
  const { trainer } = plain.device;
  while (trainer.totalSteps < recorded.device.trainer.totalSteps) trainer.step();
  expect(recorded.state).toBe(plain.state);
  expect(loss).toBe(trainer.lastLoss);
});

describe("a large model", () => {
  const size = ({ documents, adam }: StepRecording): number => {
    const arrays = (value: unknown): number =>
      ArrayBuffer.isView(value)
        ? value.byteLength
        : typeof value === "object" && value !== null
          ? Object.values(value).reduce((sum: number, each) => sum + arrays(each), 0)
          : 0;
    return arrays(documents) + arrays(adam);
  };

  test("of many documents the first are kept", async () => {
    const trainer = trainerOf(
      { dtype: "f64", model: { preset: "tuned", nEmbd: 192, nLayer: 2 }, training: { batchSize: 32 } },
      0,
    );
    const recording = await recordedStep(trainer);
    expect(recording.documentCount).toBe(32);
    expect(recording.documents.length).toBeGreaterThan(1);
    expect(recording.documents.length).toBeLessThan(32);
    expect(size(recording)).toBeLessThan(8 << 20);
    // Of a matrix the first rows.
    for (const { kept, columns, g, w } of recording.adam.matrices) {
      expect(kept).toBeGreaterThan(0);
      expect([g.length, w.length]).toEqual([kept * columns, kept * columns]);
    }
  });

  test("of many layers the one that was chosen is kept, of many positions the first", async () => {
    const given: Case = { dtype: "f64", model: { preset: "microgpt", nEmbd: 256, nLayer: 8, blockSize: 64 } };
    const dataset = shippedNames();
    const trainer = trainerOf(given, 0);
    const word = "a".repeat(50);
    expect(dataset.longest).toBeLessThan(50);
    const recording = await recordWhatIf(trainer, word, 5);
    const [{ layers, rows, kept, losses }] = recording.documents;
    expect(layers.map((layer) => layer !== undefined)).toEqual([0, 0, 0, 0, 0, 1, 0, 0].map(Boolean));
    expect([rows, kept, losses.length]).toEqual([51, 32, 51]);
    expect(size(recording)).toBeLessThan(8 << 20);
  });
});

function lengthOf(x: Tensor): number {
  return "mantissas" in x ? x.mantissas.length : x.length;
}

function rowOf(x: ArrayLike<number>, row: number, rows: number): number[] {
  const width = x.length / rows;
  return Array.from({ length: width }, (_, i) => x[row * width + i]);
}

function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const e = logits.map((logit) => Math.exp(logit - largest));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((x) => x / sum);
}

/** Weights and moments as floats. */
function copyState({ model, adam }: Trainer): { readonly w: Floats; readonly m: Floats; readonly v: Floats } {
  const { codec, dtype } = model.ops;
  const copy = (numbers: Numbers, what: "weights" | "m" | "v"): Floats => {
    if (!(numbers instanceof Int32Array)) return numbers.slice();
    const floats = new Float32Array(numbers.length);
    (what === "weights" ? codec : adam.codec)?.decode(floats, numbers, 0, what);
    return floats;
  };
  const w = copy(model.parameters, "weights");
  return {
    w: dtype === "i32" ? Float64Array.from(w) : w,
    m: copy(adam.m, "m"),
    v: copy(adam.v, "v"),
  };
}

/** Moments as words store them. */
function rounded({ m, v }: { readonly m: Floats; readonly v: Floats }): { readonly m: Floats; readonly v: Floats } {
  const words = new MomentWords();
  const both = Array.from(m, (one, i) => words.word(one, v[i]));
  return { m: Float32Array.from(both, (word) => words.m(word)), v: Float32Array.from(both, (word) => words.v(word)) };
}

/** Compares a document with the forward pass of a model that has the weights of before the step. */
function expectForward(document: DocumentRecord, model: Model): void {
  const { tokens, rows, kept } = document;
  const { n, block, heads, hidden, vocabulary } = model.shape;
  const { weights, activations } = model;
  expect(kept).toBe(rows);
  expect(tokens).toHaveLength(rows + 1);
  forward(model, tokens, 0, rows);
  const is = (found: Floats | undefined, wanted: readonly number[]): void =>
    expect(Array.from(found ?? [])).toEqual(wanted);
  is(
    document.tokenRows,
    [...tokens.subarray(0, rows)].flatMap((token) => numbersOf(weights.wte, token * n, n, WEIGHT)),
  );
  is(document.positionRows, numbersOf(weights.wpe, 0, rows * n, WEIGHT));
  is(document.embedding, numbersOf(activations.embedding, 0, rows * n));
  is(document.logits, numbersOf(activations.logits, 0, rows * vocabulary));
  expect(document.layers).toHaveLength(activations.layers.length);
  activations.layers.forEach((a, i) => {
    const layer = document.layers[i];
    const rowsOf = (key: keyof LayerRecord, x: Tensor, width = n): void =>
      is(layer?.[key], numbersOf(x, 0, rows * width));
    rowsOf("x", a.x);
    rowsOf("attentionInput", a.attentionInput);
    is(layer?.q, numbersOf(a.qkv, 0, rows * n));
    is(layer?.k, numbersOf(a.qkv, block * n, rows * n));
    is(layer?.v, numbersOf(a.qkv, 2 * block * n, rows * n));
    const triangle = (block * (block + 1)) / 2;
    const p = Array.from({ length: heads }, (_, h) =>
      numbersOf(a.p, h * triangle, (rows * (rows + 1)) / 2, PROBABILITY),
    );
    is(layer?.p, p.flat());
    const { bias } = weights.layers[i];
    if (bias) is(layer?.bias, Array.from({ length: heads }, (_, h) => numbersOf(bias, h * block, rows, WEIGHT)).flat());
    else expect(layer?.bias).toBeUndefined();
    rowsOf("middle", a.middle);
    rowsOf("mlpInput", a.mlpInput);
    rowsOf("hidden", a.hidden, hidden);
    rowsOf("output", a.output);
    // In i32 the product with wo takes the lowest bits off the outputs of the heads, after they were recorded.
    if (model.ops.dtype !== "i32") rowsOf("attention", a.attention);
    else expect(largestDifference(layer?.attention ?? [], numbersOf(a.attention, 0, rows * n))).toBeLessThan(1e-6);
  });
}

// What the page shows of a model: the model's own numbers, looked at without a trace.
import { DEFAULT_MODEL, DEFAULT_TRAINING, type ModelConfig } from "../src/gpt/model/config";
import { BOS } from "../src/gpt/data/vocabulary";
import { InputError } from "../src/gpt/base/errors";
import { forward } from "../src/gpt/model/forward";
import { Random } from "../src/gpt/model/random";
import { Trainer } from "../src/gpt/training/trainer";
import { inspect } from "../web/worker/inspection";
import { drawnModel, largestDifference, shippedNames, tokensOf } from "./helpers";

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);

function trained(config: Partial<ModelConfig>, steps: number): Trainer {
  return trainedWith(drawnModel(config, "f32"), steps);
}

function trainedWith(model: ReturnType<typeof drawnModel>, steps: number, look?: (step: number) => void): Trainer {
  const trainer = new Trainer(model, shippedNames(), new Random(42), DEFAULT_TRAINING);
  for (let step = 0; step < steps; step++) {
    trainer.step();
    look?.(step);
  }
  return trainer;
}

test.each<[Partial<ModelConfig>]>([[{}], [{ preset: "microgpt" }], [{ preset: "tuned", nLayer: 2, nHead: 2 }]])(
  "%j: probabilities are the softmax of the logits, and each row of attention is shared out",
  (config) => {
    const { model } = trained(config, 50);
    const { tokens, probabilities, attention } = inspect(model, "maria");
    expect(tokens).toEqual([BOS, 13, 1, 18, 9, 1]);

    forward(model, tokensOf("maria"), 0, 6);
    expect(probabilities).toHaveLength(6);
    probabilities.forEach((row, t) => {
      const exponentials = Array.from(model.logits[t], Math.exp);
      const all = sum(exponentials);
      expect(sum(row)).toBeCloseTo(1, 6);
      expect(largestDifference(row, exponentials.map((e) => e / all))).toBeLessThan(1e-6); // prettier-ignore
    });

    const { nLayer, nHead } = model.config;
    expect(attention.map((layer) => layer.length)).toEqual(Array.from({ length: nLayer }, () => nHead));
    for (const rows of attention.flat()) {
      expect(rows.map((row) => row.length)).toEqual([1, 2, 3, 4, 5, 6]);
      for (const row of rows) expect(sum(row)).toBeCloseTo(1, 6);
    }
    // A position of its own does not depend on what comes after it.
    const shorter = inspect(model, "mar");
    expect(shorter.probabilities).toEqual(probabilities.slice(0, 4));
  },
);

test("attention is shared out by how well keys answer to queries", () => {
  const { model } = trained({ nHead: 1 }, 200);
  const { attention } = inspect(model, "anna");
  const { qkv } = model.activations.layers[0];
  const { nEmbd, blockSize } = DEFAULT_MODEL;
  const row = (kind: number, t: number): number[] =>
    Array.from({ length: nEmbd }, (_, i) => (qkv as unknown as ArrayLike<number>)[(kind * blockSize + t) * nEmbd + i]);
  attention[0][0].forEach((shares, t) => {
    const scores = Array.from(shares, (_, s) => sum(row(0, t).map((q, i) => q * row(1, s)[i])) / Math.sqrt(nEmbd));
    const exponentials = scores.map(Math.exp);
    expect(largestDifference(shares, exponentials.map((e) => e / sum(exponentials)))).toBeLessThan(1e-5); // prettier-ignore
  });
});

test("a training that is looked at goes as one that is not", () => {
  const alone = trained({}, 60);
  const model = drawnModel({}, "f32");
  const words = ["", "maria", "zzzzzzzzzzzzzzz", "x"];
  const watched = trainedWith(model, 60, (step) => void inspect(model, words[step % words.length]));
  expect(largestDifference(watched.model.parameters, alone.model.parameters)).toBe(0);
  expect(watched.step()).toBe(alone.step());
});

test.each([
  ["marîa", '"î" in "marîa" is not in the model\'s vocabulary.'],
  ["aaaaaaaaaaaaaaaa", "The model looks at 15 characters at most."],
])("what cannot be looked at is refused with a sentence: %s", (text, message) => {
  const model = drawnModel();
  expect(() => inspect(model, text)).toThrow(new InputError(message));
});

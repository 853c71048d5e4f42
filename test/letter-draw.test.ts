// The draw of a letter that the page shows, against the Generator that writes the words.
import fc from "fast-check";
import { DEFAULT_TRAINING, type ModelConfig, samplingLimits } from "../src/gpt/model/config";
import { InputError } from "../src/gpt/base/errors";
import { Generator } from "../src/gpt/model/generate";
import type { Model } from "../src/gpt/model/model";
import type { Dtype } from "../src/gpt/model/ops";
import { Random } from "../src/gpt/model/random";
import { Trainer } from "../src/gpt/training/trainer";
import { drawLetter } from "../web/worker/draw";
import type { Drawing } from "../web/worker/questions";
import { drawnModel, shippedNames } from "./helpers";

const FREE = samplingLimits({});

function trained(config: Partial<ModelConfig>, dtype: Dtype): Model {
  const model = drawnModel(config, dtype);
  const trainer = new Trainer(model, shippedNames(), new Random(42), DEFAULT_TRAINING);
  for (let step = 0; step < 60; step++) trainer.step();
  return model;
}

/** The letters of a word that is drawn letter by letter, with numbers from a stream as the Generator takes them. */
function word(model: Model, drawing: Omit<Drawing, "letters" | "number">, random: Random): string {
  const letters: number[] = [];
  for (;;) {
    const number = drawing.temperature === 0 ? 0.5 : random.copy().uniform();
    const { token, isFull, prefix } = drawLetter(model, { ...drawing, letters, number });
    if (!isFull && drawing.temperature > 0) random.uniform();
    if (isFull || token === 0)
      return [...prefix, ...letters].map((each) => model.vocabulary.characterOf(each)).join("");
    letters.push(token);
  }
}

describe.each<[Dtype, Partial<ModelConfig>]>([
  ["f32", {}],
  ["f32", { preset: "microgpt", nLayer: 2 }],
  ["f64", { preset: "tuned" }],
  ["i32", {}],
  ["i32", { preset: "tuned", nEmbd: 8, nLayer: 2, nHead: 2 }],
])("in %s, %j", (dtype, config) => {
  const model = trained(config, dtype);

  test("letter by letter it is the Generator's word, for any temperature, limits and prefix", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0, 0.01, 0.5, 0.8, 1, 2),
        fc.constantFrom(0, 1, 3, 10, 27, 100),
        fc.constantFrom(0, 0.3, 0.9, 1),
        fc.constantFrom("", "m", "anna", "wilhelminaolivi", "abcdefghijklmno"),
        fc.integer({ min: 1, max: 1e6 }),
        (temperature, topK, topP, prefix, seed) => {
          const limits = { topK, topP };
          const [random, own] = [new Random(seed), new Random(seed)];
          const generator = new Generator(model, random);
          for (let i = 0; i < 3; i++) {
            expect(word(model, { prefix, temperature, limits }, own)).toBe(generator.name(temperature, prefix, limits));
            expect(own.word).toBe(random.word);
          }
        },
      ),
      // Without a cache every letter costs the whole word.
      { numRuns: dtype === "i32" ? 8 : 150, seed: 7 },
    );
  });

  test("the token is where the number falls in the running sum of the shares, which is 1 in the end", () => {
    fc.assert(
      fc.property(
        fc.nat(0xffffff),
        fc.constantFrom(0.3, 1, 2),
        fc.constantFrom(0, 4),
        fc.constantFrom(0.6, 1),
        (bits, temperature, topK, topP) => {
          const number = bits / 0x1000000;
          const limits = { topK, topP };
          const drawing = { prefix: "an", letters: [14], temperature, limits, number };
          const { probabilities, token } = drawLetter(model, drawing);
          const before = probabilities.subarray(0, token).reduce((sum, share) => sum + share, 0);
          const all = probabilities.reduce((sum, share) => sum + share, 0);
          expect(all).toBeCloseTo(1, 5);
          expect(probabilities[token]).toBeGreaterThan(0);
          expect(number).toBeGreaterThanOrEqual(before - 1e-6);
          expect(number).toBeLessThanOrEqual(before + probabilities[token] + 1e-6);
          if (topK > 0) expect(probabilities.filter((share) => share > 0).length).toBeLessThanOrEqual(topK);
        },
      ),
      { numRuns: dtype === "i32" ? 20 : 200, seed: 7 },
    );
  });
});

test("at temperature 0 one letter has everything, whatever the number is", () => {
  const model = trained({}, "f32");
  for (const number of [0, 0.5, 0.999]) {
    const { probabilities, token } = drawLetter(model, {
      prefix: "",
      letters: [],
      temperature: 0,
      limits: FREE,
      number,
    });
    expect(probabilities.filter((share) => share > 0)).toEqual(Float32Array.of(1));
    expect(probabilities[token]).toBe(1);
  }
});

test("another letter than was drawn can be put in its place, and the word goes on from there", () => {
  const model = trained({}, "f32");
  const drawing = { prefix: "", temperature: 1, limits: FREE, number: 0.4 };
  const after = drawLetter(model, { ...drawing, letters: [13, 26] });
  const given = drawLetter(model, { ...drawing, prefix: "mz", letters: [] });
  given.probabilities.forEach((share, i) => expect(share).toBeCloseTo(after.probabilities[i], 5));
  expect(given.prefix).toEqual([13, 26]);
});

test.each([
  [{ prefix: "ß" }, /not in the model's vocabulary/],
  [{ prefix: "abcdefghijklmnopq" }, /too long/],
  [{ temperature: -1 }, /^temperature/],
  [{ limits: { topK: 1.5, topP: 1 } }, /^top-k/],
  [{ limits: { topK: 0, topP: 2 } }, /^top-p/],
])("%j is refused with a sentence", (wrong, message) => {
  const drawing = { prefix: "", letters: [], temperature: 1, limits: FREE, number: 0.5, ...wrong };
  const draw = (): unknown => drawLetter(drawnModel({}, "f32"), drawing);
  expect(draw).toThrow(InputError);
  expect(draw).toThrow(message);
});

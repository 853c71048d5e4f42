// How evenly attention is shared, and the figures that the page names.
import { DEFAULT_TRAINING, type PresetName, trainingConfig } from "../src/gpt/model/config";
import { Random } from "../src/gpt/model/random";
import { Trainer } from "../src/gpt/training/trainer";
import { type Shares, sharesOf } from "../web/inside/evenness";
import { inspect } from "../web/worker/inspection";
import { drawnModel, gaussians, shippedNames } from "./helpers";

test("the extremes of all heads, beside an even share", () => {
  const heads = [
    [[1], [0.4, 0.6], [0.2, 0.3, 0.5]],
    [[1], [0.5, 0.5], [0.3, 0.35, 0.35]],
  ];
  expect(sharesOf(heads, 0)).toBeUndefined();
  expect(sharesOf(heads, 3)).toBeUndefined();
  expect(sharesOf(heads, 1)).toEqual({ least: 0.4, most: 0.6, even: 0.5, isNearlyEven: true });
  expect(sharesOf(heads, 2)).toEqual({ least: 0.2, most: 0.5, even: 1 / 3, isNearlyEven: false });
});

/** The shares after ▸mar or ▸mari, of the usual run with seed 42, in whole percent. */
function trained(preset: PresetName, steps: number, position: number): Shares | undefined {
  const model = drawnModel({ preset }, "f32");
  const random = new Random(42);
  gaussians(random, model.parameters.length - (preset === "tuned" ? 64 : 0));
  const training = { ...DEFAULT_TRAINING, ...trainingConfig(preset, { steps }) };
  const trainer = new Trainer(model, shippedNames(), random, training);
  for (let step = 0; step < steps; step++) trainer.step();
  return sharesOf(inspect(model, "maria").attention[0], position);
}

const inPercent = (shares: Shares | undefined): readonly number[] =>
  [shares?.least, shares?.most].map((share) => Math.round(100 * (share ?? NaN)));

test("the default's is nearly even: 18 to 22 % of five, 19 to 29 % of four", () => {
  expect(inPercent(trained("esp32gpt", 1000, 4))).toEqual([18, 22]);
  const shares = trained("esp32gpt", 1000, 3);
  expect(inPercent(shares)).toEqual([19, 29]);
  expect(shares?.isNearlyEven).toBe(true);
});

test("that of tuned after 2,000 steps is not: what the page says of it", () => {
  const shares = trained("tuned", 2000, 3);
  expect(inPercent(shares)).toEqual([5, 83]);
  expect(shares?.isNearlyEven).toBe(false);
});

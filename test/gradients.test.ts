import type { ModelConfig } from "../src/gpt/model/config";
import type { Dtype } from "../src/gpt/model/ops";
import { Random } from "../src/gpt/model/random";
import { Trainer } from "../src/gpt/training/trainer";
import { datasetOf, drawnModel, lossOf, tokensOf } from "./helpers";

/*
 * The whole model: the analytic gradient of its parameters against central differences. Names and
 * seeds are such that no difference carries a unit across the ReLU's kink.
 */

/** Multiples of epsilon at which the loss is taken, and their weights in its derivative times epsilon. */
type Stencil = readonly (readonly [number, number])[];

const CENTRAL: Stencil = [
  [1, 1 / 2],
  [-1, -1 / 2],
];

/** RMSNorm divides by embeddings of about 0.1, so the loss bends more than two points can see. */
const CENTRAL_FOURTH_ORDER: Stencil = [
  [1, 2 / 3],
  [-1, -2 / 3],
  [2, -1 / 12],
  [-2, 1 / 12],
];

interface Comparison {
  analytic: number;
  numerical: number;
}

function compareGradients(
  config: Partial<ModelConfig>,
  dtype: Dtype,
  name: string,
  seed: number,
  epsilon: number,
  stencil: Stencil,
  stride: number,
): Comparison[] {
  const model = drawnModel(config, dtype, seed);
  const trainer = new Trainer(model, datasetOf(name), new Random(1), {
    steps: 1,
    batchSize: 1,
    learningRate: 0,
    sampling: "random",
    holdout: 0,
  });
  const tokens = tokensOf(name);
  trainer.computeGradients(tokens, tokens.length - 1, 1 / (tokens.length - 1), false);
  const { gradients } = trainer;
  const { parameters } = model;
  const comparisons: Comparison[] = [];
  for (let i = 0; i < parameters.length; i += stride) {
    const value = parameters[i];
    let numerical = 0;
    for (const [multiple, weight] of stencil) {
      parameters[i] = value + multiple * epsilon;
      numerical += (weight * lossOf(model, name)) / epsilon;
    }
    parameters[i] = value;
    comparisons.push({ analytic: gradients[i], numerical });
  }
  return comparisons;
}

test.each<[string, Partial<ModelConfig>, string, Stencil, number]>([
  ["the default model", {}, "emmaolivi", CENTRAL, 4192],
  ["two layers", { nLayer: 2, nEmbd: 8, nHead: 2, blockSize: 8 }, "olivia", CENTRAL, 2032],
  [
    "a bias by distance, and an MLP of another width",
    { preset: "tuned", nLayer: 2, nEmbd: 8, nHead: 2, blockSize: 8, mlpWidth: 12 },
    "olivia",
    CENTRAL,
    1424,
  ],
  ["RMSNorm", { preset: "microgpt", nEmbd: 8, nHead: 2, blockSize: 8 }, "olivia", CENTRAL_FOURTH_ORDER, 1264],
  [
    "RMSNorm, two layers",
    { preset: "microgpt", nLayer: 2, nEmbd: 6, nHead: 3, blockSize: 4 },
    "ava",
    CENTRAL_FOURTH_ORDER,
    1212,
  ],
])("in double precision, every parameter of %s has its gradient", (_title, config, name, stencil, count) => {
  const comparisons = compareGradients(config, "f64", name, 42, 1e-4, stencil, 1);
  const wrong = comparisons.filter(
    ({ analytic, numerical }) => !(Math.abs(analytic - numerical) <= 1e-6 * Math.abs(analytic) + 1e-10),
  );
  expect(wrong).toEqual([]);
  expect(comparisons).toHaveLength(count);
});

test("in single precision, the original's own check holds", () => {
  const comparisons = compareGradients({}, "f32", "emmaolivi", 42, 0.01, CENTRAL, 17);
  const wrong = comparisons.filter(({ analytic: a, numerical: n }) => {
    return !(Math.abs(a - n) <= 0.02 * (Math.abs(a) + Math.abs(n)) + 1e-3);
  });
  expect(wrong).toEqual([]);
  expect(comparisons).toHaveLength(247);
});

import type { Dtype } from "../src/gpt/model/ops";
import { gradientLayout, parameterLayout, viewWeights } from "../src/gpt/model/parameters";
import type { TrainingConfig } from "../src/gpt/model/config";
import { createTrainer } from "../src/gpt/create-trainer";
import { typescriptOps } from "../src/gpt/model/typescript-ops";
import type { Trainer } from "../src/gpt/training/trainer";
import { LastUpdate } from "../web/worker/last-update";
import { shippedNames } from "./helpers";

/* What the last step did to each weight, as the worker of the page keeps it. */

function trainerOf(dtype: Dtype, training: Partial<TrainingConfig> = {}): Trainer {
  return createTrainer({
    dataset: shippedNames(),
    preset: "tuned",
    model: { nLayer: 2 },
    ops: typescriptOps(dtype),
    training,
  });
}

/** All gradients in the order of the parameters, as the ops see them. */
function gradientsOf({ model, gradients, config }: Trainer): number[] {
  const { ops } = model;
  const { wte, wpe, layers, wout } = viewWeights(
    ops,
    gradients.slice(),
    model.config,
    gradientLayout(model.config, ops.dtype, config.batchSize),
  );
  const inLayers = layers.flatMap(({ wqkv, wo, w1, w2 }) => [wqkv, wo, w1, w2]);
  const biases = layers.flatMap(({ bias }) => bias ?? []);
  return [wte, wpe, ...inLayers, wout, ...biases].flatMap((tensor) => {
    if (!("mantissas" in tensor)) return Array.from(tensor);
    const { mantissas, exponents } = tensor;
    const size = mantissas.length / exponents.length;
    return Array.from(mantissas, (mantissa, i) => mantissa * 2 ** -exponents[Math.floor(i / size)]);
  });
}

test.each(["f32", "i32"] as const)("every weight has its gradient and its earlier value: %s", (dtype) => {
  const trainer = trainerOf(dtype, { batchSize: 2 });
  const { model } = trainer;
  const valueOf = (x: number): number => x * model.parameterUnit;
  const last = new LastUpdate(trainer);
  last.begin();
  expect(last.reading(7)).toEqual({
    stepsDone: 0,
    value: valueOf(model.parameters[7]),
    update: undefined,
  });
  for (let step = 0; step < 3; step++) {
    const before = Array.from(model.parameters, valueOf);
    trainer.step();
    last.take();
    const gradients = gradientsOf(trainer);
    expect(gradients).toHaveLength(parameterLayout(model.config).length);
    // A document of the next batch takes the place of the gradients.
    expect(trainer.trainDocument()).toBeUndefined();
    expect(gradientsOf(trainer)).not.toEqual(gradients);
    const readings = gradients.map((_, index) => last.reading(index));
    expect(new Set(readings.map(({ stepsDone }) => stepsDone))).toEqual(new Set([step + 1]));
    expect(readings.map(({ value }) => value)).toEqual(Array.from(model.parameters, valueOf));
    expect(readings.map(({ update }) => update?.gradient)).toEqual(gradients);
    expect(readings.map(({ update }) => update?.before)).toEqual(before);
    // The batch is drawn again.
    trainer.abandonBatch();
  }
});

test("of a model that is too large for it, only the value is known", () => {
  const trainer = trainerOf("f32");
  const last = new LastUpdate(trainer, trainer.model.parameters.length - 1);
  last.begin();
  expect(last.reading(3).value).toBe(trainer.model.parameters[3]);
  trainer.step();
  last.take();
  const { update } = last.reading(3);
  expect([update?.gradient, update?.before]).toEqual([NaN, NaN]);
  expect(update?.learningRate).toBe(trainer.learningRate);
});

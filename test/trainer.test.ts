import { type ModelConfig, type PresetName, type TrainingConfig, trainingConfig } from "../src/gpt/model/config";
import type { Dataset } from "../src/gpt/data/dataset";
import { InputError } from "../src/gpt/base/errors";
import type { Loss } from "../src/gpt/training/events";
import type { Dtype } from "../src/gpt/model/ops";
import { Random } from "../src/gpt/model/random";
import { EvaluationTask } from "../src/gpt/training/evaluation";
import { Trainer } from "../src/gpt/training/trainer";
import { datasetOf, drawnModel, largestDifference, lossOf, mean, shippedNames, tokensOf } from "./helpers";

function trainerOf(
  dataset: Dataset,
  training: Partial<TrainingConfig> = {},
  config: Partial<ModelConfig> = {},
  dtype: Dtype = "f64",
): Trainer {
  const model = drawnModel(config, dtype);
  return new Trainer(model, dataset, new Random(42), {
    steps: 100,
    batchSize: 1,
    learningRate: 0.01,
    sampling: "sequential",
    holdout: 0,
    ...training,
  });
}

function losses(trainer: Trainer, steps: number): Loss[] {
  return Array.from({ length: steps }, () => trainer.step());
}

test("a step returns the loss of its name before the parameters move", () => {
  const names = ["emma", "olivia", "ava"];
  const trainer = trainerOf(datasetOf(...names));
  const { model } = trainer;
  for (const name of names) {
    const before = model.parameters.slice();
    const expected = lossOf(model, name);
    expect(trainer.step()).toBe(expected);
    expect(names[trainer.documentIndex]).toBe(name);
    expect(largestDifference(model.parameters, before)).toBeGreaterThan(0);
  }
  expect(trainer.stepsDone).toBe(3);
});

test("training lowers the loss: a single name is learnt by heart", () => {
  const trainer = trainerOf(datasetOf("olivia"));
  const first = trainer.step();
  losses(trainer, 98);
  expect(first).toBeCloseTo(Math.log(27), 0);
  expect(trainer.step()).toBeLessThan(0.05);
});

test.each<[Partial<ModelConfig>]>([[{ nLayer: 2 }], [{ preset: "microgpt" }], [{ nEmbd: 12, nHead: 3, blockSize: 9 }]])(
  "training lowers the loss of %j on the names that come with the program",
  (config) => {
    const trainer = trainerOf(shippedNames(), { steps: 300 }, { ...config }, "f32");
    const all = losses(trainer, 300).filter((loss) => typeof loss === "number");
    expect(mean(all.slice(-50))).toBeLessThan(mean(all.slice(0, 20)) - 0.4);
  },
);

test("the same seed gives the same training, another seed another one", () => {
  const run = (seed: number): Loss[] => {
    const config = { steps: 50, batchSize: 1, learningRate: 0.01, sampling: "random" as const, holdout: 0 };
    return losses(new Trainer(drawnModel({}, "f32"), shippedNames(), new Random(seed), config), 50);
  };
  expect(run(1)).toEqual(run(1));
  expect(run(1)).not.toEqual(run(2));
});

describe("a name that does not fit the block", () => {
  const dataset = datasetOf("abcd", "abc", "abcdefgh");

  test("is passed over by esp32gpt: no loss, a step done, nothing learnt", () => {
    const trainer = trainerOf(dataset, {}, { blockSize: 4 });
    const { model, adam } = trainer;
    const before = model.parameters.slice();
    expect(trainer.step()).toBe("passed over");
    expect([trainer.stepsDone, trainer.documentIndex]).toEqual([1, 0]);
    expect([...model.parameters]).toEqual([...before]);
    expect(adam.m.every((value) => value === 0)).toBe(true);
    expect(trainer.step()).toBeGreaterThan(0);
    expect(trainer.step()).toBe("passed over");
  });

  test("is cut by microgpt to its first block_size targets", () => {
    const trainer = trainerOf(dataset, {}, { preset: "microgpt", blockSize: 4 });
    const { model } = trainer;
    const tokens = Uint8Array.of(0, 1, 2, 3, 4);
    const expected = trainer.computeGradients(tokens, 4, 1 / 4, false);
    expect(trainer.step()).toBe(expected);
    const [cut, whole] = [2, 0].map((index) => {
      const evaluation = new EvaluationTask(model, dataset, Uint32Array.of(index));
      evaluation.work();
      return evaluation.loss;
    });
    expect(cut).toBe(whole);
  });

  test("if every name is one, esp32gpt refuses and names the line of the shortest", () => {
    const create = (): Trainer => trainerOf(datasetOf("abcdefg", "", "abcd", "abcdef"), {}, { blockSize: 4 });
    expect(create).toThrow(InputError);
    expect(create).toThrow(/^names\.txt has no name that fits block_size 4, .*line 3, has 4/);
  });

  test("microgpt takes any", () => {
    const trainer = trainerOf(datasetOf("abcdefg"), {}, { preset: "microgpt", blockSize: 2 });
    expect(trainer.step()).toBeGreaterThan(0);
  });
});

test("sequential training walks the file and begins again", () => {
  const trainer = trainerOf(datasetOf("ann", "bob", "cat"));
  const drawn = Array.from({ length: 7 }, () => (trainer.step(), trainer.documentIndex));
  expect(drawn).toEqual([0, 1, 2, 0, 1, 2, 0]);
});

test("random training draws an index a step from the given stream", () => {
  const dataset = shippedNames();
  const trainer = trainerOf(dataset, { sampling: "random" });
  const random = new Random(42);
  for (let step = 0; step < 20; step++) {
    trainer.step();
    expect(trainer.documentIndex).toBe(random.index(dataset.count));
  }
});

test("the learning rate falls linearly to zero, and Adam is told", () => {
  const trainer = trainerOf(datasetOf("ann"), { steps: 4, batchSize: 1, learningRate: 0.02 });
  const update = jest.spyOn(trainer.adam, "update");
  const rates = Array.from({ length: 4 }, () => {
    trainer.step();
    return trainer.learningRate;
  });
  expect(rates).toEqual([0.02, 0.015, 0.01, 0.005]);
  expect(update.mock.calls).toEqual(rates.map((rate, step) => [step, rate]));
});

test("a schedule that follows another begins with its whole rate; Adam goes on counting", () => {
  const trainer = trainerOf(datasetOf("ann"), { steps: 3, batchSize: 1, learningRate: 0.02 });
  const update = jest.spyOn(trainer.adam, "update");
  losses(trainer, 3);
  update.mockClear();
  trainer.beginSchedule(4, 0.04);
  losses(trainer, 4);
  const rates = [0.04, 0.03, 0.02, 0.01];
  expect(update.mock.calls).toEqual(rates.map((rate, step) => [3 + step, rate]));
  expect([trainer.stepsDone, trainer.totalSteps]).toEqual([4, 7]);
});

test("what was learnt becomes better with another schedule, not worse", () => {
  const trainer = trainerOf(datasetOf("olivia", "emma"), { steps: 20 });
  const before = Math.max(...losses(trainer, 20).slice(-2).map(Number));
  trainer.beginSchedule(40, 0.01);
  expect(Math.max(...losses(trainer, 40).slice(-2).map(Number))).toBeLessThan(before);
});

test("gradients are those of one name: they do not pile up", () => {
  const trainer = trainerOf(datasetOf("ann"), { learningRate: 0 });
  trainer.step();
  const first = trainer.gradients.slice();
  trainer.step();
  expect([...trainer.gradients]).toEqual([...first]);
});

test("a loss that is not finite leaves nothing of its batch behind", () => {
  const trainer = trainerOf(datasetOf("ann", "bob", "cid"), { batchSize: 3, sampling: "sequential" });
  const { model } = trainer;
  const sound = model.parameters.slice();
  expect(trainer.trainDocument()).toBeUndefined();
  model.parameters.fill(1e300);
  expect(trainer.trainDocument()).toBe("diverged");
  model.parameters.set(sound);
  // It goes on with the first name of the batch.
  expect(Number.isFinite(trainer.step())).toBe(true);
  expect([...model.parameters].every(Number.isFinite)).toBe(true);
  expect(trainer.documentIndex).toBe(2);
});

test("a loss that is not finite moves nothing, and is no step done", () => {
  const trainer = trainerOf(datasetOf("ann"));
  const { model } = trainer;
  model.parameters.fill(1e300);
  const before = model.parameters.slice();
  expect(trainer.step()).toBe("diverged");
  expect(trainer.stepsDone).toBe(0);
  expect([...model.parameters]).toEqual([...before]);
  const evaluation = new EvaluationTask(model, trainer.dataset, Uint32Array.of(0));
  expect(() => evaluation.work()).toThrow(/no finite loss/);
});

describe("a batch", () => {
  const names = ["emma", "olivia", "ava", "isabella"];
  const weightsAfter = (batchSize: number, preset: PresetName, dataset: Dataset): [Trainer, Loss] => {
    const trainer = trainerOf(dataset, { batchSize }, { preset });
    return [trainer, trainer.step()];
  };

  test("sums the gradients of its names, and is one step", () => {
    const [trainer, loss] = weightsAfter(4, "esp32gpt", datasetOf(...names));
    expect(trainer.stepsDone).toBe(1);
    const single = trainerOf(datasetOf(...names));
    const sum = new Float64Array(single.gradients.length);
    const losses = names.map((name) => {
      const tokens = tokensOf(name);
      const loss = single.computeGradients(tokens, tokens.length - 1, 1 / (tokens.length - 1), false);
      single.gradients.forEach((gradient, i) => (sum[i] += gradient / names.length));
      return loss;
    });
    expect(loss).toBeCloseTo(mean(losses), 12);
    expect(largestDifference(trainer.gradients, sum)).toBeLessThan(1e-15);
  });

  test("of the preset tuned weighs every token the same", () => {
    const dataset = datasetOf(...names);
    const [trainer, loss] = weightsAfter(4, "tuned", dataset);
    const single = trainerOf(dataset, {}, { preset: "tuned" });
    const tokensInAll = names.join("").length + names.length;
    const sum = new Float64Array(single.gradients.length);
    let nats = 0;
    for (const name of names) {
      const tokens = tokensOf(name);
      const rows = tokens.length - 1;
      nats += rows * single.computeGradients(tokens, rows, 1 / rows, false);
      single.gradients.forEach((gradient, i) => (sum[i] += (rows * gradient) / tokensInAll));
    }
    expect(dataset.meanTokens * names.length).toBeCloseTo(tokensInAll, 12);
    expect(loss).toBeCloseTo(nats / tokensInAll, 12);
    expect(largestDifference(trainer.gradients, sum)).toBeLessThan(1e-15);
  });

  test("passes over names that are too long, and is passed over itself when all are", () => {
    const long = "abcdefghijklmnopqrstuvwxyz";
    const [, loss] = weightsAfter(3, "tuned", datasetOf(long, "ann", long));
    expect(loss).toBeCloseTo(Math.log(27), 0);
    const all = trainerOf(datasetOf(long, long, "a"), { batchSize: 2 }, { preset: "tuned" });
    const before = all.model.parameters.slice();
    expect(all.step()).toBe("passed over");
    expect([all.stepsDone, largestDifference(all.model.parameters, before)]).toEqual([1, 0]);
  });

  test("learns: the loss of the names that come with the program falls", () => {
    const trainer = trainerOf(shippedNames(), { ...trainingConfig("tuned", {}, 1600) }, { preset: "tuned" }, "f32");
    const all = losses(trainer, 200).map(Number);
    expect(mean(all.slice(-20))).toBeLessThan(mean(all.slice(0, 5)) - 0.7);
  });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_MODEL, DEFAULT_TRAINING, type ModelConfig } from "../src/gpt/model/config";
import { Dataset } from "../src/gpt/data/dataset";
import { Model } from "../src/gpt/model/model";
import { drawParameters } from "../src/gpt/model/parameters";
import { Random } from "../src/gpt/model/random";
import { Trainer } from "../src/gpt/training/trainer";
import { typescriptOps } from "../src/gpt/model/typescript-ops";
import { datasetOf, largestDifference, mean, shippedNames, trainStep } from "./helpers";
import {
  type Esp32gptTrace,
  inBufferOrder,
  type MicrogptParameters,
  type MicrogptTrace,
  readTrace,
} from "./support/reference";
import { skipUnlessReference } from "./support/skipping";

/*
 * Against what the published programs computed. The beginnings of both traces are kept in data/; the
 * folder with the whole ones is named by ESP32GPT_REFERENCE.
 */

const EXCERPTS = join(__dirname, "data");
const folder = process.env.ESP32GPT_REFERENCE ?? "";

const MICROGPT: ModelConfig = { ...DEFAULT_MODEL, preset: "microgpt" };

interface Run {
  names: number[];
  losses: number[];
}

function run(trainer: Trainer, steps: number): Run {
  const names: number[] = [];
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    losses.push(trainStep(trainer));
    names.push(trainer.documentIndex);
  }
  return { names, losses };
}

/** The published program: one stream of random numbers for the weights and then the names. */
function runEsp32gpt(dataset: Dataset, seed: number, steps: number): Run {
  const random = new Random(seed);
  const model = new Model(DEFAULT_MODEL, typescriptOps("f32"));
  drawParameters(model.parameters, random, model.config, model.ops);
  return run(new Trainer(model, dataset, random, DEFAULT_TRAINING), steps);
}

/** microgpt.py's training from its own initial parameters, over its documents in their order. */
function microgptTrainer(docs: readonly string[], init: MicrogptParameters): Trainer {
  const model = new Model(MICROGPT, typescriptOps("f64"));
  model.parameters.set(inBufferOrder(init, MICROGPT));
  const training = { ...DEFAULT_TRAINING, sampling: "sequential" as const };
  return new Trainer(model, datasetOf(...docs), new Random(1), training);
}

test("the first steps of the Rust program", () => {
  const trace = readTrace(EXCERPTS, "esp32gpt-trace.json") as Esp32gptTrace;
  const { names, losses } = runEsp32gpt(shippedNames(), trace.seed, trace.loss.length);
  expect(names).toEqual(trace.name_index);
  expect(largestDifference(losses, trace.loss)).toBeLessThan(1e-5);
  expect(losses).toHaveLength(20);
});

test("the first steps of microgpt.py", () => {
  type Beginning = Pick<MicrogptTrace, "docs" | "losses" | "init">;
  const { docs, losses, init } = readTrace(EXCERPTS, "microgpt-trace.json") as Beginning;
  const trainer = microgptTrainer(docs, init);
  expect(largestDifference(run(trainer, 5).losses, losses)).toBeLessThan(1e-12);
});

skipUnlessReference("the whole traces").describe("the whole of", () => {
  test("the Rust program's training", () => {
    const trace = readTrace(folder, "esp32gpt-trace.json") as Esp32gptTrace;
    const { names, losses } = runEsp32gpt(shippedNames(), trace.seed, trace.steps);
    expect(names).toEqual(trace.name_index);
    expect(largestDifference(losses.slice(0, 300), trace.loss.slice(0, 300))).toBeLessThan(1e-5);
    expect(largestDifference(losses, trace.loss)).toBeLessThan(0.06);
    expect(Math.abs(mean(losses) - mean(trace.loss))).toBeLessThan(0.01);
  });

  test("the published log", () => {
    const dataset = new Dataset(readFileSync(join(folder, "makemore-names.txt")), "makemore-names.txt");
    const { losses } = runEsp32gpt(dataset, 42, 1000);
    expect([losses[0], losses[100]].map((loss) => loss.toFixed(4))).toEqual(["3.3071", "2.4193"]);
    expect(Math.abs(losses[500] - 1.9888)).toBeLessThan(0.02);
    expect(Math.abs(losses[999] - 2.098)).toBeLessThan(0.02);
  });

  test("microgpt.py's training", () => {
    const trace = readTrace(folder, "microgpt-trace.json") as MicrogptTrace;
    const trainer = microgptTrainer(trace.docs, trace.init);
    const first = trainStep(trainer);
    const gradients = trainer.gradients.slice();
    const { losses } = run(trainer, trace.config.steps - 1);
    expect(largestDifference(gradients, inBufferOrder(trace.grad_step0, MICROGPT))).toBeLessThan(1e-14);
    expect(largestDifference([first, ...losses], trace.losses)).toBeLessThan(1e-8);
    expect(largestDifference(trainer.model.parameters, inBufferOrder(trace.final, MICROGPT))).toBeLessThan(1e-6);
  });
});

import { DEFAULT_MODEL, trainingConfig } from "../../src/gpt/model/config";
import { Dataset } from "../../src/gpt/data/dataset";
import { Model } from "../../src/gpt/model/model";
import type { Ops } from "../../src/gpt/model/ops";
import { drawParameters } from "../../src/gpt/model/parameters";
import { Random } from "../../src/gpt/model/random";
import { Trainer } from "../../src/gpt/training/trainer";
import { fnv1a } from "./fnv1a";
import type { Training } from "./i32-native-questions";

/** After each step of a training in i32: its loss, and hashes of the parameters and the moments. */
export function traceOf(ops: Ops, names: Uint8Array<ArrayBuffer>, training: Training): string[] {
  const { steps, batchSize, learningRate, seed, ...shape } = training;
  const random = new Random(seed);
  const model = new Model({ ...DEFAULT_MODEL, ...shape }, ops);
  drawParameters(model.parameters, random, model.config, ops);
  const rate = learningRate === undefined ? {} : { learningRate };
  const config = trainingConfig(shape.preset, { steps: 1000, batchSize, ...rate });
  const trainer = new Trainer(model, new Dataset(names, "names.txt"), random, config);
  // As a device does to measure the time; it changes no parameter.
  trainer.warmUpDocument(0);
  trainer.warmUpUpdate();
  return Array.from({ length: steps }, () => {
    const loss = trainer.step();
    return `${loss} ${fnv1a(model.parameters)} ${fnv1a(trainer.adam.m)}`;
  });
}

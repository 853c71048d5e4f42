import { Adam } from "../../src/gpt/training/adam";
import type { ModelConfig } from "../../src/gpt/model/config";
import { type LoadedModel, loadModel } from "../../src/gpt/checkpoint/loading";
import { Model } from "../../src/gpt/model/model";
import type { Dtype } from "../../src/gpt/model/ops";
import { parameterLayout } from "../../src/gpt/model/parameters";
import { Random } from "../../src/gpt/model/random";
import type { Task } from "../../src/gpt/base/runner";
import { recordOf } from "../../src/gpt/checkpoint/training-checkpoint";
import { saveCheckpoint, type TrainingToSave } from "../../src/gpt/checkpoint/saving";
import { Trainer } from "../../src/gpt/training/trainer";
import { typescriptOps } from "../../src/gpt/model/typescript-ops";
import { datasetOf, drawnModel } from "../helpers";
import { lowercaseVocabulary } from "../../src/gpt/data/vocabulary";
import { MemoryStorage } from "./memory-storage";
import { realRunner } from "./runner";
import type { TensorToWrite } from "./safetensors-file";

export const SMALL: ModelConfig = {
  preset: "esp32gpt",
  nLayer: 1,
  nEmbd: 2,
  nHead: 2,
  blockSize: 3,
  vocabularySize: 27,
};

export function trained(config: ModelConfig, dtype: Dtype): Trainer {
  const training = { steps: 10, batchSize: 1, learningRate: 0.01, sampling: "sequential" as const, holdout: 0 };
  const trainer = new Trainer(drawnModel(config, dtype), datasetOf("al", "bo"), new Random(1), training);
  for (let step = 0; step < 5; step++) trainer.step();
  return trainer;
}

/** What is saved of it beside the model. */
export function stateOf(trainer: Trainer): TrainingToSave {
  return { adam: trainer.adam, record: recordOf({ trainer, seed: 1 }) };
}

/** A model with Adam's state, as it must still be after a load that failed. */
export function untouched(config: ModelConfig, dtype: Dtype): { model: Model; adam: Adam } {
  const model = new Model(config, typescriptOps(dtype));
  const adam = new Adam(model.ops, model.parameters, model.parameters.slice());
  for (const buffer of [model.parameters, adam.m, adam.v]) buffer.fill(7);
  return { model, adam };
}

/** The tensors of a model, as another program would write them. */
export function tensorsOf(model: Model, dtype: "F32" | "F64"): TensorToWrite[] {
  return parameterLayout(model.config).parts.map(({ name, offset, rows, columns }) => ({
    name,
    dtype,
    shape: [rows, columns],
    values: model.parameters.subarray(offset, offset + rows * columns),
  }));
}

/** A file with a checkpoint in it. */
export async function saved(model: Model, step: number, training?: TrainingToSave): Promise<Uint8Array> {
  const storage = new MemoryStorage();
  await saveCheckpoint(realRunner(), storage, "m", { model, step, training });
  expect([storage.openFiles, storage.files.size]).toEqual([0, 1]);
  return storage.file("m");
}

export async function loadAll(
  bytes: Uint8Array,
  wanted: Partial<ModelConfig> = {},
  dtype: Dtype = "f64",
): Promise<LoadedModel> {
  const storage = new MemoryStorage({ "m.safetensors": bytes });
  try {
    const ops = typescriptOps(dtype);
    const loaded = await loadModel(realRunner(), storage, "m.safetensors", {
      wanted,
      ops,
      data: lowercaseVocabulary(),
    });
    if (!loaded) throw new Error("Nobody has stopped it.");
    return loaded;
  } finally {
    expect(storage.openFiles).toBe(0);
  }
}

export async function load(bytes: Uint8Array, wanted: Partial<ModelConfig> = {}, dtype: Dtype = "f64"): Promise<Model> {
  return (await loadAll(bytes, wanted, dtype)).model;
}

/** Runs a task here and now; returns how many bits it took. */
export function runAll(task: Task): number {
  let bits = 1;
  while (task.work(0)) bits++;
  return bits;
}

import { InputError, printablePath } from "./base/errors";
import type { Clock, Storage } from "./base/platform";
import { Runner } from "./base/runner";
import { SETTINGS } from "./base/settings";
import { loadModel as loadModelInSlices } from "./checkpoint/loading";
import { Checkpoint } from "./checkpoint/reader";
import type { TrainingRecord } from "./checkpoint/record";
import { restoreTraining, saveTraining } from "./checkpoint/training-checkpoint";
import type { DocumentSource } from "./data/document-source";
import { lowercaseVocabulary } from "./data/vocabulary";
import type { Model } from "./model/model";
import type { Dtype, Ops } from "./model/ops";
import { floatOps } from "./model/typescript-ops";
import type { Trainer } from "./training/trainer";

/*
 * Checkpoints for an app: files that are replaced atomically, so that at any moment a loss of power leaves the old one
 * or the new one. They are those of the firmware and the command line, which read and write them too.
 */

/** Where a checkpoint is. */
export interface CheckpointFile {
  readonly storage: Storage;
  /** Name of the file in the storage. */
  readonly name: string;
  /** Reading and writing run in slices. */
  readonly clock: Clock;
}

/**
 * Saves all that the training needs to go on, bit for bit: call it between two steps, and the next one after it
 * resolves. Allocates the header, some 3 KB, and blocks of 4 KB. A DocumentRing is not saved.
 * @param seed that of createTrainer(), for the record: 42 by default there too
 * @throws InputError (as a rejection) if the storage fails, or a number is not finite; the old file stays
 */
export async function saveCheckpoint(
  trainer: Trainer<DocumentSource>,
  { storage, name, clock }: CheckpointFile,
  seed: number = SETTINGS.seed.default,
): Promise<void> {
  await saveTraining(new Runner(clock), storage, name, { trainer, seed });
}

/**
 * Restores a training. Its steps, learning rate and progress are then those of the file; its moments are stored as before,
 * so exact ones of the file are rounded if those of the trainer are in words. Everything is checked before anything is
 * changed.
 * @returns whether there is such a file
 * @throws InputError (as a rejection) if the file cannot be used, has no training, or is of another model, dtype,
 * dataset, or training: batch size, sampling, holdout or schedule
 */
export async function loadCheckpoint(
  trainer: Trainer<DocumentSource>,
  { storage, name, clock }: CheckpointFile,
): Promise<boolean> {
  const checkpoint = await Checkpoint.find(storage, name);
  if (!checkpoint) return false;
  try {
    await restoreTraining(new Runner(clock), checkpoint, recordFor(trainer, checkpoint, printablePath(name)), trainer);
    return true;
  } finally {
    checkpoint.close();
  }
}

/** @throws InputError unless the training can go on from this checkpoint */
function recordFor(trainer: Trainer<DocumentSource>, checkpoint: Checkpoint, name: string): TrainingRecord {
  const { model, dataset, config } = trainer;
  checkpoint.checkModel(model);
  const record = checkpoint.record();
  if (!record) throw new InputError(`${name} has weights but no training: loadModel() reads them.`);
  if (checkpoint.dtype !== model.ops.dtype)
    throw new InputError(`${name} was trained in ${checkpoint.dtype}, not in ${model.ops.dtype}.`);
  if (dataset.checksum !== undefined && record.dataset !== dataset.checksum)
    throw new InputError(`${name} was trained on another dataset than ${dataset.source}.`);
  for (const key of ["batchSize", "sampling", "holdout", "schedule"] as const) {
    // Only the schedule can be absent.
    const [wanted, found] = [config[key] ?? "linear", record.config[key] ?? "linear"];
    if (wanted !== found) throw new InputError(`${name} was trained with ${key} ${found}, not ${wanted}.`);
  }
  return record;
}

/** A model to load. */
export interface ModelFile extends CheckpointFile {
  /** The arithmetic; by default that of the file. i32 needs `ops`. */
  readonly dtype?: Dtype;
  /** The numeric kernels, instead of those in TypeScript for f32 or f64: i32Ops, or opsFor() of the place. */
  readonly ops?: Ops;
}

/**
 * Loads the weights of a checkpoint as a model of its own, to ask it or to generate with it.
 * @throws InputError (as a rejection) if there is no such file, it cannot be used, or it is in i32 and there are no `ops`
 */
export async function loadModel({ storage, name, clock, dtype, ops }: ModelFile): Promise<Model> {
  const kernels = ops ?? floatOps(dtype ?? (await dtypeOf(storage, name)));
  const options = { wanted: {}, ops: kernels, data: lowercaseVocabulary() };
  const loaded = await loadModelInSlices(new Runner(clock), storage, name, options);
  if (!loaded) throw new InputError(`${printablePath(name)} was not read to its end.`);
  return loaded.model;
}

async function dtypeOf(storage: Storage, name: string): Promise<Dtype> {
  const checkpoint = await Checkpoint.open(storage, name);
  checkpoint.close();
  return checkpoint.dtype;
}

import { InputError } from "../base/errors";
import type { Storage } from "../base/platform";
import type { Ending, Runner } from "../base/runner";
import { DEFAULT_SHARE } from "../data/own-words";
import type { DocumentSource } from "../data/document-source";
import type { Trainer } from "../training/trainer";
import { LoadingTask } from "./loading";
import type { Checkpoint } from "./reader";
import type { TrainingRecord } from "./record";
import { saveCheckpoint } from "./saving";
import { ownWordsOf } from "./stored-words";

/*
 * Saves a training in a checkpoint and restores it, bit for bit: with the same engine, ops and precision, the
 * parameters at its end are those of a run that was never interrupted.
 */

/** A training, and what its run was started with. */
export interface RunToSave {
  readonly trainer: Trainer<DocumentSource>;
  readonly seed: number;
  /** The settings of the firmware that started it. */
  readonly build?: string;
}

/**
 * Saves all that the training needs to resume. The training must not continue until the promise is settled.
 * @throws InputError (as a rejection) as saveCheckpoint does
 */
export function saveTraining(runner: Runner, storage: Storage, name: string, run: RunToSave): Promise<void> {
  const { model, adam, dataset, totalSteps } = run.trainer;
  const training = { adam, record: recordOf(run) };
  const { crc32: crc, encodeUtf8 } = dataset;
  return saveCheckpoint(runner, storage, name, { model, step: totalSteps, training, crc, encodeUtf8 });
}

/** The record of a training at this moment. */
export function recordOf({ trainer, seed, build = "" }: RunToSave): TrainingRecord {
  const { dataset, config, state } = trainer;
  const { own, checksum } = dataset;
  return {
    config,
    state,
    seed,
    dataset: checksum ?? 0,
    ownWords: own?.text ?? "",
    ownShare: own?.share ?? DEFAULT_SHARE,
    build,
  };
}

/**
 * Restores a trainer from a checkpoint of its model. Everything is checked before anything is changed.
 * @param record the checkpoint's record
 * @throws InputError (as a rejection) if the checkpoint cannot be used
 */
export async function restoreTraining(
  runner: Runner,
  checkpoint: Checkpoint,
  record: TrainingRecord,
  trainer: Trainer<DocumentSource>,
): Promise<Ending> {
  const { model, adam, dataset } = trainer;
  const own = ownWordsOf(checkpoint, record, model);
  const isLasting = dataset.checksum !== undefined;
  if (isLasting && record.state.nextName >= dataset.count)
    throw checkpoint.bad("its next_name is beyond the end of the list");
  const ending = await load(runner, new LoadingTask(checkpoint, model, adam, dataset.crc32));
  if (ending === "stopped") return ending;
  dataset.own = own;
  trainer.beginSchedule(record.config.steps, record.config.learningRate);
  trainer.restore(isLasting ? record.state : { ...record.state, nextName: 0 });
  return ending;
}

/** Reading a checkpoint has failed after a part of it had already overwritten the model. */
export class HalfLoaded extends InputError {}

/** Runs a LoadingTask. @throws HalfLoaded (as a rejection) if it has begun to fill the model, InputError before that */
export async function load(runner: Runner, task: LoadingTask): Promise<Ending> {
  try {
    return await runner.run(task);
  } catch (error) {
    if (!(error instanceof InputError) || !task.hasBegun) throw error;
    throw new HalfLoaded(`${error.message} The weights are a mixture now: load again, or reset.`);
  }
}

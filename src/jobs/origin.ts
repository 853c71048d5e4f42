import { loadModel, type ModelToLoad } from "../gpt/checkpoint/loading";
import type { Model } from "../gpt/model/model";
import { storageOf, type RunContext } from "./run-context";
import type { TrainingRecord } from "../gpt/checkpoint/record";
import type { Dataset } from "../gpt/data/dataset";
import { countOf, InputError, printablePath } from "../gpt/base/errors";
import { countWords } from "../gpt/data/own-words";
import type { Emit } from "../protocol/events";

/*
 * Which dataset the model of a checkpoint was trained on, and what that means for evaluation and generated names.
 */

/** Where a model comes from. */
export interface Origin {
  /** The name of its file in messages. */
  readonly file: string;
  /** Undefined if the file does not say how the model was trained. */
  readonly record: TrainingRecord | undefined;
}

/** Whether the model was trained on this dataset; undefined if its file does not say. */
export function isOwnList({ record }: Origin, dataset: Dataset): boolean | undefined {
  return record ? record.dataset === dataset.checksum : undefined;
}

/**
 * The holdout to measure, in percent of the names; 0 for all. Emits remarks on what that means.
 * @param wanted the holdout that was given
 * @param takesAny whether it may differ from that of the training, on the dataset of the training
 * @throws InputError if it differs and may not
 */
export function holdoutToMeasure(
  origin: Origin,
  dataset: Dataset,
  wanted: number | undefined,
  takesAny: boolean,
  emit: Emit,
): number {
  const { file, record } = origin;
  const { source } = dataset;
  const remark = (message: string): void => emit({ type: "remark", message });
  if (!record) {
    remark(`${file} does not say what it was trained on: it may know names of ${source}.`);
    return wanted ?? 0;
  }
  if (!isOwnList(origin, dataset)) {
    const measured = wanted ? `${wanted} percent are` : "all are";
    remark(
      `${file} was trained on another list than ${source}, of whose names ${measured} measured: give its own list ` +
        `with --data.`,
    );
    return wanted ?? 0;
  }
  const { holdout } = record.config;
  const percent = wanted ?? holdout;
  if (percent > 0 && percent !== holdout && !takesAny)
    throw new InputError(
      `${file} was trained on this list with --holdout ${holdout}: --holdout ${percent} would not measure the same ` +
        `names. Leave it out, or add --any-holdout.`,
    );
  if (percent === 0 && holdout === 0) remark(`All names are measured, and ${file} was trained on all of them.`);
  else if (percent === 0)
    remark(
      `All names are measured, and ${file} was trained on most of them: --holdout ${holdout} measures only the others.`,
    );
  else if (percent > holdout)
    remark(`${file} was trained with --holdout ${holdout}: it was trained on some of the names that are measured.`);
  else if (wanted === undefined)
    remark(`Only names that ${file} was not trained on are measured: --holdout ${holdout}.`);
  const words = countWords(record.ownWords);
  if (words > 0)
    remark(
      `${file} was trained on ${countOf(words, "word")} of your own as well, which ${words === 1 ? "is" : "are"} not measured.`,
    );
  return percent;
}

/** A model, and where it comes from. */
export interface ModelOfFile {
  readonly model: Model;
  readonly origin: Origin;
}

/**
 * The model of a checkpoint; undefined if the runner was stopped. Emits a remark if the file has other tensors. For
 * the rest see loadModel.
 */
export async function loadForJob(
  { platform, runner, emit }: RunContext,
  file: string,
  toLoad: ModelToLoad,
): Promise<ModelOfFile | undefined> {
  const loaded = await loadModel(runner, storageOf(platform), file, toLoad);
  if (!loaded) return undefined;
  const { model, dtype, record, passedOver } = loaded;
  const name = printablePath(file);
  const { dtype: wanted } = model.ops;
  if (dtype !== wanted && [dtype, wanted].includes("i32"))
    emit({ type: "remark", message: `${name} holds ${dtype} weights, which are converted to ${wanted}.` });
  if (passedOver.length > 0)
    emit({
      type: "remark",
      message: `${name} has other tensors, which are passed over: ${passedOver.join(", ")}.`,
    });
  return { model, origin: { file: name, record } };
}

import { loadModel, type ModelToLoad } from "../gpt/checkpoint/loading";
import type { Model } from "../gpt/model/model";
import { storageOf, type RunContext } from "./run-context";
import type { TrainingRecord } from "../gpt/checkpoint/record";
import type { Dataset } from "../gpt/data/dataset";
import { countOf, InputError, printablePath } from "../gpt/base/errors";
import { countWords } from "../gpt/data/own-words";
import type { Emit } from "../protocol/events";

/*
 * What a checkpoint says of the list that its model was trained on, and what follows for names of a list.
 */

/** Where a model comes from. */
export interface Origin {
  /** What messages call its file. */
  readonly file: string;
  /** Undefined where the file does not say how it was trained. */
  readonly record: TrainingRecord | undefined;
}

/** Whether a dataset is the list that the model was trained on; undefined where its file does not say. */
export function isOwnList({ record }: Origin, dataset: Dataset): boolean | undefined {
  return record ? record.dataset === dataset.checksum : undefined;
}

/**
 * The percentage of names that are to be measured as held out, 0 for all, and tells what that means.
 * @param wanted the percentage that was asked for
 * @param takesAny whether it may be another than that of the training, on the list of the training
 * @throws InputError when it may not
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
    remark(`${file} does not say what it was trained on: it may have learnt names of ${source}.`);
    return wanted ?? 0;
  }
  if (!isOwnList(origin, dataset)) {
    const measured = wanted ? `${wanted} percent are` : "all are";
    remark(
      `${file} was trained on another list than ${source}, of whose names ${measured} measured; its own list is to be ` +
        `named with --data.`,
    );
    return wanted ?? 0;
  }
  const { holdout } = record.config;
  const percent = wanted ?? holdout;
  if (percent > 0 && percent !== holdout && !takesAny)
    throw new InputError(
      `${file} was trained on this list with --holdout ${holdout}: --holdout ${percent} would measure other names than ` +
        `those that it has not seen. Leave it out, or say --any-holdout.`,
    );
  if (percent === 0 && holdout === 0) remark(`All names are measured, and ${file} was trained on all of them.`);
  else if (percent === 0)
    remark(
      `All names are measured, and ${file} was trained on most of them: --holdout ${holdout} measures the others alone.`,
    );
  else if (percent > holdout)
    remark(`${file} was trained with --holdout ${holdout}: it was trained on some of the names that are measured.`);
  else if (wanted === undefined)
    remark(`The names are measured that ${file} was not trained on: --holdout ${holdout}.`);
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
 * The model of a checkpoint, with a remark where the file has tensors of others; undefined when the runner
 * was told to stop. For the rest see loadModel.
 */
export async function loadForJob(
  { platform, runner, emit }: RunContext,
  file: string,
  toLoad: ModelToLoad,
): Promise<ModelOfFile | undefined> {
  const loaded = await loadModel(runner, storageOf(platform), file, toLoad);
  if (!loaded) return undefined;
  const { model, record, passedOver } = loaded;
  const name = printablePath(file);
  if (passedOver.length > 0)
    emit({
      type: "remark",
      message: `${name} has tensors of others, which are passed over: ${passedOver.join(", ")}.`,
    });
  return { model, origin: { file: name, record } };
}

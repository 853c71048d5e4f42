import { checkInteger } from "../gpt/base/errors";
import { checkSamplingLimits, checkSetting, PRESETS, samplingLimits, type SamplingLimits } from "../gpt/model/config";
import { SampleStatistics, MAX_WRITTEN } from "./sample-statistics";
import type { Dataset } from "../gpt/data/dataset";
import { EvaluationTask } from "../gpt/training/evaluation";
import type { Emit } from "../protocol/events";
import type { Ending, Runner } from "../gpt/base/runner";
import { bindDataset } from "../gpt/training/document-length";
import { Generator } from "../gpt/model/generate";
import { Holdout } from "../gpt/training/holdout";
import { holdoutToMeasure, isOwnList, type ModelOfFile } from "./origin";
import { Random } from "../gpt/model/random";

/** What to measure of a model. */
export interface Measures extends Partial<SamplingLimits> {
  /**
   * Percentage of the names that a training held out, to measure only these; 0 for all names. By default that of the
   * model's training, if it was on this dataset.
   */
  readonly holdout?: number;
  /** Whether the holdout may differ from that of the training. */
  readonly takesAnyHoldout?: boolean;
  /** Names to generate and compare with the dataset, their temperature (by default the preset's), and the seed. */
  readonly samples: number;
  readonly temperature?: number;
  readonly seed: number;
}

/** Names between two progress events. */
const PROGRESS_NAMES = 100;

/**
 * Measures a model, and emits one event with the result at the end.
 * @throws InputError (as a rejection) for invalid measures, or if there is no name to measure
 */
export async function evaluate(
  { model, origin }: ModelOfFile,
  dataset: Dataset,
  measures: Measures,
  runner: Runner,
  emit: Emit,
): Promise<Ending> {
  const { samples, seed } = measures;
  const temperature = measures.temperature ?? PRESETS[model.config.preset].temperature;
  checkSetting("holdout", measures.holdout ?? 0);
  checkInteger("samples", samples, 0, MAX_WRITTEN);
  checkSetting("temperature", temperature);
  const limits = samplingLimits(measures);
  checkSamplingLimits(limits);
  const generator = new Generator(model, new Random(seed));
  bindDataset(model, dataset);
  const percent = holdoutToMeasure(origin, dataset, measures.holdout, measures.takesAnyHoldout ?? false, emit);
  const holdout = percent > 0 ? new Holdout(dataset, percent) : undefined;
  const evaluation = new EvaluationTask(model, dataset, undefined, holdout);
  const comparison = samples > 0 ? new SampleStatistics(model, dataset, samples, temperature, limits) : undefined;

  const total = evaluation.total + (comparison ? samples + dataset.count : 0);
  let done = 0;
  const run = (work: () => boolean): Promise<Ending> =>
    runner.run({
      work() {
        const isUnfinished = work();
        done++;
        if (done % PROGRESS_NAMES === 0 || done === total) emit({ type: "progress", done, total });
        return isUnfinished;
      },
    });
  if ((await run(() => evaluation.work())) === "stopped") return "stopped";
  const { result } = evaluation;
  if (comparison) {
    const write = (): boolean => {
      generator.name(temperature, "", limits);
      return comparison.add(generator.tokens, generator.letters);
    };
    if ((await run(write)) === "stopped" || (await run(() => comparison.work())) === "stopped") return "stopped";
  }
  const isOfAnotherList = isOwnList(origin, dataset) === false;
  emit({
    ...result,
    ...(comparison && { written: comparison.result }),
    ...(isOfAnotherList && { isOfAnotherList }),
  });
  return "done";
}

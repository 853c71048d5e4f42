import { checkHoldout, checkInteger, checkTemperature, PRESETS } from "../config";
import { Comparison, MOST_WRITTEN } from "./comparison";
import type { Dataset } from "../data/dataset";
import { Evaluation } from "./evaluation";
import type { Ending, Tell } from "./events";
import { fit } from "../data/fitting";
import { Generator } from "../model/generate";
import { Holdout } from "../data/holdout";
import type { Model } from "../model/model";
import { Random } from "../model/random";
import type { Runner } from "./runner";

/** What to measure of a model. */
export interface Measures {
  /** Percent of the names that a training kept for validation, to measure these alone; 0 for all names. */
  readonly holdout: number;
  /** Names to write and compare with the dataset, their temperature (the preset's unless given), and the seed. */
  readonly samples: number;
  readonly temperature?: number;
  readonly seed: number;
}

/** Names between two events of progress. */
const PROGRESS_NAMES = 100;

/**
 * Measures a model, and tells it in one event when all is done.
 * @throws InputError (as a rejection) for measures that make no sense, or when there is no name to measure
 */
export async function evaluate(
  model: Model,
  dataset: Dataset,
  measures: Measures,
  runner: Runner,
  tell: Tell,
): Promise<Ending> {
  const { holdout: percent, samples, seed } = measures;
  const temperature = measures.temperature ?? PRESETS[model.config.preset].temperature;
  checkHoldout(percent);
  checkInteger("samples", samples, 0, MOST_WRITTEN);
  checkTemperature(temperature);
  const generator = new Generator(model, new Random(seed));
  fit(model, dataset);
  const holdout = percent > 0 ? new Holdout(dataset, percent) : undefined;
  const evaluation = new Evaluation(model, dataset, undefined, holdout);
  const comparison = samples > 0 ? new Comparison(model, dataset, samples, temperature) : undefined;

  const total = evaluation.total + (comparison ? samples + dataset.count : 0);
  let done = 0;
  const run = (work: () => boolean): Promise<Ending> =>
    runner.run({
      work() {
        const isUnfinished = work();
        done++;
        if (done % PROGRESS_NAMES === 0 || done === total) tell({ type: "progress", done, total });
        return isUnfinished;
      },
    });
  if ((await run(() => evaluation.work())) === "stopped") return "stopped";
  const { result } = evaluation;
  if (comparison) {
    const write = (): boolean => {
      generator.name(temperature);
      return comparison.add(generator.tokens, generator.letters);
    };
    if ((await run(write)) === "stopped" || (await run(() => comparison.work())) === "stopped") return "stopped";
  }
  tell({ ...result, ...(comparison && { written: comparison.result }) });
  return "done";
}

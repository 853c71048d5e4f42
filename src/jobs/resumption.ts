import type { TrainingRecord } from "../gpt/checkpoint/record";
import { type PresetName, type TrainingConfig, trainingConfig } from "../gpt/model/config";
import { InputError } from "../gpt/base/errors";
import type { Dtype } from "../gpt/model/ops";

/*
 * What a training that is resumed has in common with what was asked for.
 */

/** What was asked for, see TrainJob. */
interface WantedTraining {
  readonly dtype: Dtype;
  readonly training: Partial<TrainingConfig>;
  readonly trainNames?: number;
  readonly seed?: number;
}

export function isOver({ config, state }: TrainingRecord): boolean {
  return state.stepsDone === config.steps;
}

/** What is to be said of a training that is over. */
export function trainedAlready({ config: { steps }, state }: TrainingRecord): string {
  return `trained already, ${state.totalSteps} steps: --steps N, with N above ${steps}, goes on for N more`;
}

/**
 * The schedule that a training begins which is over, and whose options ask for more steps than it had: as many as they
 * say, with a learning rate of its own where one was given to it, or is now.
 */
export function nextSchedule(
  { training, trainNames }: WantedTraining,
  record: TrainingRecord,
  preset: PresetName,
): TrainingConfig | undefined {
  const { steps, batchSize, learningRate } = record.config;
  const wanted = training.steps ?? Math.ceil((trainNames ?? 0) / batchSize);
  if (!isOver(record) || wanted <= steps) return undefined;
  const isUsual = learningRate === trainingConfig(preset, { steps, batchSize }).learningRate;
  return trainingConfig(preset, { ...(isUsual ? {} : { learningRate }), ...training, steps: wanted, batchSize });
}

/**
 * @param isNext whether another schedule begins
 * @throws InputError that names the first option that says something else than the file
 */
export function checkAgreement(
  file: string,
  wanted: WantedTraining,
  record: TrainingRecord,
  dtype: Dtype,
  isNext: boolean,
): void {
  const { config, seed } = record;
  const { batchSize, sampling, holdout } = wanted.training;
  const { steps, learningRate } = isNext ? config : wanted.training;
  const names = isNext ? undefined : wanted.trainNames;
  const pairs: readonly [string, unknown, unknown][] = [
    ["dtype", wanted.dtype, dtype],
    ["steps", steps, config.steps],
    ["train-names", names === undefined ? names : Math.ceil(names / config.batchSize), config.steps],
    ["batch-size", batchSize, config.batchSize],
    ["learning-rate", learningRate, config.learningRate],
    ["sampling", sampling, config.sampling],
    ["holdout", holdout, config.holdout],
    ["seed", wanted.seed, seed],
  ];
  for (const [option, value, found] of pairs) {
    if (value === undefined || value === found) continue;
    const shown = option === "train-names" ? `${config.steps * config.batchSize} names` : `${option} ${String(found)}`;
    const advice = option === "steps" && isOver(record) ? ` It is ${trainedAlready(record)}.` : "";
    throw new InputError(
      `${file} was trained with ${shown}, which --${option} contradicts: leave it out, or begin anew without --resume.` +
        advice,
    );
  }
}

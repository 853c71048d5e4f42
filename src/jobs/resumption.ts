import type { TrainingRecord } from "../gpt/checkpoint/record";
import { type PresetName, type TrainingConfig, trainingConfig } from "../gpt/model/config";
import type { ElementaryFunctions } from "../gpt/base/elementary";
import { InputError } from "../gpt/base/errors";
import type { Dtype } from "../gpt/model/ops";

/*
 * Compares a training to resume with the options that were given.
 */

/** The options that were given: see TrainJob. */
interface WantedTraining {
  readonly dtype: Dtype;
  readonly training: Partial<TrainingConfig>;
  readonly trainNames?: number;
  readonly seed?: number;
}

/** Whether all steps of its schedule are done. */
export function isOver({ config, state }: TrainingRecord): boolean {
  return state.stepsDone === config.steps;
}

/** The end of a sentence about a training that is over. */
export function trainedAlready({ config: { steps }, state }: TrainingRecord): string {
  return `trained already, ${state.totalSteps} steps: --steps N, with N above ${steps}, trains N more`;
}

/**
 * The next schedule of a training that is over, if the options have more steps than it had: that number of steps, with
 * the learning rate that is given now or, if it was not the preset's, that of the training. Else undefined.
 */
export function nextSchedule(
  { training, trainNames }: WantedTraining,
  record: TrainingRecord,
  preset: PresetName,
  functions: ElementaryFunctions,
): TrainingConfig | undefined {
  const { steps, batchSize, learningRate } = record.config;
  const wanted = training.steps ?? Math.ceil((trainNames ?? 0) / batchSize);
  if (!isOver(record) || wanted <= steps) return undefined;
  const isUsual = learningRate === trainingConfig(preset, { steps, batchSize }, undefined, functions).learningRate;
  const next = { ...(isUsual ? {} : { learningRate }), ...training, steps: wanted, batchSize };
  return trainingConfig(preset, next, undefined, functions);
}

/**
 * Checks that no option contradicts the checkpoint.
 * @param isNext whether another schedule begins
 * @throws InputError for the first option that does
 */
export function checkAgreement(
  file: string,
  wanted: WantedTraining,
  record: TrainingRecord,
  dtype: Dtype,
  isNext: boolean,
): void {
  const { config, seed } = record;
  const { batchSize, sampling, holdout, moments } = wanted.training;
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
    // Other numbers than f32 have but one way, so the option says nothing about them.
    ["moments", dtype === "f32" ? moments : undefined, config.moments],
    ["seed", wanted.seed, seed],
  ];
  for (const [option, value, found] of pairs) {
    if (value === undefined || value === found) continue;
    const shown = option === "train-names" ? `${config.steps * config.batchSize} names` : `${option} ${String(found)}`;
    const advice = option === "steps" && isOver(record) ? ` It is ${trainedAlready(record)}.` : "";
    throw new InputError(
      `${file} was trained with ${shown}, which --${option} contradicts: leave it out, or start over without --resume.` +
        advice,
    );
  }
}

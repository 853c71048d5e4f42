import { log as portableLog } from "../base/elementary";
import { type ModelConfig, PRESETS, type TrainingConfig } from "../model/config";
import { InputError } from "../base/errors";
import type { Ops } from "../model/ops";

/*
 * Trainings that fail: the loss is not finite, or stays above that of guessing blindly, ln V for V tokens.
 */

/** What is needed here of a trainer. */
interface Trained {
  readonly stepsDone: number;
  readonly config: TrainingConfig;
  /** Of the last step. */
  readonly learningRate: number;
  readonly model: { readonly config: ModelConfig; readonly ops: Pick<Ops, "dtype" | "functions"> };
}

/** A model is not learning if its smoothed loss is above ln V by more than this, in nats a token, */
export const BLIND_MARGIN = 0.05;
/** for this many consecutive updates. */
export const MAX_BLIND_UPDATES = 200;

/** The error for a step whose loss is not finite or, in i32, that has moved a weight out of its range. */
export function divergence(step: number, { config, learningRate, model }: Trained): InputError {
  const isInteger = model.ops.dtype === "i32";
  const what = isInteger
    ? `Training has diverged: step ${step} has moved a weight out of the range of i32, -13 to 13.`
    : `Training has diverged: the loss of step ${step} is not a finite number.`;
  return new InputError(
    step === 0 && !isInteger
      ? `${what} The weights to start from are too large; nothing has been learnt from them yet.`
      : `${what} Try a learning rate below ${config.learningRate} (it was ${learningRate.toPrecision(3)} there).`,
  );
}

/** A sentence for a training whose smoothed loss is above that of guessing blindly. */
export function notLearning(trainer: Trained, smoothed: number): string {
  const tokens = trainer.model.config.vocabularySize;
  return (
    `The model is not learning: after ${trainer.stepsDone} steps its smoothed loss is ${smoothed.toFixed(2)}, ` +
    `and guessing blindly among ${tokens} tokens gives ${portableLog(tokens).toFixed(2)}. ${advice(trainer)}`
  );
}

/** A sentence for the end of a training that was not learning for some time. */
export function hadNotLearnt(trainer: Trained, smoothed: number): string {
  return (
    `For ${MAX_BLIND_UPDATES} steps or more the model was worse than guessing blindly; ` +
    `at the end its smoothed loss is ${smoothed.toFixed(2)}. ${advice(trainer)}`
  );
}

function advice({ model, config }: Trained): string {
  const { learningRate: rate, steps, batchSize } = config;
  const usual = PRESETS[model.config.preset].learningRate(steps * batchSize, model.ops.functions);
  // A rate that is no higher than usual is too high for this model, unless it hardly moves the weights.
  const better = rate > usual || rate < usual / 100 ? usual : rate / 10;
  return `Restart with a learning rate of ${Number(better.toPrecision(2))} (it was ${rate}).`;
}

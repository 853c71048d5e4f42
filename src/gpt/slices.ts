import { bindDataset } from "./training/document-length";
import { EvaluationTask } from "./training/evaluation";
import type { EmitWork, EvaluatedEvent, StepEvent } from "./training/events";
import type { Holdout } from "./training/holdout";
import { TrainingTask } from "./training/training";
import type { Trainer } from "./training/trainer";
import type { Clock } from "./base/platform";
import { type Ending, Runner, type Task } from "./base/runner";
import { SETTINGS } from "./base/settings";
import type { DocumentSource } from "./data/document-source";
import { checkSetting } from "./model/config";
import type { Model } from "./model/model";

/*
 * Long work, in slices of 50 ms: between two of them the event loop has its turn. The longest that it is kept waiting is
 * a slice and one document.
 */

/** How long work is run. */
export interface SliceOptions {
  /** The time, and a turn of the event loop: the library has no timer of its own. */
  readonly clock: Clock;
  /** Looked at before each document: the work stops when it is aborted. An AbortSignal is one. */
  readonly signal?: { readonly aborted: boolean };
}

export interface TrainOptions extends SliceOptions {
  /** Called after each step, with one object that is reused: copy what you keep. */
  readonly onStep?: (step: StepEvent) => void;
  /** Called with a sentence for the user if the model is not learning, or learns only its documents by heart. */
  readonly onRemark?: (message: string) => void;
  /** Steps between two validation losses, if the training has a holdout; 100 by default. */
  readonly validateEvery?: number;
}

/**
 * Trains to the end of the schedule, or until it is aborted: a schedule "restart" or "constant" has no end. Then it can
 * be called again, and the training goes on as if it had not been interrupted. A step allocates nothing.
 * @returns "done", or "stopped" if it was aborted
 * @throws InputError (as a rejection) if the training has diverged, or for an invalid validateEvery
 */
export async function train(trainer: Trainer<DocumentSource>, options: TrainOptions): Promise<Ending> {
  const { onStep, onRemark, validateEvery = SETTINGS.log_every.default } = options;
  checkSetting("log_every", validateEvery, "validateEvery");
  const emit: EmitWork = (event) => {
    if (event.type === "step") onStep?.(event);
    else if (event.type === "remark") onRemark?.(event.message);
  };
  for (;;) {
    if (trainer.isOver) return "done";
    if (trainer.stepsDone >= trainer.config.steps) trainer.repeatSchedule();
    const training = new TrainingTask(trainer, validateEvery, onStep ? 0 : Infinity, emit);
    const ending = await runInSlices(training, options);
    const { complaint } = training;
    if (complaint !== undefined) onRemark?.(complaint);
    if (ending === "stopped") return ending;
  }
}

/** How well a model predicts the documents of a dataset. */
export type Evaluation = Pick<
  EvaluatedEvent,
  "loss" | "names" | "passedOver" | "tokens" | "natsPerToken" | "bitsPerCharacter"
>;

export interface EvaluateOptions extends SliceOptions {
  /** To measure only the documents that a training holds out: `trainer.holdout`. */
  readonly holdout?: Holdout | undefined;
}

/**
 * Measures the loss of each document, without training. The dataset uses the model's vocabulary from then on.
 * @returns undefined if it was aborted
 * @throws InputError (as a rejection) if the dataset has a character that the model does not know, if no document fits,
 * or if a loss is not finite
 */
export async function evaluate(
  model: Model,
  dataset: DocumentSource,
  options: EvaluateOptions,
): Promise<Evaluation | undefined> {
  bindDataset(model, dataset);
  const evaluation = new EvaluationTask(model, dataset, undefined, options.holdout);
  return (await runInSlices(evaluation, options)) === "stopped" ? undefined : evaluation.result;
}

async function runInSlices(task: Task, { clock, signal }: SliceOptions): Promise<Ending> {
  let ending: Ending = "done";
  await new Runner(clock).run({
    work(now) {
      if (!signal?.aborted) return task.work(now);
      ending = "stopped";
      return false;
    },
  });
  return ending;
}

import { log as portableLog } from "../base/elementary";
import { isLowercaseAscii } from "../data/vocabulary";
import { EvaluationTask } from "./evaluation";
import type { Loss, StartEvent, StepEvent, EmitWork, TrainedEvent } from "./events";
import { LowestLoss } from "./lowest-loss";
import { BLIND_MARGIN, divergence, hadNotLearnt, MAX_BLIND_UPDATES, notLearning } from "./not-learning";
import type { Platform } from "../base/platform";
import type { Task } from "../base/runner";
import type { DocumentSource } from "../data/document-source";
import type { Trainer } from "./trainer";

/** Weight of a new update's loss in the smoothed loss. */
const SMOOTHING = 1 / 100;

/** Trains, one document per unit of work, and measures the validation loss, one likewise, for each line of the log. */
export class TrainingTask implements Task {
  /** Whether the last step is done. */
  isOver: boolean;
  /** When to yield, in milliseconds of the clock: work() then returns false, and resumes when the task is run again. */
  yieldAt = Infinity;
  private readonly event: StepEvent;
  private readonly validation: EvaluationTask | undefined;
  private isValidating = false;
  /** The lowest validation loss. A resumed training starts without one, unless it is set. */
  readonly lowest: LowestLoss;
  /** Whether to yield after a validation loss that is the lowest so far. */
  yieldsAtLowest = false;
  /** The numbers of the last step, and of the next one with a line in the log. */
  private readonly last: number;
  private logAt = 0;
  /** When to emit the next step; of the steps since the last event: the sum of their losses, and their number. */
  private emitAt = 0;
  private sum = 0;
  private count = 0;
  private isSumming = false;
  /**
   * Exponential moving average of the loss, smoothed += (loss - smoothed) / 100, starting at ln V. Above `limit`,
   * ln V + 0.05, the model is worse than guessing blindly. A resumed training starts it again.
   */
  private smoothed: number;
  private readonly limit: number;
  /** Consecutive updates above the limit, the step of the last of them, and whether they have ever been 200. */
  private above = 0;
  private aboveAt = -1;
  private wasBlind = false;
  /** Steps done before this run, and steps of this run without an update. */
  private readonly from: number;
  private passedOver = 0;

  /**
   * @param logEvery steps between two lines of the log, which has one for the last step as well
   * @param emitEvery milliseconds between events of other steps: 0 emits all of them, Infinity none
   */
  constructor(
    private readonly trainer: Trainer<DocumentSource>,
    private logEvery: number,
    private emitEvery: number,
    private readonly emit: EmitWork,
  ) {
    const { model, dataset, holdout, config, stepsDone } = trainer;
    if (holdout && holdout.sample.length > 0) this.validation = new EvaluationTask(model, dataset, holdout.sample);
    this.lowest = new LowestLoss(config.steps);
    this.setEmitEvery(emitEvery);
    this.last = config.steps - 1;
    this.isOver = stepsDone > this.last;
    this.setLogEvery(logEvery);
    this.from = stepsDone;
    this.smoothed = portableLog(model.config.vocabularySize);
    this.limit = this.smoothed + BLIND_MARGIN;
    this.event = {
      type: "step",
      step: 0,
      steps: config.steps,
      loss: 0,
      learningRate: 0,
      name: 0,
      isLogged: false,
      validationLoss: undefined,
      mean: undefined,
    };
  }

  /** See the constructor. */
  setLogEvery(steps: number): void {
    this.logEvery = steps;
    this.logAt = Math.min(Math.ceil(this.trainer.stepsDone / steps) * steps, this.last);
  }

  /** See the constructor. */
  setEmitEvery(milliseconds: number): void {
    this.emitEvery = milliseconds;
    this.emitAt = milliseconds === Infinity ? Infinity : -Infinity;
    this.isSumming = milliseconds > 0 && milliseconds < Infinity;
    this.sum = this.count = 0;
  }

  /** Whether neither a batch nor a measurement is unfinished. */
  get isBetweenSteps(): boolean {
    return !this.isValidating && this.trainer.isBetweenBatches;
  }

  /**
   * A sentence for the end of a run in which the model has not learned: the smoothed loss is above ln V + 0.05 after
   * 200 updates or more, or was for 200 consecutive updates. Else undefined.
   */
  get complaint(): string | undefined {
    const { trainer, smoothed } = this;
    const updates = trainer.stepsDone - this.from - this.passedOver;
    if (smoothed > this.limit && updates >= MAX_BLIND_UPDATES) return notLearning(trainer, smoothed);
    return this.wasBlind ? hadNotLearnt(trainer, smoothed) : undefined;
  }

  /** Whether the validation loss is being measured, for a step that is done but not emitted yet. */
  get isMeasuring(): boolean {
    return this.isValidating;
  }

  /** Yields after the current unit of work. */
  requestYield(): void {
    this.yieldAt = -Infinity;
  }

  /** @throws InputError if the training has diverged */
  work(now: number): boolean {
    if (this.isValidating) return this.after(this.validate(), now);
    const trainer = this.trainer;
    const step = trainer.stepsDone;
    const loss = trainer.trainDocument();
    if (loss !== undefined) {
      if (typeof loss === "number") {
        let smoothed = this.smoothed;
        smoothed += (loss - smoothed) * SMOOTHING;
        this.smoothed = smoothed;
        if (smoothed > this.limit) this.countAbove(step);
      } else if (loss === "diverged") throw divergence(step, trainer);
      else this.passOver(step);
      if (step >= this.logAt || now >= this.emitAt) return this.after(this.report(now, step, loss), now);
      if (this.isSumming) this.sumUp(loss);
    }
    return now < this.yieldAt || this.after(true, now);
  }

  /** The result of work(): whether to continue at once. @param isMore whether there is more to do */
  private after(isMore: boolean, now: number): boolean {
    // The last step is emitted before a yield: after a power cut there is no step left that would emit it.
    const isLastTold = !this.isValidating || this.trainer.stepsDone <= this.last;
    if (!isMore) this.isOver = true;
    else if (now < this.yieldAt || !isLastTold) return true;
    this.yieldAt = Infinity;
    return false;
  }

  private passOver(step: number): void {
    this.passedOver++;
    if (this.aboveAt === step - 1) this.aboveAt = step;
  }

  private countAbove(step: number): void {
    if (this.aboveAt !== step - 1) this.above = 0;
    this.aboveAt = step;
    if (++this.above < MAX_BLIND_UPDATES || this.wasBlind) return;
    this.wasBlind = true;
    this.emit({ type: "remark", message: notLearning(this.trainer, this.smoothed) });
  }

  private sumUp(loss: Loss): void {
    if (typeof loss !== "number") return;
    this.sum += loss;
    this.count++;
  }

  private report(now: number, step: number, loss: Loss): boolean {
    const { event, trainer, validation } = this;
    if (this.isSumming) this.sumUp(loss);
    const { count } = this;
    event.step = step;
    event.loss = loss;
    event.learningRate = trainer.learningRate;
    event.name = trainer.documentIndex;
    event.isLogged = step >= this.logAt;
    event.mean = count > 0 ? this.sum / count : undefined;
    this.sum = this.count = 0;
    this.emitAt = now + this.emitEvery;
    if (event.isLogged) {
      this.setLogEvery(this.logEvery);
      if (validation) return this.beginValidation(validation);
    }
    this.emit(event);
    return step < this.last;
  }

  private beginValidation(validation: EvaluationTask): boolean {
    validation.reset();
    this.isValidating = true;
    return true;
  }

  private takeValidation(step: number, loss: number): void {
    const { lowest } = this;
    if (lowest.take(step, loss)) {
      if (this.yieldsAtLowest) this.requestYield();
      return;
    }
    const message = lowest.complaint(step);
    if (message !== undefined) this.emit({ type: "remark", message });
  }

  private validate(): boolean {
    const { validation, event, emit } = this;
    if (validation?.work()) return true;
    this.isValidating = false;
    const loss = validation?.loss;
    event.validationLoss = loss;
    emit(event);
    event.validationLoss = undefined;
    if (loss !== undefined) this.takeValidation(event.step, loss);
    return event.step < this.last;
  }
}

/** Emits the end of a training, and a remark if the model has not learned. */
export function emitTrained({ complaint }: TrainingTask, event: TrainedEvent, emit: EmitWork): void {
  emit(complaint === undefined ? event : { ...event, isLearning: false });
  if (complaint !== undefined) emit({ type: "remark", message: complaint });
}

/** The event for a training that begins or resumes. */
export function startOf({ model, dataset, config, stepsDone }: Trainer, { place }: Platform): StartEvent {
  return {
    type: "start",
    place,
    ops: model.ops.name,
    ...(model.ops.dtype === "i32" && { dtype: model.ops.dtype }),
    parameters: model.parameters.length,
    nHead: model.config.nHead,
    nEmbd: model.config.nEmbd,
    names: dataset.count,
    ...(isLowercaseAscii(model.vocabulary) ? {} : { characters: model.vocabulary.size - 1 }),
    steps: config.steps,
    batchSize: config.batchSize,
    ...(stepsDone > 0 && { from: stepsDone }),
  };
}

import { InputError } from "../errors";
import { Evaluation } from "./evaluation";
import type { Loss } from "../model/loss";
import type { StepEvent, Tell } from "./events";
import type { Task } from "./runner";
import type { Trainer } from "../model/trainer";

/** Trains, a name a bit, and measures the names held out where the log has a line, a name a bit. */
export class Training implements Task {
  /** Whether the last step is done. */
  isOver: boolean;
  /** When to rest: run() ends then, and goes on when the task is run again. Milliseconds of the clock. */
  restAt = Infinity;
  private readonly event: StepEvent;
  private readonly validation: Evaluation | undefined;
  private isValidating = false;
  /** The number of the last step. */
  private readonly last: number;
  /** When to tell of a step again; of those since the last: the sum of the losses, and how many. */
  private tellAt = 0;
  private sum = 0;
  private count = 0;
  private isSumming = false;

  /**
   * @param logEvery the log has a line every so many steps, and one for the last
   * @param tellEvery whether to tell others as well: 0 all of them, else one whenever so many milliseconds are over
   */
  constructor(
    private readonly trainer: Trainer,
    public logEvery: number,
    private tellEvery: number,
    private readonly tell: Tell,
  ) {
    const { model, dataset, holdout, config, stepsDone } = trainer;
    if (holdout) this.validation = new Evaluation(model, dataset, holdout.sample);
    this.setTellEvery(tellEvery);
    this.last = config.steps - 1;
    this.isOver = stepsDone > this.last;
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
  setTellEvery(milliseconds: number): void {
    this.tellEvery = milliseconds;
    this.tellAt = milliseconds === Infinity ? Infinity : -Infinity;
    this.isSumming = milliseconds > 0 && milliseconds < Infinity;
    this.sum = this.count = 0;
  }

  /** Whether nothing is begun: neither a batch nor a measurement. */
  get isBetweenSteps(): boolean {
    return !this.isValidating && this.trainer.isBetweenBatches;
  }

  /** Rests after the bit under way. */
  rest(): void {
    this.restAt = -Infinity;
  }

  /** @throws InputError when the training has diverged */
  work(now: number): boolean {
    if (this.isValidating) return this.after(this.validate(), now);
    const trainer = this.trainer;
    const step = trainer.stepsDone;
    const isLast = step >= this.last;
    const loss = trainer.name();
    if (loss !== undefined) {
      if (loss === "diverged") throw divergence(step, trainer);
      const isLogged = step % this.logEvery === 0 || isLast;
      if (isLogged || now >= this.tellAt) return this.after(this.report(now, step, loss, isLogged), now);
      if (this.isSumming) this.sumUp(loss);
    }
    return now < this.restAt || this.after(true, now);
  }

  /** Whether to go on at once, when there is more to do or not. */
  private after(isMore: boolean, now: number): boolean {
    // The last step is told before a rest: whoever goes on after a power cut has no step left to tell.
    const isLastTold = !this.isValidating || this.trainer.stepsDone <= this.last;
    if (!isMore) this.isOver = true;
    else if (now < this.restAt || !isLastTold) return true;
    this.restAt = Infinity;
    return false;
  }

  private sumUp(loss: Loss): void {
    if (typeof loss !== "number") return;
    this.sum += loss;
    this.count++;
  }

  private report(now: number, step: number, loss: Loss, isLogged: boolean): boolean {
    const { event, trainer, validation } = this;
    if (this.isSumming) this.sumUp(loss);
    const { count } = this;
    event.step = step;
    event.loss = loss;
    event.learningRate = trainer.learningRate;
    event.name = trainer.nameIndex;
    event.isLogged = isLogged;
    event.mean = count > 0 ? this.sum / count : undefined;
    this.sum = this.count = 0;
    this.tellAt = now + this.tellEvery;
    if (isLogged && validation) return this.beginValidation(validation);
    this.tell(event);
    return step < this.last;
  }

  private beginValidation(validation: Evaluation): boolean {
    validation.reset();
    this.isValidating = true;
    return true;
  }

  private validate(): boolean {
    const { validation, event, tell } = this;
    if (validation?.work()) return true;
    this.isValidating = false;
    event.validationLoss = validation?.loss;
    tell(event);
    event.validationLoss = undefined;
    return event.step < this.last;
  }
}

function divergence(step: number, { config, learningRate }: Trainer): InputError {
  const what = `Training has diverged: the loss of step ${step} is not a finite number.`;
  return new InputError(
    step === 0
      ? `${what} The weights to start from are too large; nothing has been learnt from them yet.`
      : `${what} Try a learning rate below ${config.learningRate} (it was ${learningRate.toPrecision(3)} there).`,
  );
}

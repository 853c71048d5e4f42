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
    if (tellEvery === Infinity) this.tellAt = Infinity;
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
    this.tellAt = milliseconds === Infinity ? Infinity : 0;
    this.sum = this.count = 0;
  }

  /** Rests after the bit under way. */
  rest(): void {
    this.restAt = -Infinity;
  }

  /** @throws InputError when the training has diverged */
  work(now: number): boolean {
    const isMore = this.isValidating ? this.validate() : this.train(now);
    if (!isMore) this.isOver = true;
    else if (now >= this.restAt) this.restAt = Infinity;
    else return true;
    return false;
  }

  private train(now: number): boolean {
    const trainer = this.trainer;
    const last = this.last;
    const step = trainer.stepsDone;
    const loss = trainer.name();
    if (loss === undefined) return true;
    if (loss === "diverged") throw divergence(step, trainer);
    if (this.tellEvery > 0 && this.tellEvery < Infinity && loss !== "passed over") {
      this.sum += loss;
      this.count++;
    }
    const isLogged = step % this.logEvery === 0 || step === last;
    if (isLogged || now >= this.tellAt) return this.report(now, step, loss, isLogged);
    return step < last;
  }

  private report(now: number, step: number, loss: Loss, isLogged: boolean): boolean {
    const { event, trainer, validation, count } = this;
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

import { InputError } from "../errors";
import { Evaluation } from "./evaluation";
import type { Loss } from "../model/loss";
import type { StepEvent, Tell } from "./events";
import type { Task } from "./runner";
import type { Trainer } from "../model/trainer";

/** Trains, a name a bit, and measures the names held out where the log has a line, a name a bit. */
export class Training implements Task {
  private readonly event: StepEvent;
  private readonly validation: Evaluation | undefined;
  private isValidating = false;
  /** The number of the last step. */
  private readonly last: number;

  /**
   * @param logEvery the log has a line every so many steps, and one for the last
   * @param tellsAll whether to tell the other steps as well
   */
  constructor(
    private readonly trainer: Trainer,
    private readonly logEvery: number,
    private readonly tellsAll: boolean,
    private readonly tell: Tell,
  ) {
    const { model, dataset, holdout, config } = trainer;
    if (holdout) this.validation = new Evaluation(model, dataset, holdout.sample);
    this.last = config.steps - 1;
    this.event = {
      type: "step",
      step: 0,
      steps: config.steps,
      loss: 0,
      learningRate: 0,
      name: 0,
      isLogged: false,
      validationLoss: undefined,
    };
  }

  /** @throws InputError when the training has diverged */
  work(): boolean {
    if (this.isValidating) return this.validate();
    const trainer = this.trainer;
    const last = this.last;
    const step = trainer.stepsDone;
    const loss = trainer.name();
    if (loss === undefined) return true;
    if (loss === "diverged") throw divergence(step, trainer);
    const isLogged = step % this.logEvery === 0 || step === last;
    if (isLogged || this.tellsAll) return this.report(step, loss, isLogged);
    return step < last;
  }

  private report(step: number, loss: Loss, isLogged: boolean): boolean {
    const { event, trainer, validation } = this;
    event.step = step;
    event.loss = loss;
    event.learningRate = trainer.learningRate;
    event.name = trainer.nameIndex;
    event.isLogged = isLogged;
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

import { InputError } from "./errors";
import { Evaluation } from "./evaluation";
import type { StepEvent, Tell } from "./events";
import type { Task } from "./runner";
import type { Trainer } from "./trainer";

/** Trains, a step a bit, and measures the names held out where the log has a line, a name a bit. */
export class Training implements Task {
  private readonly event: StepEvent;
  private readonly validation: Evaluation | undefined;
  private isValidating = false;

  /** @param logEvery the log has a line every so many steps, and one for the last */
  constructor(
    private readonly trainer: Trainer,
    private readonly logEvery: number,
    private readonly tell: Tell,
  ) {
    const { model, dataset, holdout, config } = trainer;
    if (holdout) this.validation = new Evaluation(model, dataset, holdout.sample);
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
    const { trainer, event } = this;
    if (this.isValidating) this.validate();
    else {
      const step = trainer.stepsDone;
      event.step = step;
      event.learningRate = trainer.learningRate;
      event.loss = trainer.step();
      event.name = trainer.nameIndex;
      event.isLogged = step % this.logEvery === 0 || step === event.steps - 1;
      if (event.loss === "diverged") throw divergence(event, trainer);
      if (this.validation && event.isLogged) this.beginValidation();
      else this.tell(event);
    }
    return this.isValidating || trainer.stepsDone < event.steps;
  }

  private beginValidation(): void {
    this.validation?.reset();
    this.isValidating = true;
  }

  private validate(): void {
    const { validation, event, tell } = this;
    if (validation?.work()) return;
    this.isValidating = false;
    event.validationLoss = validation?.loss;
    tell(event);
    event.validationLoss = undefined;
  }
}

function divergence({ step, learningRate }: StepEvent, { config }: Trainer): InputError {
  const what = `Training has diverged: the loss of step ${step} is not a finite number.`;
  return new InputError(
    step === 0
      ? `${what} The weights to start from are too large; nothing has been learnt from them yet.`
      : `${what} Try a learning rate below ${config.learningRate} (it was ${learningRate.toPrecision(3)} there).`,
  );
}

import type { StepEvent } from "../../src/gpt/training/events";
import type { Happening } from "./messages";

/** Milliseconds that what has happened waits for more of it: the page draws no faster. */
const PATIENCE = 16;
/** Steps that wait together. */
const MOST_STEPS = 4096;

/** What is to be told to the page, in order; steps that follow each other go together. */
export class Outbox {
  private happenings: Happening[] = [];
  private readonly losses = new Float64Array(MOST_STEPS);
  private from = 0;
  private count = 0;
  private isScheduled = false;

  constructor(private readonly post: (happenings: readonly Happening[], transfer: ArrayBuffer[]) => void) {}

  put(happening: Happening): void {
    if (happening.type === "step" && happening.validationLoss === undefined) this.putStep(happening);
    else {
      this.endSteps();
      // One object serves all steps of a run.
      this.happenings.push(happening.type === "step" ? { ...happening } : happening);
    }
    if (this.isScheduled) return;
    this.isScheduled = true;
    setTimeout(() => this.send(), PATIENCE);
  }

  send(): void {
    this.isScheduled = false;
    this.endSteps();
    const { happenings } = this;
    if (happenings.length === 0) return;
    this.happenings = [];
    this.post(
      happenings,
      happenings.flatMap((happening) => (happening.type === "steps" ? [happening.losses.buffer as ArrayBuffer] : [])),
    );
  }

  private putStep({ step, loss }: StepEvent): void {
    if (this.count === MOST_STEPS || step !== this.from + this.count) this.endSteps();
    if (this.count === 0) this.from = step;
    this.losses[this.count++] = typeof loss === "number" ? loss : NaN;
  }

  private endSteps(): void {
    if (this.count === 0) return;
    this.happenings.push({ type: "steps", from: this.from, losses: this.losses.slice(0, this.count) });
    this.count = 0;
  }
}

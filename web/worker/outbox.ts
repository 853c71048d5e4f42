import type { StepEvent } from "../../src/gpt/training/events";
import type { TrainingUpdate } from "./messages";

/** Time for which updates are batched, in milliseconds: about one frame. */
const SEND_DELAY_MS = 16;
/** Maximum number of steps in a batch. */
const MAX_STEPS = 4096;

/** Batches updates for the page, in order; consecutive steps are combined. */
export class Outbox {
  private updates: TrainingUpdate[] = [];
  private readonly losses = new Float64Array(MAX_STEPS);
  private from = 0;
  private count = 0;
  private isScheduled = false;

  constructor(private readonly post: (updates: readonly TrainingUpdate[], transfer: ArrayBuffer[]) => void) {}

  put(update: TrainingUpdate): void {
    if (update.type === "step" && update.validationLoss === undefined) this.putStep(update);
    else {
      this.endSteps();
      // The trainer reuses one event object for all steps.
      this.updates.push(update.type === "step" ? { ...update } : update);
    }
    if (this.isScheduled) return;
    this.isScheduled = true;
    setTimeout(() => this.send(), SEND_DELAY_MS);
  }

  send(): void {
    this.isScheduled = false;
    this.endSteps();
    const { updates } = this;
    if (updates.length === 0) return;
    this.updates = [];
    this.post(
      updates,
      updates.flatMap((update) => (update.type === "steps" ? [update.losses.buffer as ArrayBuffer] : [])),
    );
  }

  private putStep({ step, loss }: StepEvent): void {
    if (this.count === MAX_STEPS || step !== this.from + this.count) this.endSteps();
    if (this.count === 0) this.from = step;
    this.losses[this.count++] = typeof loss === "number" ? loss : NaN;
  }

  private endSteps(): void {
    if (this.count === 0) return;
    this.updates.push({ type: "steps", from: this.from, losses: this.losses.slice(0, this.count) });
    this.count = 0;
  }
}

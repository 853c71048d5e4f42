/** The validation loss has risen if its lowest is at least this many measurements and this share of the steps ago, */
const RISEN_MEASUREMENTS = 5;
const RISEN_SHARE = 0.2;
/** and the mean since then is higher by more than this, in nats a token. */
const RISEN_MARGIN = 0.02;

/** Tracks the validation loss of a training: its lowest, and whether it has risen since. Allocates nothing. */
export class LowestLoss {
  loss = Infinity;
  /** The step after which it was measured. */
  step = -1;
  /** Sum and number of the measurements since then. */
  private sum = 0;
  private count = 0;
  private isTold = false;

  /** @param steps number of steps of the schedule */
  constructor(private readonly steps: number) {}

  /** Adds a measurement; returns whether it is the lowest. */
  take(step: number, loss: number): boolean {
    if (loss < this.loss) {
      this.begin(step, loss);
      return true;
    }
    this.sum += loss;
    this.count++;
    return false;
  }

  /** Sets the lowest so far. */
  begin(step: number, loss: number): void {
    this.loss = loss;
    this.step = step;
    this.sum = this.count = 0;
  }

  /** A sentence, once, when the loss has risen; else undefined. */
  complaint(step: number): string | undefined {
    const { loss, count } = this;
    const isLong = count >= RISEN_MEASUREMENTS && step - this.step >= RISEN_SHARE * this.steps;
    if (this.isTold || !isLong || this.sum / count <= loss + RISEN_MARGIN) return undefined;
    this.isTold = true;
    return (
      `The validation loss has risen: it was lowest after step ${this.step}, ${loss.toFixed(4)}, and is ` +
      `${(this.sum / count).toFixed(4)} on average since then. The model is overfitting: use more names or ` +
      `fewer steps.`
    );
  }
}

/** The validation loss has risen for long when the lowest lies so many measurements and this share of the steps back, */
const RISEN_MEASUREMENTS = 5;
const RISEN_SHARE = 0.2;
/** and the mean of those since then is so much higher: nats a token. */
const RISEN_MARGIN = 0.02;

/** Follows the validation loss of a training: the lowest, and whether it has risen since. It allocates nothing. */
export class LowestLoss {
  loss = Infinity;
  /** The step behind which it was measured. */
  step = -1;
  /** Of the measurements since then. */
  private sum = 0;
  private count = 0;
  private isTold = false;

  /** @param steps of the schedule */
  constructor(private readonly steps: number) {}

  /** Takes in a measurement, and returns whether it is the lowest. */
  take(step: number, loss: number): boolean {
    if (loss < this.loss) {
      this.begin(step, loss);
      return true;
    }
    this.sum += loss;
    this.count++;
    return false;
  }

  /** Goes on from what was the lowest before. */
  begin(step: number, loss: number): void {
    this.loss = loss;
    this.step = step;
    this.sum = this.count = 0;
  }

  /** A sentence, once, when the loss has risen for long; undefined else. */
  complaint(step: number): string | undefined {
    const { loss, count } = this;
    const isLong = count >= RISEN_MEASUREMENTS && step - this.step >= RISEN_SHARE * this.steps;
    if (this.isTold || !isLong || this.sum / count <= loss + RISEN_MARGIN) return undefined;
    this.isTold = true;
    return (
      `The validation loss has risen for long: it was lowest behind step ${this.step}, ${loss.toFixed(4)}, and is ` +
      `${(this.sum / count).toFixed(4)} on average since then. The model learns its names by heart: more names or ` +
      `fewer steps would serve it better.`
    );
  }
}

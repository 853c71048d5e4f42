import type { Event } from "../protocol/events";

/** Weight of a new step's loss in the smoothed loss. */
const SMOOTHING = 0.02;
/** Maximum points that are kept; in a longer training they are farther apart. */
const MAX_POINTS = 1024;

/** A point of the curve; losses in nats a token. */
export interface CurvePoint {
  readonly step: number;
  /** The loss of the step, or the mean of the steps since the last event. */
  readonly loss: number;
  /** An exponential moving average with bias correction, so that its initial value has no weight. */
  readonly smoothed: number;
}

/** The validation loss after a step. */
export interface ValidationPoint {
  readonly step: number;
  readonly loss: number;
}

/** A curve as plain data, to store. */
export interface KeptCurve {
  readonly loss: number | undefined;
  readonly points: readonly CurvePoint[];
  readonly validation: readonly ValidationPoint[];
  readonly lastStep: number;
  readonly stride: number;
  readonly sum: number;
  readonly weight: number;
}

/** Collects the losses of a training from its events. Its memory is bounded. */
export class LossCurve {
  /** Loss of the last step; undefined if it had none. */
  loss: number | undefined;
  validationLoss: number | undefined;
  points: readonly CurvePoint[] = [];
  validation: readonly ValidationPoint[] = [];
  lastStep = -1;
  private sum = 0;
  private weight = 0;
  private stride = 1;

  static from({ loss, points, validation, lastStep, stride, sum, weight }: KeptCurve): LossCurve {
    const curve = new LossCurve();
    curve.points = points;
    curve.validation = validation;
    curve.loss = loss;
    curve.validationLoss = validation.at(-1)?.loss;
    curve.lastStep = lastStep;
    curve.stride = stride;
    curve.sum = sum;
    curve.weight = weight;
    return curve;
  }

  get kept(): KeptCurve {
    const { loss, validation, lastStep, stride, sum, weight } = this;
    // A copy, as points are added to those of the curve.
    const points = [...this.points];
    return { loss, points, validation, lastStep, stride, sum, weight };
  }

  get smoothed(): number | undefined {
    return this.weight > 0 ? this.sum / this.weight : undefined;
  }

  onEvent(event: Event): void {
    // Unless it resumes where the curve ends, it is another training.
    if (event.type === "start" && (event.from ?? 0) !== this.lastStep + 1) this.clear();
    if (event.type !== "step") return;
    const { step, loss, mean, validationLoss } = event;
    if (step < this.lastStep) this.clear();
    // A device emits some of the steps, each with the mean of those since the last.
    const count = mean === undefined || this.lastStep < 0 ? 1 : step - this.lastStep;
    if (typeof loss === "number" || mean !== undefined) this.add(step, mean ?? (loss as number), count);
    this.loss = typeof loss === "number" ? loss : undefined;
    this.lastStep = step;
    if (validationLoss === undefined) return;
    this.validationLoss = validationLoss;
    this.validation = thinned([...this.validation, { step, loss: validationLoss }]);
  }

  private add(step: number, loss: number, count: number): void {
    const share = 1 - (1 - SMOOTHING) ** count;
    this.sum += share * (loss - this.sum);
    this.weight += share * (1 - this.weight);
    const smoothed = this.sum / this.weight;
    const last = this.points.at(-1);
    if (last && step - last.step < this.stride) return;
    (this.points as CurvePoint[]).push({ step, loss, smoothed });
    if (this.points.length < MAX_POINTS) return;
    this.points = thinned(this.points);
    this.stride *= 2;
  }

  private clear(): void {
    this.sum = this.weight = 0;
    this.lastStep = -1;
    this.stride = 1;
    this.points = [];
    this.validation = [];
    this.loss = this.validationLoss = undefined;
  }
}

function thinned<T>(points: readonly T[]): readonly T[] {
  return points.length < MAX_POINTS ? points : points.filter((_, i) => i % 2 === 0);
}

import type { Event } from "./events";

/** How much of the smoothed loss that of a new step replaces. */
const SMOOTHING = 0.02;
/** Points that are kept; a longer training has them farther apart. */
const MOST_POINTS = 1024;

export interface Point {
  readonly step: number;
  readonly loss: number;
}

/** The losses of a training, as they come: smoothed, and of the names held out. Loss in nats a token. */
export class LossCurve {
  /** Of the last step that had one. */
  loss: number | undefined;
  validationLoss: number | undefined;
  /** Of the last step; -1 before the first. */
  lastStep = -1;
  /** What the step told beside its loss, or the mean of those told at once. */
  raw: Point[] = [];
  smoothed: Point[] = [];
  validation: Point[] = [];
  private sum = 0;
  private weight = 0;
  private stride = 1;

  /** An exponential moving average that is not drawn to its start. */
  get average(): number | undefined {
    return this.weight > 0 ? this.sum / this.weight : undefined;
  }

import type { Numbers } from "../../src/gpt/model/ops";
import type { WeightCurve } from "./messages";

/** Maximum number of snapshots, and of their bytes in all. */
const MAX_SNAPSHOTS = 128;
const MAX_BYTES = 4 << 20;
/** With fewer snapshots a curve would say nothing. */
const LEAST_SNAPSHOTS = 4;

/**
 * The weights at some steps of a training, evenly spaced: at first at every step. When there is no room left, every
 * other snapshot is dropped and the distance doubles.
 */
export class WeightHistory {
  /** Maximum number of snapshots; 0 for a model of which 4 do not fit into 4 MB. */
  readonly capacity: number;
  private readonly steps: number[] = [];
  private readonly snapshots: Float32Array[] = [];
  /** Buffers of dropped snapshots. */
  private readonly spare: Float32Array[] = [];
  private distance = 1;
  private nextStep = 0;

  /**
   * @param length number of weights
   * @param unit value of 1 in the numbers that take() gets
   */
  constructor(
    private readonly length: number,
    private readonly unit = 1,
  ) {
    const fitting = Math.min(MAX_SNAPSHOTS, Math.floor(MAX_BYTES / (length * Float32Array.BYTES_PER_ELEMENT)));
    this.capacity = fitting < LEAST_SNAPSHOTS ? 0 : fitting;
    if (this.capacity === 0) this.nextStep = Infinity;
  }

  /** Bytes of all snapshots, with the buffers to be used again. */
  get bytes(): number {
    return (this.snapshots.length + this.spare.length) * this.length * Float32Array.BYTES_PER_ELEMENT;
  }

  /** Keeps a copy of the weights after `step` steps if one is due. */
  take(step: number, weights: Numbers): void {
    if (step < this.nextStep) return;
    if (this.snapshots.length === this.capacity) {
      this.thin();
      if (step < this.nextStep) return;
    }
    const snapshot = this.spare.pop() ?? new Float32Array(this.length);
    if (this.unit === 1) snapshot.set(weights);
    else for (let i = 0; i < snapshot.length; i++) snapshot[i] = (weights[i] ?? 0) * this.unit;
    this.steps.push(step);
    this.snapshots.push(snapshot);
    this.nextStep = step + this.distance;
  }

  /** The values of a weight at the steps of the snapshots. */
  curve(index: number): WeightCurve {
    return {
      steps: [...this.steps],
      values: this.snapshots.map((snapshot) => snapshot[index] ?? NaN),
      isKept: this.capacity > 0,
    };
  }

  private thin(): void {
    const { steps, snapshots } = this;
    let kept = 0;
    for (let i = 0; i < snapshots.length; i++) {
      const [step, snapshot] = [steps[i], snapshots[i]];
      if (step === undefined || !snapshot) break;
      if (i % 2 === 1) this.spare.push(snapshot);
      else [steps[kept], snapshots[kept++]] = [step, snapshot];
    }
    steps.length = snapshots.length = kept;
    this.distance *= 2;
    this.nextStep = (steps[kept - 1] ?? 0) + this.distance;
  }
}

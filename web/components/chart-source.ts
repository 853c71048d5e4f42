import type { ReadonlySignal } from "@preact/signals";
import type { LossCurve } from "../../src/jobs/loss-curve";

export interface ChartSource {
  readonly curve: LossCurve;
  /** Incremented with every change of the curve. */
  readonly changes: ReadonlySignal<number>;
}

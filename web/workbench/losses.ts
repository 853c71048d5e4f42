import type { LossCurve } from "../../src/jobs/loss-curve";

/** The losses as CSV: one row per step, or per recorded point of a long training. */
export function encodeLosses({ points, validation }: LossCurve): Uint8Array {
  const heldOut = new Map(validation.map(({ step, loss }) => [step, loss]));
  const rows = points.map(({ step, loss, smoothed }) => `${step},${loss},${smoothed},${heldOut.get(step) ?? ""}\n`);
  return new TextEncoder().encode(`step,loss,smoothed,held_out\n${rows.join("")}`);
}

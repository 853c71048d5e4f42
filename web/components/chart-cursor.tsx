import { type Signal, useSignalEffect } from "@preact/signals";
import type { CurvePoint } from "../../src/jobs/loss-curve";
import type { ChartSource } from "./chart-source";
import { lossText } from "./loss-text";

/** Points that Page Up and Page Down move by. */
const PAGE = 50;

interface Props {
  readonly source: ChartSource;
  /** The step of the chart's cursor; undefined where there is none. */
  readonly at: Signal<number | undefined>;
}

/** Moves the chart's cursor with the keyboard, and says the values there. */
export function ChartCursor({ source, at }: Props) {
  const { curve, changes } = source;
  void changes.value;
  const { points } = curve;
  const last = points.length - 1;
  const index = at.value === undefined ? last : indexOf(points, at.value);
  const point = points[index];
  // Another training has other steps.
  useSignalEffect(() => {
    if (changes.value >= 0 && (at.peek() ?? 0) > curve.lastStep) at.value = undefined;
  });
  if (!point) return null;
  const move = (event: KeyboardEvent): void => {
    const to = {
      ArrowLeft: index - 1,
      ArrowDown: index - 1,
      ArrowRight: index + 1,
      ArrowUp: index + 1,
      PageDown: index - PAGE,
      PageUp: index + PAGE,
      Home: 0,
      End: last,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    at.value = points[Math.max(0, Math.min(last, to))]?.step;
  };
  const validation = curve.validation.findLast(({ step }) => step <= point.step);
  const text =
    `step ${point.step.toLocaleString("en")}: loss ${lossText(point.loss, 3)}, smoothed ${lossText(point.smoothed, 3)}` +
    (validation ? `, validation ${lossText(validation.loss, 3)}` : "");
  return (
    <div
      class="chart-cursor"
      role="slider"
      tabIndex={0}
      aria-label="Read the curve step by step"
      aria-valuemin={0}
      aria-valuemax={curve.lastStep}
      aria-valuenow={point.step}
      aria-valuetext={text}
      onKeyDown={move}
      onBlur={() => (at.value = undefined)}
    >
      {at.value === undefined ? "Read the curve with the arrow keys" : text}
    </div>
  );
}

/** The point at a step, or the last one before it. */
function indexOf(points: readonly CurvePoint[], step: number): number {
  return Math.max(
    0,
    points.findLastIndex((point) => point.step <= step),
  );
}

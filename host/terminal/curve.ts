import type plot from "simple-ascii-chart";
import type { CurvePoint, LossCurve } from "../../src/jobs/loss-curve";

/** Columns to the left of the curve: axis labels and axis. */
const MARGIN = 6;
const FEWEST_COLUMNS = 40;
const FEWEST_ROWS = 7;
/** Minimum distance between labels of the x axis, in columns. */
const TICK_COLUMNS = 12;
const RESET = "\x1b[0m";

/** Draws the loss curve in at most `columns` × `rows` characters; undefined if the space or the data is too small. */
export type DrawCurve = (curve: LossCurve, columns: number, rows: number, isColoured: boolean) => string | undefined;

/** Loads the library that draws, which only a terminal needs. */
export async function loadDrawCurve(): Promise<DrawCurve> {
  const { default: draw } = await import("simple-ascii-chart");
  return (...call) => drawn(draw, ...call);
}

function drawn(
  draw: typeof plot,
  { points, validation, lastStep }: LossCurve,
  columns: number,
  rows: number,
  isColoured: boolean,
): string | undefined {
  const [start] = points;
  if (!start || points.length < 2 || columns < FEWEST_COLUMNS || rows < FEWEST_ROWS) return undefined;
  const width = columns - MARGIN - 2;
  const [first, last] = [start.step, lastStep];
  const losses = [...points.map(({ smoothed }) => smoothed), ...validation.map(({ loss }) => loss)];
  // The x axis, its labels and the title take a row each.
  const scale = scaleOf(Math.min(...losses), Math.max(...losses), rows - 4);
  const curve = resampled(points, width, first, last);
  const chart = draw(curve, {
    width,
    height: scale.rows,
    yRange: [scale.low, scale.high],
    customYAxisTicks: scale.ticks,
    customXAxisTicks: roundNumbers(first, last, Math.floor(width / TICK_COLUMNS)),
    formatter: (value, { axis }) => (axis === "y" ? value.toFixed(scale.digits) : String(value)),
    symbols: { point: "●" },
    points: validation.map(({ step, loss }) => ({
      x: step,
      y: loss,
      ...(isColoured ? { color: "ansiYellow" as const } : {}),
    })),
    ...(isColoured ? { color: "ansiCyan" as const } : {}),
  });
  const lines = joined(chart)
    .split("\n")
    .map((line) => line.trimEnd());
  const title = validation.length > 0 ? "smoothed loss ━, validation loss ●" : "smoothed loss";
  return [title, ...lines.filter((line) => line !== "")].join("\n");
}

/**
 * Merges colour codes of adjacent characters: the library colours each one separately, and the curve is drawn 20
 * times a second.
 */
function joined(chart: string): string {
  return chart.replaceAll(/(\x1b\[\d+m)[^\x1b]\x1b\[0m(?:\1[^\x1b]\x1b\[0m)+/g, (run, code: string) => {
    const characters = run.replaceAll(code, "").replaceAll(RESET, "");
    return `${code}${characters}${RESET}`;
  });
}

/** Interpolates the smoothed loss at each column: pairs of step and loss. */
function resampled(points: readonly CurvePoint[], columns: number, first: number, last: number): [number, number][] {
  let right = 1;
  return Array.from({ length: columns }, (_, column) => {
    const step = first + ((last - first) * column) / (columns - 1);
    while (right < points.length - 1 && (points[right]?.step ?? step) < step) right++;
    const [a, b] = [points[right - 1], points[right]];
    if (!a || !b) throw new RangeError("A curve needs two points");
    const share = Math.min(1, (step - a.step) / (b.step - a.step));
    return [step, a.smoothed + share * (b.smoothed - a.smoothed)];
  });
}

interface Scale {
  readonly low: number;
  readonly high: number;
  readonly rows: number;
  readonly ticks: number[];
  /** Decimal places of the labels. */
  readonly digits: number;
}

/** The scale with round labels, each on a row, that contains all losses and leaves the curve the most rows. */
function scaleOf(least: number, most: number, mostRows: number): Scale {
  const range = Math.max(most - least, 0.02);
  const power = 10 ** Math.floor(Math.log10(range / mostRows));
  let best: Scale | undefined;
  let bestRows = 0;
  for (const unit of [1, 2, 2.5, 5, 10, 20, 25, 50, 100].map((factor) => factor * power)) {
    const first = Math.floor(least / unit + 1e-9);
    const intervals = Math.max(1, Math.ceil((least + range) / unit - 1e-9) - first);
    const rowsEach = Math.floor((mostRows - 1) / intervals);
    const curveRows = (rowsEach * range) / unit;
    if (curveRows <= bestRows) continue;
    const digits = Math.max(
      1,
      Math.ceil(-Math.log10(unit) - 1e-9) + (String(unit / power).includes("2.5") || unit / power === 25 ? 1 : 0),
    );
    const tick = (i: number): number => Number(((first + i) * unit).toFixed(digits));
    const ticks = Array.from({ length: intervals + 1 }, (_, i) => tick(i));
    best = { low: tick(0), high: tick(intervals), rows: intervals * rowsEach + 1, ticks, digits };
    bestRows = curveRows;
  }
  if (best === undefined) throw new RangeError(`There is no scale from ${least} to ${most} in ${mostRows} rows.`);
  return best;
}

function roundNumbers(first: number, last: number, most: number): number[] {
  const unit = Math.max(1, roundUnit((last - first) / Math.max(1, most)));
  const numbers: number[] = [];
  for (let value = Math.ceil(first / unit) * unit; value <= last; value += unit) numbers.push(value);
  return numbers;
}

/** The smallest 1, 2 or 5 times a power of ten that is at least `least`. */
function roundUnit(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((digit) => digit * power).find((unit) => unit >= least * (1 - 1e-9)) ?? 10 * power;
}

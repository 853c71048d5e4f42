import plot from "simple-ascii-chart";
import type { Event } from "../src/program/events";

/** How much of the smoothed loss that of a new step replaces. */
const SMOOTHING = 0.02;
/** Points that are kept; a longer training has them farther apart. */
const MOST_POINTS = 1024;
/** Columns that stand beside the curve: the numbers of the losses, and the axis. */
const MARGIN = 6;
const FEWEST_COLUMNS = 40;
const FEWEST_ROWS = 7;
/** Columns between two numbers of steps. */
const TICK_COLUMNS = 12;
const RESET = "\x1b[0m";

interface Point {
  readonly step: number;
  readonly loss: number;
}

/** The losses of a training, as they come: smoothed, and of the names held out. */
export class LossCurve {
  /** Of the last step that had one. */
  loss: number | undefined;
  validationLoss: number | undefined;
  private sum = 0;
  private weight = 0;
  private lastStep = -1;
  private stride = 1;
  private points: Point[] = [];
  private validation: Point[] = [];

  /** An exponential moving average that is not drawn to its start. */
  get smoothed(): number | undefined {
    return this.weight > 0 ? this.sum / this.weight : undefined;
  }

  hear(event: Event): void {
    if (event.type === "start") this.clear();
    if (event.type !== "step") return;
    const { step, loss, mean, validationLoss } = event;
    if (step < this.lastStep) this.clear();
    // A device tells some steps, and the mean of all.
    const count = mean === undefined || this.lastStep < 0 ? 1 : step - this.lastStep;
    if (typeof loss === "number" || mean !== undefined) this.add(step, mean ?? (loss as number), count);
    this.loss = typeof loss === "number" ? loss : undefined;
    this.lastStep = step;
    if (validationLoss === undefined) return;
    this.validationLoss = validationLoss;
    this.validation = thinned([...this.validation, { step, loss: validationLoss }]);
  }

  /** The curve in so many columns and rows, at the most; undefined where there is too little of either, or of it. */
  draw(columns: number, rows: number, isColoured: boolean): string | undefined {
    if (this.points.length < 2 || columns < FEWEST_COLUMNS || rows < FEWEST_ROWS) return undefined;
    const width = columns - MARGIN - 2;
    const [first, last] = [this.points[0].step, this.lastStep];
    const losses = [...this.points, ...this.validation].map(({ loss }) => loss);
    // The axis, its numbers, and the title have a row each.
    const scale = scaleOf(Math.min(...losses), Math.max(...losses), rows - 4);
    const curve = resampled(this.points, width, first, last);
    const chart = plot(curve, {
      width,
      height: scale.rows,
      yRange: [scale.low, scale.high],
      customYAxisTicks: scale.ticks,
      customXAxisTicks: roundNumbers(first, last, Math.floor(width / TICK_COLUMNS)),
      formatter: (value, { axis }) => (axis === "y" ? value.toFixed(scale.digits) : String(value)),
      symbols: { point: "●" },
      points: this.validation.map(({ step, loss }) => ({
        x: step,
        y: loss,
        ...(isColoured ? { color: "ansiYellow" as const } : {}),
      })),
      ...(isColoured ? { color: "ansiCyan" as const } : {}),
    });
    const lines = joined(chart)
      .split("\n")
      .map((line) => line.trimEnd());
    const title = this.validation.length > 0 ? "loss, smoothed ━ and of the names held out ●" : "loss, smoothed";
    return [title, ...lines.filter((line) => line !== "")].join("\n");
  }

  private add(step: number, loss: number, count: number): void {
    const share = 1 - (1 - SMOOTHING) ** count;
    this.sum += share * (loss - this.sum);
    this.weight += share * (1 - this.weight);
    const smoothed = this.sum / this.weight;
    if (this.points.length > 0 && step - this.points[this.points.length - 1].step < this.stride) return;
    this.points.push({ step, loss: smoothed });
    if (this.points.length < MOST_POINTS) return;
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

/** The library colours each character by itself, and is drawn twenty times a second. */
function joined(chart: string): string {
  return chart.replaceAll(/(\x1b\[\d+m)[^\x1b]\x1b\[0m(?:\1[^\x1b]\x1b\[0m)+/g, (run, code: string) => {
    const characters = run.replaceAll(code, "").replaceAll(RESET, "");
    return `${code}${characters}${RESET}`;
  });
}

function thinned(points: Point[]): Point[] {
  return points.length < MOST_POINTS ? points : points.filter((_, i) => i % 2 === 0);
}

/** The curve's height in the middle of each column. */
function resampled(points: readonly Point[], columns: number, first: number, last: number): [number, number][] {
  let right = 1;
  return Array.from({ length: columns }, (_, column) => {
    const step = first + ((last - first) * column) / (columns - 1);
    while (right < points.length - 1 && points[right].step < step) right++;
    const [a, b] = [points[right - 1], points[right]];
    const share = Math.min(1, (step - a.step) / (b.step - a.step));
    return [step, a.loss + share * (b.loss - a.loss)];
  });
}

interface Scale {
  readonly low: number;
  readonly high: number;
  readonly rows: number;
  readonly ticks: number[];
  /** Behind the point. */
  readonly digits: number;
}

/** The scale around the losses whose round numbers each fall on a row, and that leaves the curve the most of these. */
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
    const ticks = Array.from({ length: intervals + 1 }, (_, i) => Number(((first + i) * unit).toFixed(digits)));
    best = { low: ticks[0], high: ticks[intervals], rows: intervals * rowsEach + 1, ticks, digits };
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

/** The next number of 1, 2, 5 times a power of ten. */
function roundUnit(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((digit) => digit * power).find((unit) => unit >= least * (1 - 1e-9)) ?? 10 * power;
}

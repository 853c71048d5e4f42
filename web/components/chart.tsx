import { effect, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { LossCurve } from "../../src/jobs/loss-curve";
import type { EarlierCurve } from "../workbench/workbench";
import { ChartCursor } from "./chart-cursor";
import type { ChartSource } from "./chart-source";
import { axisStyle, coloursAt } from "./chart-style";
import { lossRange } from "./loss-range";
import { LossTable } from "./loss-table";
import { lossText } from "./loss-text";

/** Axes have labels from this height on. */
const MIN_LABELLED = 200;
/** Possible increments of the step axis. */
const WHOLE = Array.from({ length: 9 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();
/** A dash pattern, for the chart and for its legend. */
interface Dash {
  readonly chart: number[];
  readonly legend: string;
}

/** Dash patterns of earlier curves, latest first. */
const DASHES: readonly Dash[] = [
  { chart: [6, 4], legend: "dashed" },
  { chart: [2, 3], legend: "dotted" },
  { chart: [16, 4], legend: "solid" },
];
const NONE: readonly EarlierCurve[] = [];

interface Props {
  readonly source: ChartSource | undefined;
  readonly earlier?: readonly EarlierCurve[];
  /** Steps of the whole training: the axis of steps has a place for all from the beginning. */
  readonly steps?: number | undefined;
  /** Losses to compare with, in nats; each is a labelled line. */
  readonly blind?: number | undefined;
  readonly pairs?: number | undefined;
}

/** A loss to compare with, as a horizontal line. */
interface Level {
  readonly loss: number;
  readonly label: string;
  readonly colour: "--blind" | "--pairs";
  readonly isAtLeft: boolean;
}

/** The loss chart: each step, smoothed, validation, and earlier trainings. */
export function LossChart({ source, earlier = NONE, steps, blind, pairs }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const at = useSignal<number | undefined>(undefined);

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const frameOf = { steps, levels: levelsOf(blind, pairs) };
    let chart = draw(element, source, earlier, frameOf);
    let hasHeldOut = isHeldOutOf(source);
    let frame = 0;
    const again = (): void => {
      chart.destroy();
      chart = draw(element, source, earlier, frameOf);
      hasHeldOut = isHeldOutOf(source);
    };
    const update = (): void => {
      frame = 0;
      if (hasHeldOut === isHeldOutOf(source)) chart.setData(dataOf(source, earlier));
      else again();
      element.ariaLabel = describe(source?.curve, frameOf.levels);
    };
    const end = effect(() => {
      if (source && source.changes.value >= 0 && frame === 0) frame = requestAnimationFrame(update);
    });
    const endCursor = effect(() => {
      const left = at.value === undefined ? -1 : chart.valToPos(at.value, "x");
      chart.setCursor({ left, top: left });
    });
    const resizing = new ResizeObserver(() => chart.setSize(sizeOf(element)));
    resizing.observe(element);
    const darkness = matchMedia("(prefers-color-scheme: dark)");
    darkness.addEventListener("change", again);
    const forced = matchMedia("(forced-colors: active)");
    forced.addEventListener("change", again);
    return () => {
      end();
      endCursor();
      cancelAnimationFrame(frame);
      resizing.disconnect();
      darkness.removeEventListener("change", again);
      forced.removeEventListener("change", again);
      chart.destroy();
    };
  }, [source, earlier, steps, blind, pairs, at]);

  return (
    <>
      <div class="chart" role="img" aria-label={describe(source?.curve, levelsOf(blind, pairs))} ref={place} />
      {source && <ChartCursor source={source} at={at} />}
      {source && <LossTable source={source} />}
    </>
  );
}

/** A text alternative for screen readers. */
function describe(curve: LossCurve | undefined, levels: readonly Level[]): string {
  const start = curve?.points[0];
  const lines = levels.map(({ label, loss }) => ` ${label}: ${loss.toFixed(2)}.`).join("");
  if (curve?.smoothed === undefined || !start) return `The curve of the loss is still empty.${lines}`;
  return `The curve of the loss: from ${lossText(start.loss, 2)} to ${lossText(curve.smoothed, 2)}, smoothed, in ${curve.lastStep + 1} steps.${lines}`;
}

function levelsOf(blind: number | undefined, pairs: number | undefined): readonly Level[] {
  const levels: readonly (Omit<Level, "loss"> & { readonly loss: number | undefined })[] = [
    { loss: blind, label: "Guessing blindly", colour: "--blind", isAtLeft: false },
    { loss: pairs, label: "Counting pairs of letters", colour: "--pairs", isAtLeft: true },
  ];
  return levels.flatMap(({ loss, ...level }) => (loss === undefined ? [] : [{ ...level, loss }]));
}

/** The height is the page's style: it depends on the window. */
function sizeOf(element: HTMLElement): { readonly width: number; readonly height: number } {
  const height = Number.parseFloat(getComputedStyle(element).getPropertyValue("--chart-height"));
  return { width: element.clientWidth, height };
}

/** Whether to show a curve of the validation loss. */
function isHeldOutOf(source: ChartSource | undefined): boolean {
  return source !== undefined && source.curve.validation.length > 0;
}

/** What does not change while the curve grows. */
interface Frame {
  readonly steps: number | undefined;
  readonly levels: readonly Level[];
}

function draw(
  element: HTMLElement,
  source: ChartSource | undefined,
  earlier: readonly EarlierCurve[],
  { steps, levels }: Frame,
): uPlot {
  const colour = coloursAt(element);
  const axis = axisStyle(colour);
  const number = (_: uPlot, value: number | null): string => lossText(value, 3);
  const firstEarlier = isHeldOutOf(source) ? 4 : 3;
  const dashOf = (i: number): Dash => {
    const dash = DASHES[earlier.length - 1 - i];
    if (!dash) throw new RangeError(`There is no dash pattern for curve ${i} of ${earlier.length}`);
    return dash;
  };
  const last = Math.max(steps ?? 0, ...earlier.map(({ curve }) => curve.lastStep + 1));
  const size = sizeOf(element);
  const compared = levels.map(({ loss }) => loss);
  const hasRoom = size.height >= MIN_LABELLED;
  const options: uPlot.Options = {
    ...size,
    legend: {
      markers: {
        dash: (_, i) => (i < firstEarlier ? "solid" : dashOf(i - firstEarlier).legend),
      },
    },
    cursor: { drag: { x: true, y: false } },
    scales: {
      x: { time: false, ...(steps !== undefined && { range: (chart, low, high) => stepsOf(chart, low, high, last) }) },
      y: { range: (_, low, high) => lossRange(low, high, source?.curve.points[0]?.loss, compared) },
    },
    hooks: { draw: [(chart) => drawLevels(chart, levels, colour)] },
    axes: [
      { ...axis, incrs: WHOLE, ...(hasRoom && { label: "step" }), labelSize: 18, labelFont: axis.font, size: 34 },
      { ...axis, ...(hasRoom && { label: "loss" }), labelSize: 18, labelFont: axis.font, size: hasRoom ? 48 : 44 },
    ],
    series: [
      { label: "step", value: (_, step: number | null) => step?.toLocaleString("en") ?? "–" },
      { label: "each step", stroke: colour("--raw"), width: 1, spanGaps: true, points: { show: false }, value: number },
      {
        label: "smoothed",
        stroke: colour("--accent"),
        width: 2.5,
        spanGaps: true,
        points: { show: false },
        value: number,
      },
      ...(isHeldOutOf(source)
        ? [
            {
              label: "validation",
              stroke: colour("--held-out"),
              width: 2,
              spanGaps: true,
              points: { show: true, size: 6 },
              value: number,
            },
          ]
        : []),
      ...earlier.map(({ name }, i) => ({
        label: `earlier: ${name}`,
        stroke: colour("--earlier"),
        width: 1.5,
        dash: dashOf(i).chart,
        spanGaps: true,
        points: { show: false },
        value: number,
      })),
    ],
  };
  return new uPlot(options, dataOf(source, earlier), element);
}

/** The data for uPlot: all curves joined on one column of steps. */
function dataOf(source: ChartSource | undefined, earlier: readonly EarlierCurve[]): uPlot.AlignedData {
  const points = source?.curve.points ?? [];
  const validation = source?.curve.validation ?? [];
  const steps = points.map(({ step }) => step);
  const tables: uPlot.AlignedData[] = [
    [steps, points.map(({ loss }) => loss), points.map(({ smoothed }) => smoothed)],
    ...(isHeldOutOf(source)
      ? [[validation.map(({ step }) => step), validation.map(({ loss }) => loss)] as uPlot.AlignedData]
      : []),
    ...earlier.map(({ curve }): uPlot.AlignedData => {
      const { points } = curve;
      return [points.map(({ step }) => step), points.map(({ smoothed }) => smoothed)];
    }),
  ];
  return uPlot.join(tables);
}

/** The range of the axis of steps: all, unless a part of the data is chosen. */
function stepsOf({ data: [steps] }: uPlot, low: number, high: number, last: number): [number, number] {
  const isPart = steps.length > 1 && (low !== steps[0] || high !== steps.at(-1));
  return isPart ? [low, high] : [0, last];
}

/** Draws the lines to compare with, each with its label on the colour of the card, so that it can be read. */
function drawLevels(chart: uPlot, levels: readonly Level[], colour: (name: string) => string): void {
  const { ctx, bbox } = chart;
  const scale = devicePixelRatio;
  ctx.save();
  ctx.font = `${12 * scale}px system-ui, sans-serif`;
  ctx.setLineDash([]);
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  for (const { loss, label, colour: name, isAtLeft } of levels) {
    const y = chart.valToPos(loss, "y", true);
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    const text = `${label}: ${loss.toFixed(2)}`;
    const width = ctx.measureText(text).width;
    const x = isAtLeft ? bbox.left + 8 * scale : bbox.left + bbox.width - width - 8 * scale;
    ctx.strokeStyle = ctx.fillStyle = colour(name);
    ctx.lineWidth = 1.5 * scale;
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    // Above the line the curve begins, below it the curve ends.
    const at = y + (isAtLeft ? 11 : -11) * scale;
    ctx.globalAlpha = 0.8;
    ctx.fillStyle = colour("--card");
    ctx.fillRect(x - 4 * scale, at - 8 * scale, width + 8 * scale, 16 * scale);
    ctx.globalAlpha = 1;
    ctx.fillStyle = colour(name);
    ctx.fillText(text, x, at);
  }
  ctx.restore();
}

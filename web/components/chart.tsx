import { effect, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { LossCurve } from "../../src/jobs/loss-curve";
import type { EarlierCurve } from "../workbench/workbench";
import { ChartCursor } from "./chart-cursor";
import type { ChartSource } from "./chart-source";
import { lossRange } from "./loss-range";
import { LossTable } from "./loss-table";
import { lossText } from "./loss-text";

const HEIGHT = 300;
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
}

/** The loss chart: each step, smoothed, validation, and earlier trainings. */
export function LossChart({ source, earlier = NONE }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const at = useSignal<number | undefined>(undefined);

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    let chart = draw(element, source, earlier);
    let hasHeldOut = isHeldOutOf(source);
    let frame = 0;
    const again = (): void => {
      chart.destroy();
      chart = draw(element, source, earlier);
      hasHeldOut = isHeldOutOf(source);
    };
    const update = (): void => {
      frame = 0;
      if (hasHeldOut === isHeldOutOf(source)) chart.setData(dataOf(source, earlier));
      else again();
      element.ariaLabel = describe(source?.curve);
    };
    const end = effect(() => {
      if (source && source.changes.value >= 0 && frame === 0) frame = requestAnimationFrame(update);
    });
    const endCursor = effect(() => {
      const left = at.value === undefined ? -1 : chart.valToPos(at.value, "x");
      chart.setCursor({ left, top: left });
    });
    const resizing = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT }));
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
  }, [source, earlier, at]);

  return (
    <>
      <div class="chart" role="img" aria-label={describe(source?.curve)} ref={place} />
      {source && <ChartCursor source={source} at={at} />}
      {source && <LossTable source={source} />}
    </>
  );
}

/** A text alternative for screen readers. */
function describe(curve: LossCurve | undefined): string {
  const start = curve?.points[0];
  if (curve?.smoothed === undefined || !start) return "The curve of the loss is still empty.";
  return `The curve of the loss: from ${lossText(start.loss, 2)} to ${lossText(curve.smoothed, 2)}, smoothed, in ${curve.lastStep + 1} steps.`;
}

/** Whether to show a curve of the validation loss. */
function isHeldOutOf(source: ChartSource | undefined): boolean {
  return source !== undefined && source.curve.validation.length > 0;
}

function draw(element: HTMLElement, source: ChartSource | undefined, earlier: readonly EarlierCurve[]): uPlot {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--muted"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1 },
    font: "12px system-ui, sans-serif",
  };
  const number = (_: uPlot, value: number | null): string => lossText(value, 3);
  const firstEarlier = isHeldOutOf(source) ? 4 : 3;
  const dashOf = (i: number): Dash => {
    const dash = DASHES[earlier.length - 1 - i];
    if (!dash) throw new RangeError(`There is no dash pattern for curve ${i} of ${earlier.length}`);
    return dash;
  };
  const options: uPlot.Options = {
    width: element.clientWidth,
    height: HEIGHT,
    legend: {
      markers: {
        dash: (_, i) => (i < firstEarlier ? "solid" : dashOf(i - firstEarlier).legend),
      },
    },
    cursor: { drag: { x: true, y: false } },
    scales: { x: { time: false }, y: { range: (_, low, high) => lossRange(low, high, source?.curve.points[0]?.loss) } },
    axes: [
      { ...axis, incrs: WHOLE, label: "step", labelSize: 18, labelFont: axis.font, size: 34 },
      { ...axis, label: "loss", labelSize: 18, labelFont: axis.font, size: 48 },
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

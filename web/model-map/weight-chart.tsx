import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import uPlot from "uplot";
import { axisStyle, coloursAt } from "../components/chart-style";
import type { WeightCurve, WeightReading } from "../worker/messages";
import { colourChanges } from "./colours";
import { shortNumber } from "./squares";

const HEIGHT = 110;

interface Props {
  readonly curve: WeightCurve;
  /** The weight now, which is the curve's last point. */
  readonly now: WeightReading | undefined;
  /** Number of steps of the training: the end of the axis. */
  readonly steps: number;
}

/** The curve of a weight over the training, as a picture and as a table. */
export function WeightChart({ curve, now, steps }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const isOpen = useSignal(false);
  const changes = colourChanges.value;
  const points = curve.steps.map((step, i) => ({ step, value: curve.values[i] ?? NaN }));
  if (now && now.stepsDone > (points.at(-1)?.step ?? -1)) points.push({ step: now.stepsDone, value: now.value });
  const data: uPlot.AlignedData = [points.map(({ step }) => step), points.map(({ value }) => value)];
  const latest = useRef(data);
  latest.current = data;
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    chart.current = draw(element, latest.current, steps);
    const resizing = new ResizeObserver(() => chart.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    resizing.observe(element);
    return () => {
      resizing.disconnect();
      chart.current?.destroy();
      chart.current = undefined;
    };
  }, [steps, changes, curve.isKept]);
  useEffect(() => chart.current?.setData(latest.current), [curve, now]);
  const first = points[0];
  const last = points.at(-1);
  if (!curve.isKept) return <p class="muted">The model is too large to keep a history of its weights.</p>;
  const from = first && first.step > 0 ? first.step : undefined;
  return (
    <>
      <div
        class="weight-chart"
        ref={place}
        role="img"
        aria-label={
          first && last
            ? `Its curve: from ${shortNumber(first.value)} after ${first.step} steps to ${shortNumber(last.value)} after ${last.step}.`
            : "Its curve is still empty."
        }
      />
      {from !== undefined && (
        <p class="muted">
          The curve begins after step {from.toLocaleString("en")}, from where this training went on in this page.
        </p>
      )}
      <details onToggle={({ currentTarget }) => (isOpen.value = currentTarget.open)}>
        <summary>The curve as a table</summary>
        {isOpen.value && (
          <div class="weight-table" tabIndex={0} role="region" aria-label="The curve as a table">
            <table>
              <thead>
                <tr>
                  <th scope="col">steps done</th>
                  <th scope="col">value</th>
                </tr>
              </thead>
              <tbody>
                {points.map(({ step, value }) => (
                  <tr key={step}>
                    <th scope="row">{step.toLocaleString("en")}</th>
                    <td>
                      <data value={value}>{shortNumber(value)}</data>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </details>
    </>
  );
}

function draw(element: HTMLElement, data: uPlot.AlignedData, steps: number): uPlot {
  const colour = coloursAt(element);
  const axis = axisStyle(colour);
  const options: uPlot.Options = {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range: [0, Math.max(1, steps)] } },
    axes: [
      { ...axis, size: 28 },
      { ...axis, size: 52 },
    ],
    series: [{}, { stroke: colour("--accent"), width: 2, points: { show: false } }],
  };
  return new uPlot(options, data, element);
}

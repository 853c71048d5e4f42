import { useSignal } from "@preact/signals";
import type { LossCurve } from "../../src/jobs/loss-curve";
import type { ChartSource } from "./chart-source";
import { lossText } from "./loss-text";

/** Maximum number of rows. */
const MOST_ROWS = 50;

interface Row {
  readonly step: number;
  readonly loss: number;
  readonly smoothed: number;
  readonly validation: number | undefined;
}

/** The curve as a table, for those who do not see it. */
export function LossTable({ source }: { readonly source: ChartSource }) {
  const isOpen = useSignal(false);
  return (
    <details onToggle={({ currentTarget }) => (isOpen.value = currentTarget.open)}>
      <summary>The losses as a table</summary>
      {isOpen.value && <Rows source={source} />}
    </details>
  );
}

function Rows({ source }: { readonly source: ChartSource }) {
  void source.changes.value;
  const rows = rowsOf(source.curve);
  const isHeldOut = source.curve.validation.length > 0;
  return (
    <table class="losses">
      <caption class="hidden">Losses in nats per character, at up to {MOST_ROWS} of the steps</caption>
      <thead>
        <tr>
          <th scope="col">step</th>
          <th scope="col">loss</th>
          <th scope="col">smoothed</th>
          {isHeldOut && <th scope="col">validation</th>}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ step, loss, smoothed, validation }) => (
          <tr key={step}>
            <th scope="row">{step.toLocaleString("en")}</th>
            <td>{lossText(loss, 3)}</td>
            <td>{lossText(smoothed, 3)}</td>
            {isHeldOut && <td>{lossText(validation, 3)}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Points at equal distances, and the last one, each with the last validation loss up to it. */
function rowsOf({ points, validation }: LossCurve): readonly Row[] {
  const last = points.length - 1;
  const every = Math.ceil(last / (MOST_ROWS - 1)) || 1;
  return points
    .filter((_, i) => i % every === 0 || i === last)
    .map(({ step, loss, smoothed }) => ({
      step,
      loss,
      smoothed,
      validation: validation.findLast((point) => point.step <= step)?.loss,
    }));
}

import type { SingleBar } from "cli-progress";
import type { Event } from "../../src/protocol/events";
import { formatText } from "../../src/protocol/text-log";
import { LossCurve } from "../../src/jobs/loss-curve";
import type { Output } from "../files/output";
import { loadDrawCurve } from "./curve";
import { showCursorWhileSuspended } from "./suspension";

/** Shows events: the log on standard output and, on a terminal, a progress bar below it. */
export interface Display {
  readonly onEvent: (event: Event) => void;
  readonly end: () => void;
}

/** Rows of the curve that is shown at the end of a training. */
const CURVE_ROWS = 16;
const MAX_COLUMNS = 100;

/** A generated name as a line of JSON; "" for other events. */
export function formatNameAsJson(event: Event): string {
  if (event.type !== "name") return "";
  const { number, name, isKnown } = event;
  return `${JSON.stringify({ number, name, isKnown })}\n`;
}

/** Plain output for a pipe or a file: `format` returns the text of an event, or "". */
export function plainDisplay(output: Output, format: (event: Event) => string): Display {
  return {
    onEvent: (event) => output.write(format(event)),
    end: () => undefined,
  };
}

export async function terminalDisplay(output: Output): Promise<Display> {
  // Loaded on demand, to keep start-up fast when output is a pipe.
  const { MultiBar } = await import("cli-progress");
  const drawCurve = await loadDrawCurve();
  const bars = new MultiBar({
    clearOnComplete: true,
    hideCursor: true,
    gracefulExit: false,
    etaBuffer: 500,
    stream: process.stdout,
    barsize: 24,
  });
  const curve = new LossCurve();
  let bar: SingleBar | undefined;
  let isOpen = true;
  let unfollow = (): void => undefined;
  /** The loss curve, or "" if the terminal is too small. */
  const drawn = (): string => {
    const { columns, rows } = process.stdout;
    const chart = drawCurve(curve, Math.min(columns, MAX_COLUMNS), Math.min(rows - 2, CURVE_ROWS), showsColours());
    return chart === undefined ? "" : `${chart}\n`;
  };
  const end = (): void => {
    if (!isOpen) return;
    isOpen = false;
    bars.update(); // prints buffered log lines
    bars.stop();
    unfollow();
  };
  const show = (value: number, of: number, format: string, payload: object): void => {
    if (!bar) {
      bar = bars.create(of, 0, payload, { format });
      unfollow = showCursorWhileSuspended(process.stdout);
    }
    bar.update(value, payload);
    if (value === of) end();
  };
  return {
    onEvent(event) {
      curve.onEvent(event);
      const text = formatText(event);
      if (event.type === "trained") end();
      if (isOpen && bar && text !== "") bars.log(text);
      else output.write(text);
      if (event.type === "step") show(event.step + 1, event.steps, STEP_FORMAT, lossesOf(curve));
      else if (event.type === "trained") output.write(drawn());
      else if (event.type === "progress") show(event.done, event.total, NAMES_FORMAT, {});
    },
    end,
  };
}

const STEP_FORMAT =
  "{bar} {percentage}% | step {value}/{total} | loss {loss} | smoothed {smoothed} | {eta_formatted} left";
const NAMES_FORMAT = "{bar} {percentage}% | {value}/{total} names | {eta_formatted} left";

/** Payload of the progress bar. */
function lossesOf({ loss, smoothed }: LossCurve): { loss: string; smoothed: string } {
  return { loss: loss?.toFixed(4) ?? "-", smoothed: smoothed?.toFixed(4) ?? "-" };
}

/** Whether to use colours on the terminal: see no-color.org. */
export function showsColours(): boolean {
  return process.env.NO_COLOR === undefined || process.env.NO_COLOR === "";
}

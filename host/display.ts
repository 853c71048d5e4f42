import type { SingleBar } from "cli-progress";
import type { Event, StepEvent } from "../src/program/events";
import { formatText } from "../src/program/text-log";
import type { Output } from "./output";

/** Shows events: the log on standard output, and on a terminal a bar below it. */
export interface Display {
  readonly hear: (event: Event) => void;
  readonly end: () => void;
}

/** How much of the smoothed loss a new one replaces. */
const SMOOTHING = 0.02;

/** Standard output as a pipe or file gets it. */
export function plainDisplay(output: Output): Display {
  return {
    hear: (event) => output.write(formatText(event)),
    end: () => undefined,
  };
}

export async function terminalDisplay(output: Output): Promise<Display> {
  // Loaded where it is needed: a start in a pipe does without.
  const { MultiBar } = await import("cli-progress");
  const bars = new MultiBar({
    clearOnComplete: true,
    hideCursor: true,
    gracefulExit: false,
    etaBuffer: 500,
    stream: process.stdout,
    barsize: 24,
  });
  const loss = new SmoothedLoss();
  let bar: SingleBar | undefined;
  let isOpen = true;
  const end = (): void => {
    if (!isOpen) return;
    isOpen = false;
    bars.update(); // writes what is still waiting to be logged
    bars.stop();
  };
  const show = (value: number, of: number, format: string, payload: object): void => {
    bar ??= bars.create(of, 0, payload, { format });
    bar.update(value, payload);
    if (value === of) end();
  };
  return {
    hear(event) {
      const text = formatText(event);
      if (isOpen && bar && text !== "") bars.log(text);
      else output.write(text);
      if (event.type === "step") show(event.step + 1, event.steps, STEP_FORMAT, loss.add(event));
      else if (event.type === "progress") show(event.done, event.total, NAMES_FORMAT, {});
    },
    end,
  };
}

const STEP_FORMAT =
  "{bar} {percentage}% | step {value}/{total} | loss {loss} | smoothed {smoothed} | {eta_formatted} left";
const NAMES_FORMAT = "{bar} {percentage}% | {value}/{total} names | {eta_formatted} left";

/** An exponential moving average that is not drawn to its start. */
class SmoothedLoss {
  private smoothed = 0;
  private weight = 0;

  /** Takes a step in, and returns what the bar shows. */
  add({ loss }: StepEvent): { loss: string; smoothed: string } {
    if (typeof loss === "number") {
      this.smoothed += SMOOTHING * (loss - this.smoothed);
      this.weight += SMOOTHING * (1 - this.weight);
    }
    return {
      loss: typeof loss === "number" ? loss.toFixed(4) : "-",
      smoothed: this.weight > 0 ? (this.smoothed / this.weight).toFixed(4) : "-",
    };
  }
}

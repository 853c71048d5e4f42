import { MultiBar, type SingleBar } from "cli-progress";

/** A log on standard output, and on a terminal a bar below it. */
export interface Display {
  readonly write: (text: string) => void;
  /** A step of training, counted from 0, and its loss (NaN when there is none). */
  readonly step?: (step: number, loss: number) => void;
  readonly progress?: (done: number, total: number) => void;
  readonly end: () => void;
}

/** How much of the smoothed loss a new one replaces. */
const SMOOTHING = 0.02;

/** Standard output as a pipe or file gets it. */
export function plainDisplay(): Display {
  return {
    write: (text) => void process.stdout.write(text),
    end: () => undefined,
  };
}

/** @param total steps of training, or undefined for a job that counts otherwise */
export function terminalDisplay(total: number | undefined): Display {
  const bars = new MultiBar({
    clearOnComplete: true,
    hideCursor: true,
    gracefulExit: false,
    etaBuffer: 500,
    stream: process.stdout,
    barsize: 24,
    format:
      total === undefined
        ? "{bar} {percentage}% | {value}/{total} names | {eta_formatted} left"
        : "{bar} {percentage}% | step {value}/{total} | loss {loss} | smoothed {smoothed} | {eta_formatted} left",
  });
  let bar: SingleBar | undefined;
  let isOpen = true;
  let smoothed = 0;
  let weight = 0;
  const end = (): void => {
    if (!isOpen) return;
    isOpen = false;
    bars.update(); // writes what is still waiting to be logged
    bars.stop();
  };
  const show = (value: number, of: number, payload: object): void => {
    bar ??= bars.create(of, 0, payload);
    bar.update(value, payload);
    if (value === of) end();
  };
  return {
    write(text) {
      if (isOpen && bar) bars.log(text);
      else process.stdout.write(text);
    },
    step(step, loss) {
      if (!Number.isNaN(loss)) {
        smoothed += SMOOTHING * (loss - smoothed);
        weight += SMOOTHING * (1 - weight);
      }
      const shown = Number.isNaN(loss) ? "-" : loss.toFixed(4);
      show(step + 1, total ?? 0, { loss: shown, smoothed: weight > 0 ? (smoothed / weight).toFixed(4) : "-" });
    },
    progress: (done, of) => show(done, of, {}),
    end,
  };
}

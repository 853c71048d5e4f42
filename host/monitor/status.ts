import type { Event } from "../../src/protocol/events";
import { LossCurve } from "../../src/jobs/loss-curve";
import { escapeLine } from "../../src/client/escape";
import type { DeviceStatus } from "../../src/client/parse-line";

/** Window over which the speed is measured, in milliseconds. */
const WINDOW = 5000;

/** The state of a board's training, as its events report it. */
export class Status {
  readonly curve = new LossCurve();
  private state = "";
  private step: number | undefined;
  private steps: number | undefined;
  private progress = "";
  private marks: { readonly time: number; readonly step: number }[] = [];

  /** @param time in milliseconds */
  onEvent(event: Event, time: number): void {
    this.curve.onEvent(event);
    if (event.type === "step") {
      if (event.step + 1 < (this.step ?? 0)) this.marks = [];
      this.step = event.step + 1;
      this.steps = event.steps;
      this.state = "training";
      this.marks.push({ time, step: event.step });
      // Keep one mark before the window: it is the window's start.
      this.marks.splice(0, this.marks.findIndex((mark) => mark.time >= time - WINDOW) - 1);
    }
    if (event.type === "trained") this.marks = [];
    this.progress = event.type === "progress" && event.done < event.total ? `${event.done}/${event.total} names` : "";
  }

  onStatus({ state, step, steps }: DeviceStatus): void {
    this.state = state;
    this.step = step ?? this.step;
    this.steps = steps ?? this.steps;
    if (state !== "training") this.marks = [];
  }

  /** Steps per second. */
  get speed(): number | undefined {
    const [first, last] = [this.marks.at(0), this.marks.at(-1)];
    if (!first || !last || last.time - first.time < WINDOW / 20) return undefined;
    return (last.step - first.step) / ((last.time - first.time) / 1000);
  }

  /** One line of text, the most important first. */
  describe(lost: number): string {
    const { loss, smoothed, validationLoss } = this.curve;
    const parts = [
      this.step === undefined ? "" : `step ${this.step}${this.steps === undefined ? "" : `/${this.steps}`}`,
      escapeLine(this.state.slice(0, 20)),
      this.progress,
      loss === undefined ? "" : `loss ${loss.toFixed(4)}`,
      smoothed === undefined ? "" : `smoothed ${smoothed.toFixed(4)}`,
      validationLoss === undefined ? "" : `val ${validationLoss.toFixed(4)}`,
      this.speed === undefined ? "" : `${this.speed >= 10 ? Math.round(this.speed) : this.speed.toFixed(1)} steps/s`,
      `${lost} lost`,
    ];
    return parts.filter((part) => part !== "").join(" │ ");
  }
}

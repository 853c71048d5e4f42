import { signal } from "@preact/signals";
import { LossCurve } from "../../src/jobs/loss-curve";
import type { Event } from "../../src/protocol/events";

/** The loss curve of a board's training. */
export class LiveCurve {
  readonly curve = new LossCurve();
  /** Incremented with every change. */
  readonly changes = signal(0);

  readonly onEvent = (event: Event): void => {
    this.curve.onEvent(event);
    this.changes.value++;
  };
}

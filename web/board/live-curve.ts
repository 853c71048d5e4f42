import { signal } from "@preact/signals";
import { LossCurve } from "../../src/jobs/loss-curve";
import type { Event } from "../../src/protocol/events";

/** The losses that a board tells. */
export class LiveCurve {
  readonly curve = new LossCurve();
  /** Counts what changes it. */
  readonly changes = signal(0);

  readonly onEvent = (event: Event): void => {
    this.curve.onEvent(event);
    this.changes.value++;
  };
}

import { LossCurve } from "../../src/jobs/loss-curve";
import type { Event } from "../../src/protocol/events";
import { MAX_NAMES, type Sample, type SavedView } from "./messages";

/** What the page shows of a training, collected in the worker so that it is saved with the checkpoint. */
export class View {
  private curve = new LossCurve();
  private lastNames: readonly Sample[] = [];

  /** Continues a saved view, unless it has steps beyond those done: it belongs to another training then. */
  restore({ curve, lastNames }: SavedView, stepsDone: number): void {
    if (curve.lastStep >= stepsDone) return;
    this.curve = LossCurve.from(curve);
    this.lastNames = lastNames;
  }

  onEvent(event: Event): void {
    if (event.type === "step") this.curve.onEvent(event);
  }

  /** Adds a name that was generated after the training. */
  add(name: Sample): void {
    this.lastNames = [...this.lastNames, name].slice(-MAX_NAMES);
  }

  get saved(): SavedView {
    const { curve, lastNames } = this;
    return { curve: curve.kept, lastNames };
  }
}

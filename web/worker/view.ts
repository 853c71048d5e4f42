import { LossCurve } from "../../src/jobs/loss-curve";
import type { Event } from "../../src/protocol/events";
import { MAX_SAMPLES, type Sample, type SavedView } from "./messages";

/** What the page shows of a training, collected in the worker so that it is saved with the checkpoint. */
export class View {
  private curve = new LossCurve();
  private samples: readonly Sample[] = [];
  private lastNames: readonly Sample[] = [];

  /** Continues a saved view, unless it has steps beyond those done: it belongs to another training then. */
  restore({ curve, samples, lastNames }: SavedView, stepsDone: number): void {
    if (curve.lastStep >= stepsDone) return;
    this.curve = LossCurve.from(curve);
    this.samples = samples;
    this.lastNames = lastNames;
  }

  onEvent(event: Event): void {
    if (event.type === "step") this.curve.onEvent(event);
  }

  /** @param isLast whether it was generated after the training */
  add(sample: Sample, isLast: boolean): void {
    if (isLast) this.lastNames = [...this.lastNames, sample].slice(-MAX_SAMPLES);
    else this.samples = [...this.samples, sample].slice(-MAX_SAMPLES);
  }

  get saved(): SavedView {
    const { curve, samples, lastNames } = this;
    return { curve: curve.kept, samples, lastNames };
  }
}

import type { Event } from "../../src/protocol/events";
import type { StartEvent, TrainedEvent } from "../../src/gpt/training/events";

/** Usage of the XS engine from the first step of a training to its last. Sizes are in bytes. */
export interface UsageReport {
  readonly type: "usage";
  readonly bytecodes: number;
  readonly collections: number;
  /**
   * `slots`, `chunks` and `stack` are peaks, including garbage; `peak` is what the engine reserved for all three;
   * `usedSlots` and `usedChunks` are in use at the end.
   */
  readonly heap: {
    readonly slots: number | null;
    readonly chunks: number | null;
    readonly stack: number | null;
    readonly peak: number | null;
    readonly usedSlots: number | null;
    readonly usedChunks: number | null;
  };
  /** What a device has in flash instead of RAM: bytecode and property names. */
  readonly flash: { readonly bytecode: number; readonly names: number };
}

/** Collects events for the line of JSON that --stats prints. */
export class Statistics {
  private start: StartEvent | undefined;
  private trained: TrainedEvent | undefined;
  private usage: UsageReport | undefined;

  onEvent(event: Event | UsageReport): void {
    if (event.type === "start") this.start = event;
    else if (event.type === "trained") this.trained = event;
    else if (event.type === "usage") this.usage = event;
  }

  /** False if a training reported that its model has not learnt. */
  get hasLearnt(): boolean {
    return this.trained?.isLearning ?? true;
  }

  /** The line of JSON; "" if nothing was trained. */
  format(): string {
    const { start, trained, usage } = this;
    if (!start || !trained) return "";
    const { milliseconds } = trained;
    const steps = trained.stepsDone - trained.from;
    return `${JSON.stringify({
      engine: start.place.toLowerCase(),
      ops: start.ops,
      steps,
      seconds: milliseconds / 1000,
      microsecondsPerStep: steps > 0 ? (1000 * milliseconds) / steps : null,
      bytecodesPerStep: usage && steps > 0 ? Math.round(usage.bytecodes / steps) : null,
      heap: usage?.heap ?? { slots: null, chunks: null, stack: null, peak: null, usedSlots: null, usedChunks: null },
      collections: usage?.collections ?? null,
      flash: usage?.flash ?? null,
    })}\n`;
  }
}

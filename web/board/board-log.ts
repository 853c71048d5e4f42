import { type ReadonlySignal, signal } from "@preact/signals";
import { escapeLine } from "../../src/client/escape";
import type { DeviceStatus } from "../../src/client/parse-line";
import type { Event } from "../../src/protocol/events";
import { Recent } from "./recent";

const MAX_LINES = 500;
const MAX_NAMES = 100;

/** A line of the console, with unsafe characters escaped. */
export interface ConsoleLine {
  /** Consecutive numbers. */
  readonly number: number;
  readonly kind: "said" | "typed" | "remark";
  readonly text: string;
}

/** A word that the board has generated. */
export interface WrittenName {
  readonly number: number;
  readonly name: string;
}

/** What a board has said, and what was said to it. */
export class BoardLog {
  /** The last status of the board's training. */
  readonly device = signal<DeviceStatus | undefined>(undefined);
  private readonly log = new Recent<ConsoleLine>(MAX_LINES);
  private readonly written = new Recent<WrittenName>(MAX_NAMES);
  private lineCount = 0;
  private nameCount = 0;

  get lines(): ReadonlySignal<readonly ConsoleLine[]> {
    return this.log.items;
  }

  get names(): ReadonlySignal<readonly WrittenName[]> {
    return this.written.items;
  }

  /** @param text escaped */
  show(kind: ConsoleLine["kind"], text: string): void {
    this.log.add({ number: this.lineCount++, kind, text });
  }

  /** Notes the events that tell the state of the training, and its words. */
  note(event: Event): void {
    if (event.type === "step") {
      const { step, steps, loss } = event;
      this.device.value = {
        state: "training",
        step: step + 1,
        steps,
        loss: typeof loss === "number" ? loss : undefined,
      };
    }
    if (event.type === "name") this.written.add({ number: this.nameCount++, name: escapeLine(event.name) });
  }

  /** Forgets the state of a training and its words; the lines stay. */
  forgetTraining(): void {
    this.device.value = undefined;
    this.written.clear();
  }

  noteStatus(state: DeviceStatus): void {
    this.device.value = { ...state, state: escapeLine(state.state.slice(0, 20)) };
  }
}

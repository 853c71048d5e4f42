import type { Event } from "../../src/protocol/events";
import type { RunContext } from "../../src/jobs/run-context";
import type { BootMarker, Platform } from "../../src/gpt/base/platform";
import { Runner } from "../../src/gpt/base/runner";
import { formatText } from "../../src/protocol/text-log";
import { typescriptOps } from "../../src/gpt/model/typescript-ops";
import { MemoryStorage } from "./memory-storage";

/** A place without files and clock: a test lets its event loop turn. */
export class MemoryPlatform implements Platform, RunContext {
  readonly place = "Node";
  readonly namesFile = "names.txt";
  readonly platform = this;
  readonly runner = new Runner(this);
  readonly emitsAllSteps = true;
  readonly provideOps = typescriptOps;
  bootMarker: BootMarker | undefined;
  log = "";
  /** Copies of what was told. */
  readonly events: Event[] = [];
  /** Turns of the event loop so far. */
  turns = 0;
  private readonly slices: (() => void)[] = [];
  private clock = 0;

  /** @param tick milliseconds that pass between two looks at the clock */
  constructor(
    readonly names: Uint8Array,
    readonly storage = new MemoryStorage(),
    private readonly tick = 0,
  ) {}

  readonly emit = (event: Event): void => {
    this.events.push({ ...event });
    this.log += formatText(event);
  };

  now(): number {
    return (this.clock += this.tick);
  }

  /** Lets time go by in which nothing happens. */
  wait(milliseconds: number): void {
    this.clock += milliseconds;
  }

  schedule(slice: () => void): void {
    this.slices.push(slice);
  }

  memoryBudget(): undefined {
    return undefined;
  }

  /** The events of one type. */
  of<Type extends Event["type"]>(type: Type): Extract<Event, { type: Type }>[] {
    return this.events.filter((event): event is Extract<Event, { type: Type }> => event.type === type);
  }

  /** One turn of the event loop; false when nothing waits. */
  turn(): boolean {
    const slice = this.slices.shift();
    if (!slice) return false;
    this.turns++;
    slice();
    return true;
  }

  /** Lets the event loop turn until the promise is settled. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = (): void => void (isSettled = true);
    promise.then(settled, settled);
    while (!isSettled) {
      this.turn();
      await new Promise(setImmediate);
    }
    return promise;
  }

  /** Lets the event loop turn until nothing waits. */
  async runToEnd(): Promise<void> {
    do await new Promise(setImmediate);
    while (this.turn());
  }
}

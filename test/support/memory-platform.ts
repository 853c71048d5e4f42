import type { Platform, Usage } from "../../src/platform";
import { MemoryStorage } from "./memory-storage";

/** A place without files and clock: a test lets its event loop turn. */
export class MemoryPlatform implements Platform {
  readonly engine = "Node";
  readonly namesFile = "names.txt";
  log = "";
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

  write(text: string): void {
    this.log += text;
  }

  now(): number {
    return (this.clock += this.tick);
  }

  schedule(slice: () => void): void {
    this.slices.push(slice);
  }

  room(): undefined {
    return undefined;
  }

  usage(): Usage {
    return { bytecodes: null, slots: null, chunks: null, stack: null, peak: null, collections: null, flash: null };
  }

  /** One turn of the event loop; false when nothing waits. */
  turn(): boolean {
    const slice = this.slices.shift();
    if (!slice) return false;
    this.turns++;
    slice();
    return true;
  }

  runToEnd(): void {
    while (this.turn());
  }

  /** Turns until nothing waits any more, promises included. */
  async settle(): Promise<void> {
    do await new Promise((resolve) => void setImmediate(resolve));
    while (this.turn());
  }
}

import { take, type Lock } from "../worker/locks";

/** How long another tab may take to save a training, in milliseconds; a tab that the browser has frozen does not. */
const PATIENCE_MS = 2000;

/**
 * Which tab keeps a training in the browser: the one that opened it, or went on with it, last. Two that did so would
 * overwrite each other's checkpoints.
 */
export class Claims {
  private readonly held = new Map<string, Promise<Lock>>();
  private readonly channel = new BroadcastChannel("esp32gpt");

  /** @param giveUp called when another tab claims a training; it may save it if `mayStore` */
  constructor(private readonly giveUp: (address: string, mayStore: boolean) => Promise<void>) {
    this.channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (typeof data === "string" && this.held.has(data)) void this.yield(data);
    };
  }

  /** Claims a training for this tab; another tab saves and gives it up first. Resolves to whether there was one. */
  async claim(address: string): Promise<boolean> {
    const present = this.held.get(address);
    if (present) {
      await present;
      return false;
    }
    const lost = (): void => {
      if (this.held.delete(address)) void this.giveUp(address, false);
    };
    const taking = take(`esp32gpt ${address}`, () => this.channel.postMessage(address), lost, PATIENCE_MS);
    this.held.set(address, taking);
    return (await taking).wasHeld;
  }

  /** Gives up all other trainings. */
  keepOnly(address: string): void {
    for (const other of [...this.held.keys()]) if (other !== address) void this.release(other);
  }

  private async yield(address: string): Promise<void> {
    await this.giveUp(address, true);
    await this.release(address);
  }

  private async release(address: string): Promise<void> {
    const lock = this.held.get(address);
    this.held.delete(address);
    (await lock)?.release();
  }
}

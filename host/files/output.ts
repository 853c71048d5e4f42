import type { Writable } from "node:stream";
import { reasonOf } from "../../src/places/node/file-errors";

/**
 * Standard output, or another stream, whose reader may be slow, leave, or have a full disk: writing goes
 * on into nothing then, and who cares asks.
 */
export class Output {
  /** Why nothing more can be written: "left" when the reader has gone, else a reason in words. */
  trouble: string | undefined;
  private readonly listeners: (() => void)[] = [];
  private onLost: (() => void) | undefined;

  constructor(readonly stream: Writable) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      this.trouble ??= error.code === "EPIPE" ? "left" : reasonOf(error);
      this.onLost?.();
      this.wake();
    });
    stream.on("drain", () => this.wake());
  }

  write(text: string): void {
    if (this.trouble === undefined && text !== "") this.stream.write(text);
  }

  get isFull(): boolean {
    return this.trouble === undefined && this.stream.writableNeedDrain;
  }

  /** Calls back, at once or when there is room to write again, or nothing left to wait for. */
  whenReady(callback: () => void): void {
    if (this.isFull) this.listeners.push(callback);
    else callback();
  }

  /** Calls back when nothing more can be written. */
  whenLost(callback: () => void): void {
    if (this.trouble === undefined) this.onLost = callback;
    else callback();
  }

  /** Stops caring: who waits goes on. */
  release(): void {
    this.trouble ??= "left";
    this.wake();
  }

  /**
   * Resolves when everything is written, or can no longer be.
   * @param patience milliseconds for a reader that takes nothing
   */
  flushed(patience = Infinity): Promise<void> {
    if (this.trouble !== undefined || this.stream.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      if (patience < Infinity) setTimeout(resolve, patience);
      this.stream.once("error", () => resolve());
      this.stream.write("", () => resolve());
    });
  }

  private wake(): void {
    for (const listener of this.listeners.splice(0)) listener();
  }
}

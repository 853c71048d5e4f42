import type { Writable } from "node:stream";
import { reasonOf } from "../../src/places/node/file-errors";

/**
 * A writable stream, such as standard output, whose reader may be slow, may close it, or whose disk may be full.
 * After a failure writes are ignored; `trouble` says what happened.
 */
export class Output {
  /** Why writing is no longer possible: "left" when the reader has closed the stream, else a reason for a message. */
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

  /** Calls back when the stream can take more, or when writing is no longer possible. */
  whenReady(callback: () => void): void {
    if (this.isFull) this.listeners.push(callback);
    else callback();
  }

  /** Calls back when writing is no longer possible. */
  whenLost(callback: () => void): void {
    if (this.trouble === undefined) this.onLost = callback;
    else callback();
  }

  /** Gives up on the reader: callbacks that wait for it run now. */
  release(): void {
    this.trouble ??= "left";
    this.wake();
  }

  /**
   * Resolves when everything is written, or writing is no longer possible.
   * @param patience timeout in milliseconds for a reader that does not read
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

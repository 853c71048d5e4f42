import { Duplex } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { PortMissingError } from "./connection";

/** Interval between connection attempts, in milliseconds. */
const INTERVAL = 300;
/** Failed attempts to tolerate after a disconnect: a device may appear before its permissions are set. */
const MAX_FAILURES = 15;

/** Receives the state of a connection. */
export interface ConnectionListener {
  /** The board is not connected; the connection waits for it. */
  onWaiting(): void;
  /** The board is connected. */
  onConnect(): void;
}

/** A stream to a board that waits for it at the start and reconnects whenever the connection is lost. */
export class ReconnectingConnection extends Duplex {
  private inner: Duplex | undefined;
  /** The write to perform once connected. */
  private pending: (() => void) | undefined;
  /** Callback of the write in progress. */
  private written: (() => void) | undefined;
  private hasBeenConnected = false;

  /**
   * @param open connects to the board
   * @param ending aborts to stop reconnecting
   */
  constructor(
    private readonly open: () => Promise<Duplex>,
    private readonly listener: ConnectionListener,
    private readonly ending: AbortSignal,
  ) {
    super({ allowHalfOpen: true });
    this.search().catch((error: unknown) => this.destroy(error as Error));
  }

  get isConnected(): boolean {
    return this.inner !== undefined;
  }

  override _read(): void {
    this.inner?.resume();
  }

  override _write(bytes: Uint8Array, _encoding: string, done: () => void): void {
    const write = (): void => {
      const { inner } = this;
      if (!inner) return;
      this.pending = undefined;
      this.written = done;
      inner.write(bytes, () => this.advance(done));
    };
    this.pending = write;
    write();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.inner?.destroy();
    done(error);
  }

  private async search(isWaiting = false): Promise<void> {
    let failures = 0;
    for (;;) {
      if (isWaiting) await setTimeout(INTERVAL, undefined, { signal: this.ending }).catch(() => undefined);
      if (this.destroyed || this.ending.aborted) return;
      try {
        const inner = await this.open();
        this.adopt(inner);
        return;
      } catch (error) {
        if (!(error instanceof PortMissingError) && (!this.hasBeenConnected || ++failures > MAX_FAILURES)) throw error;
      }
      if (!isWaiting) this.listener.onWaiting();
      isWaiting = true;
    }
  }

  private adopt(inner: Duplex): void {
    if (this.destroyed) {
      inner.destroy();
      return;
    }
    this.inner = inner;
    this.hasBeenConnected = true;
    inner.on("data", (bytes: Uint8Array) => {
      if (!this.push(bytes)) inner.pause();
    });
    inner.on("error", () => inner.destroy());
    inner.on("end", () => inner.destroy());
    inner.on("close", () => this.lose());
    this.listener.onConnect();
    this.pending?.();
  }

  private advance(written = this.written): void {
    if (written === undefined || written !== this.written) return;
    this.written = undefined;
    written();
  }

  private lose(): void {
    if (!this.inner) return;
    this.inner = undefined;
    // Data in transit is lost; wait for the board.
    this.advance();
    if (this.destroyed || this.ending.aborted) return;
    this.listener.onWaiting();
    this.search(true).catch((error: unknown) => this.destroy(error as Error));
  }
}

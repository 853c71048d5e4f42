import { Duplex } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { PortMissingError } from "./connection";

/** How often to look whether the board is there again, in milliseconds. */
const INTERVAL = 300;
/** A device that has just been plugged in may for a moment belong to nobody: so often it is tried all the same. */
const MAX_FAILURES = 15;

/** Who is told how it stands with a connection. */
export interface ConnectionListener {
  /** The board is not there: it is waited for. */
  onWaiting(): void;
  /** It is there. */
  onConnect(): void;
}

/** A connection that waits for the board, at first and whenever it has gone. */
export class ReconnectingConnection extends Duplex {
  private inner: Duplex | undefined;
  /** What is to be written when the board is there. */
  private pending: (() => void) | undefined;
  /** To be called when what was written last has gone on its way. */
  private written: (() => void) | undefined;
  private hasBeenConnected = false;

  /**
   * @param open opens the way to the board
   * @param ending gives up
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
    // What is lost with the connection is lost; the board is waited for.
    this.advance();
    if (this.destroyed || this.ending.aborted) return;
    this.listener.onWaiting();
    this.search(true).catch((error: unknown) => this.destroy(error as Error));
  }
}

import { checkInteger, InputError } from "../gpt/base/errors";
import type { Emit } from "../protocol/events";
import type { Clock, NewFile, Storage } from "../gpt/base/platform";
import type { Task } from "../gpt/base/runner";
import { decodeBase64, encodeBase64 } from "../protocol/base64";
import { CHUNK_BYTES, DATA_BYTES, MAX_CHUNKS } from "../protocol/lines";

/** Timeout of a transfer in milliseconds without a command of the client; longer than the client's own timeout. */
const TRANSFER_TIMEOUT_MS = 30_000;
/** Maximum size of a checkpoint in bytes, independent of the storage. */
const MAX_BYTES = 16 << 20;

/** The dependencies of a Transfer. */
export interface TransferParts {
  readonly storage: Storage;
  /** File name of the checkpoint that is fetched by default. */
  readonly stored: string;
  /** File name of the received checkpoint. */
  readonly received: string;
  readonly clock: Clock;
  readonly emit: Emit;
  /** Runs a task whose units of work emit one chunk each, with back pressure. */
  readonly runWithBackPressure: (task: Task) => Promise<unknown>;
}

/** The device's side of checkpoint transfers, as PROTOCOL.md describes them. */
export class Transfer {
  /** Time at which the current fetch expires. */
  private fetchUntil = -Infinity;
  /** File name of the checkpoint that is being fetched. */
  private fetched = "";
  private incoming: { readonly file: NewFile; readonly size: number; at: number; until: number } | undefined;
  /** Number of receive transfers started or cancelled: detects a change during an await. */
  private turns = 0;
  /** Resolves when the chunks requested so far are emitted. */
  private emitting: Promise<void> = Promise.resolve();

  constructor(private readonly parts: TransferParts) {}

  /** Whether a transfer is in progress. @param now time of the clock */
  isUnderWay(now: number): boolean {
    return now < this.fetchUntil || (this.incoming !== undefined && now < this.incoming.until);
  }

  /** Whether a checkpoint is being fetched: no checkpoint may change meanwhile. */
  get isFetching(): boolean {
    return this.parts.clock.now() < this.fetchUntil;
  }

  beginFetch(name = this.parts.stored): void {
    this.fetched = name;
    this.fetchUntil = this.parts.clock.now() + TRANSFER_TIMEOUT_MS;
  }

  endFetch(): void {
    this.fetchUntil = -Infinity;
  }

  /**
   * Emits `count` chunks of the fetched checkpoint from byte offset `at`; fewer at the end of the file.
   * @throws InputError (as a rejection) when no fetch is running, or the offset is out of range
   */
  chunk(at: number, count: number): Promise<void> {
    // Requests may overlap: their chunks are emitted in order.
    const emitting = this.emitting.then(() => this.emitChunks(at, count));
    this.emitting = emitting.catch(() => undefined);
    return emitting;
  }

  private async emitChunks(at: number, count: number): Promise<void> {
    checkInteger("The number of chunks", count, 1, MAX_CHUNKS);
    if (!this.isFetching)
      throw new InputError("Nothing is being fetched: it was not started or has timed out; fetch it again.");
    const file = await this.parts.storage.open(this.fetched);
    if (!file) throw new InputError("There is no checkpoint.");
    try {
      const { size } = file;
      checkInteger("The offset", at, 0, size - 1);
      const end = Math.min(at + count * CHUNK_BYTES, size);
      await this.parts.runWithBackPressure({
        work: () => {
          const bytes = new Uint8Array(Math.min(CHUNK_BYTES, end - at));
          file.read(at, bytes);
          this.parts.emit({ type: "chunk", at, size, data: encodeBase64(bytes) });
          at += bytes.length;
          return at < end;
        },
      });
    } finally {
      file.close();
    }
    // endFetch() may have been called during the await.
    if (this.fetchUntil > -Infinity) this.beginFetch(this.fetched);
  }

  /**
   * Starts receiving a checkpoint, and cancels an earlier transfer.
   * @param size in bytes
   * @returns the offset of the next byte: 0
   * @throws InputError (as a rejection) when the size is out of range, the file cannot be created, or it was cancelled
   */
  async receive(size: number): Promise<number> {
    checkInteger("The size", size, 1, MAX_BYTES);
    this.cancel();
    const { turns } = this;
    const file = await this.parts.storage.create(this.parts.received);
    if (turns !== this.turns) {
      file.abort();
      throw new InputError("It was cancelled, or another transfer started.");
    }
    this.incoming = { file, size, at: 0, until: this.parts.clock.now() + TRANSFER_TIMEOUT_MS };
    return 0;
  }

  /**
   * Appends the bytes in `text` if `at` is the next offset; other offsets are ignored.
   * @returns the offset of the next byte
   * @throws InputError for invalid base64, or for more bytes than announced
   */
  data(at: number, text: string): number {
    const incoming = this.checkIncoming();
    const bytes = decodeBase64(text);
    if (!bytes || bytes.length === 0 || bytes.length > DATA_BYTES)
      throw new InputError(`Data are 1 to ${DATA_BYTES} bytes in base64.`);
    if (at === incoming.at) {
      if (at + bytes.length > incoming.size) throw new InputError(`The data exceeds ${incoming.size} bytes.`);
      this.orCancel(() => incoming.file.write(bytes));
      incoming.at += bytes.length;
    }
    incoming.until = this.parts.clock.now() + TRANSFER_TIMEOUT_MS;
    return incoming.at;
  }

  /** Disables the timeout: all data has arrived, and `received` waits for its turn. */
  keepIncoming(): void {
    if (this.incoming && this.parts.clock.now() < this.incoming.until) this.incoming.until = Infinity;
  }

  /**
   * Completes the transfer: commits the file.
   * @throws InputError (as a rejection) when bytes are missing, or the file cannot be written
   */
  async received(): Promise<void> {
    const { file, at, size } = this.checkIncoming();
    if (at < size) throw new InputError(`Only ${at} of ${size} bytes have arrived.`);
    this.incoming = undefined;
    await file.commit();
  }

  /** Cancels a transfer that has timed out: its partial file occupies flash. */
  forget(): void {
    if (this.incoming && this.parts.clock.now() >= this.incoming.until) this.cancel();
  }

  cancel(): void {
    this.turns++;
    this.incoming?.file.abort();
    this.incoming = undefined;
  }

  private checkIncoming(): NonNullable<Transfer["incoming"]> {
    this.forget();
    if (!this.incoming)
      throw new InputError("Nothing is being received: it was not started or has timed out; send it again.");
    return this.incoming;
  }

  private orCancel(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.cancel();
      throw error;
    }
  }
}

import { checkInteger } from "../gpt/model/config";
import { InputError } from "../gpt/base/errors";
import type { Emit } from "../protocol/events";
import type { Clock, NewFile, Storage } from "../gpt/base/platform";
import type { Task } from "../gpt/base/runner";
import { decodeBase64, encodeBase64 } from "../protocol/base64";
import { CHUNK_BYTES, DATA_BYTES, MAX_CHUNKS } from "../protocol/lines";

/** Milliseconds without a word from the other side after which a transfer is forgotten: later than it gives up. */
const TRANSFER_TIMEOUT_MS = 30_000;
/** Bytes that a checkpoint may have, however large the storage is. */
const MAX_BYTES = 16 << 20;

/** What a Transfer works on. */
export interface TransferParts {
  readonly storage: Storage;
  /** The name of the checkpoint that is fetched unless another is named. */
  readonly stored: string;
  /** The name of the file that is received. */
  readonly received: string;
  readonly clock: Clock;
  readonly emit: Emit;
  /** Runs a task, a bit of which tells a chunk: each when there is room for it. */
  readonly runWithBackPressure: (task: Task) => Promise<unknown>;
}

/** Carries checkpoints over the cable, as PROTOCOL.md has it. */
export class Transfer {
  /** When nobody fetches any more. */
  private fetchUntil = -Infinity;
  /** The name of the checkpoint that is fetched. */
  private fetched = "";
  private incoming: { readonly file: NewFile; readonly size: number; at: number; until: number } | undefined;
  /** How many were begun or forgotten. */
  private turns = 0;
  /** The chunks that were asked for last. */
  private telling: Promise<void> = Promise.resolve();

  constructor(private readonly parts: TransferParts) {}

  /** Whether a checkpoint is being carried, at a time of the clock. */
  isUnderWay(now: number): boolean {
    return now < this.fetchUntil || (this.incoming !== undefined && now < this.incoming.until);
  }

  /** Whether a checkpoint is being fetched, and all must stay as they are. */
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
   * Tells `count` chunks of the checkpoint that is fetched from byte `at` on, less where it ends.
   * @throws InputError (as a rejection) for a place that it does not have
   */
  chunk(at: number, count: number): Promise<void> {
    // One after the other: several may be asked for at the same time.
    const telling = this.telling.then(() => this.tellChunks(at, count));
    this.telling = telling.catch(() => undefined);
    return telling;
  }

  private async tellChunks(at: number, count: number): Promise<void> {
    checkInteger("The number of chunks", count, 1, MAX_CHUNKS);
    if (!this.isFetching)
      throw new InputError(
        "Nothing is being fetched: it was not begun, or the board has forgotten it; fetch it again.",
      );
    const file = await this.parts.storage.open(this.fetched);
    if (!file) throw new InputError("There is no checkpoint.");
    try {
      const { size } = file;
      checkInteger("The place", at, 0, size - 1);
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
    // It may have ended meanwhile.
    if (this.fetchUntil > -Infinity) this.beginFetch(this.fetched);
  }

  /** Begins to receive a checkpoint of so many bytes; one that was begun before is forgotten. */
  async receive(size: number): Promise<number> {
    checkInteger("The size", size, 1, MAX_BYTES);
    this.cancel();
    const { turns } = this;
    const file = await this.parts.storage.create(this.parts.received);
    if (turns !== this.turns) {
      file.abort();
      throw new InputError("It was cancelled, or another one was begun.");
    }
    this.incoming = { file, size, at: 0, until: this.parts.clock.now() + TRANSFER_TIMEOUT_MS };
    return 0;
  }

  /**
   * Takes the bytes from place `at` on, when that is the place that comes next; returns the one that does.
   * @throws InputError for what is no base64, or too much
   */
  data(at: number, text: string): number {
    const incoming = this.checkIncoming();
    const bytes = decodeBase64(text);
    if (!bytes || bytes.length === 0 || bytes.length > DATA_BYTES)
      throw new InputError(`Data are 1 to ${DATA_BYTES} bytes in base64.`);
    if (at === incoming.at) {
      if (at + bytes.length > incoming.size) throw new InputError(`These are more than ${incoming.size} bytes.`);
      this.orCancel(() => incoming.file.write(bytes));
      incoming.at += bytes.length;
    }
    incoming.until = this.parts.clock.now() + TRANSFER_TIMEOUT_MS;
    return incoming.at;
  }

  /** Nothing more comes: it is forgotten no more because of that. */
  keepIncoming(): void {
    if (this.incoming && this.parts.clock.now() < this.incoming.until) this.incoming.until = Infinity;
  }

  /**
   * Ends it: the file is there under its name.
   * @throws InputError (as a rejection) when it is not whole
   */
  async received(): Promise<void> {
    const { file, at, size } = this.checkIncoming();
    if (at < size) throw new InputError(`Only ${at} of ${size} bytes have arrived.`);
    this.incoming = undefined;
    await file.commit();
  }

  /** Forgets a file of which nothing has come for 30 s: it takes room in flash. */
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
      throw new InputError(
        "Nothing is being received: it was not begun, or the board has forgotten it; send it again.",
      );
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

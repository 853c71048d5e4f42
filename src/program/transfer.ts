import { checkInteger } from "../config";
import { InputError } from "../errors";
import type { Tell } from "./events";
import type { Clock, NewFile, Storage } from "../platform";
import { decodeBase64, encodeBase64 } from "../protocol/base64";
import { CHUNK_BYTES, DATA_BYTES, MOST_CHUNKS } from "../protocol/lines";

/** Milliseconds without a word from the other side after which a transfer is forgotten: later than it gives up. */
const PATIENCE = 30_000;
/** Bytes that a checkpoint may have, however large the storage is. */
const MOST_BYTES = 16 << 20;

/** Carries checkpoints over the cable, as PROTOCOL.md has it. */
export class Transfer {
  /** When nobody fetches any more. */
  private fetchUntil = -Infinity;
  private incoming: { readonly file: NewFile; readonly size: number; at: number; until: number } | undefined;

  constructor(
    private readonly storage: Storage,
    /** The names of the checkpoint that is fetched, and of the file that is received. */
    private readonly stored: string,
    private readonly incomingName: string,
    private readonly clock: Clock,
    private readonly tell: Tell,
  ) {}

  /** Whether the stored checkpoint is being fetched, and must stay as it is. */
  get isFetching(): boolean {
    return this.clock.now() < this.fetchUntil;
  }

  beginFetch(): void {
    this.fetchUntil = this.clock.now() + PATIENCE;
  }

  endFetch(): void {
    this.fetchUntil = -Infinity;
  }

  /**
   * Tells `count` chunks of the stored checkpoint from byte `at` on, less where it ends.
   * @throws InputError (as a rejection) for a place that it does not have
   */
  async chunk(at: number, count: number): Promise<void> {
    checkInteger("The number of chunks", count, 1, MOST_CHUNKS);
    if (!this.isFetching) throw new InputError("Nothing is being fetched: begin with fetch.");
    const file = await this.storage.open(this.stored);
    if (!file) throw new InputError("There is no checkpoint.");
    try {
      const { size } = file;
      checkInteger("The place", at, 0, size - 1);
      for (let i = 0; i < count && at < size; i++) {
        const bytes = new Uint8Array(Math.min(CHUNK_BYTES, size - at));
        file.read(at, bytes);
        this.tell({ type: "chunk", at, size, data: encodeBase64(bytes) });
        at += bytes.length;
      }
    } finally {
      file.close();
    }
    this.beginFetch();
  }

  /** Begins to receive a checkpoint of so many bytes; one that was begun before is forgotten. */
  async receive(size: number): Promise<number> {
    checkInteger("The size", size, 1, MOST_BYTES);
    this.cancel();
    this.incoming = {
      file: await this.storage.create(this.incomingName),
      size,
      at: 0,
      until: this.clock.now() + PATIENCE,
    };
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
    incoming.until = this.clock.now() + PATIENCE;
    return incoming.at;
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

  cancel(): void {
    this.incoming?.file.abort();
    this.incoming = undefined;
  }

  private checkIncoming(): NonNullable<Transfer["incoming"]> {
    if (this.incoming && this.clock.now() >= this.incoming.until) this.cancel();
    if (!this.incoming) throw new InputError("Nothing is being received: begin with receive SIZE.");
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

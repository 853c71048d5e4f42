import { InputError } from "../gpt/base/errors";
import { decodeBase64 } from "../protocol/base64";
import { type Ack, type Commands, DAMAGED, GONE, refusalOf, type Waiter } from "./commands";
import { CHUNK_BYTES, type DeviceLine, MAX_CHUNKS } from "../protocol/lines";

/** Called with the number of bytes transferred, and the total. */
export type Progress = (done: number, total: number) => void;

/** Maximum size of a fetched file: limits what a client allocates on the word of a board. */
export const MAX_FILE_BYTES = 16 << 20;
/** Maximum number of consecutive acknowledgements without a new chunk. */
const MAX_FRUITLESS = 20;
/** Maximum number of consecutive timeouts. */
const MAX_PAUSES = 5;
/** Maximum number of consecutive damaged requests. */
const MAX_DAMAGED = 50;
/**
 * The next request is sent when this many chunks are outstanding, which keeps the line busy meanwhile. Together with
 * the chunks of that request they fit into the output queue of a device without back pressure.
 */
const CHUNKS_AHEAD = 2;

/** A `chunk` command in progress: chunk indices, not bytes. */
interface Request {
  readonly id: number;
  readonly first: number;
  readonly count: number;
}

/**
 * Fetches a file in chunks, which may arrive in any order. The device answers requests in order: when one is
 * acknowledged, chunks of it and of earlier requests that have not arrived are lost, and requested again.
 */
export class FetchTransfer implements Waiter {
  private bytes: Uint8Array | undefined;
  private hasArrived = new Uint8Array(0);
  private chunksArrived = 0;
  private firstMissing = 0;
  private underWay: Request[] = [];
  /** Whether requests overlap; after a timeout they are sent one at a time until a chunk arrives. */
  private isFluent = false;
  private arrivedBefore = 0;
  private fruitless = 0;
  private pauses = 0;
  private damagedInARow = 0;
  private trouble: Error | undefined;
  private end: (() => void) | undefined;
  private giveUp: ((reason: Error) => void) | undefined;

  constructor(
    private readonly commands: Commands,
    private readonly progress: Progress,
  ) {}

  /** Returns the file. @throws InputError (as a rejection) when the device refuses or does not answer */
  async run(): Promise<Uint8Array> {
    await this.commands.run("fetch");
    await new Promise<void>((resolve, reject) => {
      if (this.trouble) reject(this.trouble);
      this.end = resolve;
      this.giveUp = reject;
      this.advance();
    });
    // The file is complete. If this command fails, the device ends the fetch by its own timeout.
    await this.commands.run("fetched", { isAtOnce: true }).catch((error: unknown) => {
      if (!(error instanceof InputError)) throw error;
    });
    return this.bytes ?? new Uint8Array(0);
  }

  /** Processes a `chunk` line; invalid and duplicate chunks are ignored. */
  take({ at, size, data }: DeviceLine): void {
    if (!Number.isSafeInteger(size) || (size as number) < 1 || typeof at !== "number" || typeof data !== "string")
      return;
    const total = size as number;
    if (total > MAX_FILE_BYTES) {
      this.onError(new InputError(`The board reports a file of ${total} bytes, too large for a checkpoint.`));
      return;
    }
    if (this.bytes === undefined) {
      this.bytes = new Uint8Array(total);
      this.hasArrived = new Uint8Array(Math.ceil(total / CHUNK_BYTES));
    }
    if (total !== this.bytes.length) {
      this.onError(new InputError("The file on the board changed during the fetch: fetch it again."));
      return;
    }
    const chunk = at / CHUNK_BYTES;
    const piece = decodeBase64(data);
    if (this.hasArrived[chunk] !== 0 || piece?.length !== Math.min(CHUNK_BYTES, total - at)) return;
    this.bytes.set(piece, at);
    this.hasArrived[chunk] = 1;
    this.chunksArrived++;
    while (this.hasArrived[this.firstMissing] === 1) this.firstMissing++;
    this.progress(Math.min(this.chunksArrived * CHUNK_BYTES, total), total);
    if (this.isFluent) this.advance();
  }

  onAck({ ok, error }: Ack, id: number): void {
    const place = this.underWay.findIndex((request) => request.id === id);
    if (place < 0) return;
    if (!ok) {
      this.onError(refusalOf({ error }));
      return;
    }
    for (const request of this.underWay.splice(0, place + 1)) this.commands.forget(request.id);
    this.pauses = this.damagedInARow = 0;
    this.fruitless = this.chunksArrived > this.arrivedBefore ? 0 : this.fruitless + 1;
    this.arrivedBefore = this.chunksArrived;
    if (this.fruitless > MAX_FRUITLESS) {
      this.onError(new InputError("The board acknowledges, but no data arrives: try again."));
      return;
    }
    if (this.fruitless === 0) this.isFluent = true;
    this.advance();
  }

  onTimeout(): void {
    if (this.underWay.length === 0) return;
    if (this.pauses++ === MAX_PAUSES) {
      this.onError(new InputError(GONE));
      return;
    }
    this.isFluent = false;
    this.forgetRequests();
    this.advance();
  }

  onDamaged(id: number): void {
    // Every request gets this callback for one damaged line: handle it once. With others in progress, acknowledgements
    // show what is missing.
    if (id !== this.underWay.at(-1)?.id) return;
    if (this.damagedInARow++ === MAX_DAMAGED) {
      this.onError(new InputError(DAMAGED));
      return;
    }
    if (this.underWay.length > 1) return;
    this.forgetRequests();
    this.advance();
  }

  onError(reason: Error): void {
    this.trouble ??= reason;
    this.forgetRequests();
    this.giveUp?.(reason);
  }

  /** Requests missing chunks as far as flow control allows. */
  private advance(): void {
    if (this.trouble) return;
    if (this.bytes && this.chunksArrived === this.hasArrived.length) {
      this.forgetRequests();
      this.end?.();
      return;
    }
    if (this.underWay.length > 1 || this.chunksToArrive > (this.isFluent ? CHUNKS_AHEAD : 0)) return;
    let first = this.firstMissing;
    while (first < this.hasArrived.length && !this.isWanted(first)) first++;
    if (!this.isWanted(first)) return;
    let count = 1;
    while (count < MAX_CHUNKS && this.isWanted(first + count)) count++;
    const id = this.commands.send(`chunk ${first * CHUNK_BYTES} ${count}`, this);
    this.underWay.push({ id, first, count });
  }

  /** Whether a chunk has not arrived; true for any chunk while the size is unknown. */
  private isMissing(chunk: number): boolean {
    return this.bytes === undefined || this.hasArrived[chunk] === 0;
  }

  /** Whether a chunk is missing and not requested. */
  private isWanted(chunk: number): boolean {
    return this.isMissing(chunk) && !this.underWay.some(({ first, count }) => chunk >= first && chunk < first + count);
  }

  private get chunksToArrive(): number {
    let sum = 0;
    for (const { first, count } of this.underWay)
      for (let chunk = first; chunk < first + count; chunk++) if (this.isMissing(chunk)) sum++;
    return sum;
  }

  private forgetRequests(): void {
    for (const { id } of this.underWay) this.commands.forget(id);
    this.underWay = [];
  }
}

import { InputError } from "../gpt/base/errors";
import { decodeBase64 } from "../protocol/base64";
import { type Ack, type Commands, DAMAGED, GONE, refusalOf, type Waiter } from "./commands";
import { CHUNK_BYTES, type DeviceLine, MAX_CHUNKS } from "../protocol/lines";

/** Called with the bytes that have been carried, and how many there are. */
export type Progress = (done: number, total: number) => void;

/** What a board could hold: a page or a monitor allocates no more because a board says so. */
export const MAX_FILE_BYTES = 16 << 20;
/** How often in a row the device may answer without anything that was missing. */
const MAX_FRUITLESS = 20;
/** How often in a row the device may be silent. */
const MAX_PAUSES = 5;
/** How often in a row a request may be damaged on its way. */
const MAX_DAMAGED = 50;
/**
 * The next request is sent while so many chunks are still to arrive: they are on the line while it is on its way.
 * With its own they fit into the output queue of a device that does not wait for room in it.
 */
const CHUNKS_AHEAD = 2;

/** A `chunk` command under way. */
interface Request {
  readonly id: number;
  readonly first: number;
  readonly count: number;
}

/**
 * The file of a device, put together from its chunks in whatever order these arrive. The device answers requests in
 * their order: when one is acknowledged, what has not arrived of those before it is missing, and asked for again.
 */
export class FetchTransfer implements Waiter {
  private bytes: Uint8Array | undefined;
  private hasArrived = new Uint8Array(0);
  private chunksArrived = 0;
  private firstMissing = 0;
  private underWay: Request[] = [];
  /** Whether requests follow each other without a pause: a device that was silent is asked one at a time. */
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

  /** @throws InputError when the device refuses, or does not answer */
  async run(): Promise<Uint8Array> {
    await this.commands.run("fetch");
    await new Promise<void>((resolve, reject) => {
      if (this.trouble) reject(this.trouble);
      this.end = resolve;
      this.giveUp = reject;
      this.advance();
    });
    // Everything is here; that the device saves again can wait until it has noticed itself.
    await this.commands.run("fetched", { isAtOnce: true }).catch((error: unknown) => {
      if (!(error instanceof InputError)) throw error;
    });
    return this.bytes ?? new Uint8Array(0);
  }

  /** Takes a line of type chunk; what is none that was asked for is passed over. */
  take({ at, size, data }: DeviceLine): void {
    if (!Number.isSafeInteger(size) || (size as number) < 1 || typeof at !== "number" || typeof data !== "string")
      return;
    const total = size as number;
    if (total > MAX_FILE_BYTES) {
      this.onError(new InputError(`The board has a file of ${total} bytes, more than a checkpoint can have there.`));
      return;
    }
    if (this.bytes === undefined) {
      this.bytes = new Uint8Array(total);
      this.hasArrived = new Uint8Array(Math.ceil(total / CHUNK_BYTES));
    }
    if (total !== this.bytes.length) {
      this.onError(new InputError("The file on the board has changed while it was fetched: fetch it again."));
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
      this.onError(new InputError("The board acknowledges, but nothing of the file arrives."));
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
    // One line was damaged, but everybody who waits hears of it. Where others are under way, their acknowledgements tell.
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

  /** Asks for what is missing. */
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

  /** Of a file of which nothing is known, every chunk is. */
  private isMissing(chunk: number): boolean {
    return this.bytes === undefined || this.hasArrived[chunk] === 0;
  }

  /** Whether it is missing, and nobody has asked for it. */
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

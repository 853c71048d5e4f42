import { InputError } from "../errors";
import { decodeBase64 } from "./base64";
import type { Commands } from "./commands";
import { CHUNK_BYTES, type DeviceLine, MOST_CHUNKS } from "./lines";

/** Called with the bytes that have been carried, and how many there are. */
export type Progress = (done: number, total: number) => void;

/** What a board could hold: a page or a monitor allocates no more because a board says so. */
export const MOST_FILE_BYTES = 16 << 20;
/** How often the device may answer without anything that was missing. */
const MOST_FRUITLESS = 20;

/** The file of a device, put together from its chunks in whatever order these arrive. */
export class Fetching {
  private bytes: Uint8Array | undefined;
  private hasArrived = new Uint8Array(0);
  private chunksArrived = 0;
  private firstMissing = 0;
  private trouble: InputError | undefined;

  constructor(
    private readonly commands: Commands,
    private readonly progress: Progress,
  ) {}

  /** @throws InputError when the device refuses, or does not answer */
  async run(): Promise<Uint8Array> {
    await this.commands.run("fetch");
    let fruitless = 0;
    for (;;) {
      const before = this.chunksArrived;
      await this.commands.run(`chunk ${this.firstMissing * CHUNK_BYTES} ${this.missing()}`);
      if (this.trouble) throw this.trouble;
      if (this.bytes && this.chunksArrived === this.hasArrived.length) break;
      fruitless = this.chunksArrived > before ? 0 : fruitless + 1;
      if (fruitless > MOST_FRUITLESS) throw new InputError("The board acknowledges, but nothing of the file arrives.");
    }
    // Everything is here; that the device saves again can wait until it has noticed itself.
    await this.commands.run("fetched").catch((error: unknown) => {
      if (!(error instanceof InputError)) throw error;
    });
    return this.bytes;
  }

  /** Takes a line of type chunk; what is none that was asked for is passed over. */
  take({ at, size, data }: DeviceLine): void {
    if (!Number.isSafeInteger(size) || (size as number) < 1 || typeof at !== "number" || typeof data !== "string")
      return;
    const total = size as number;
    if (total > MOST_FILE_BYTES) {
      this.trouble = new InputError(`The board has a file of ${total} bytes, more than a checkpoint can have there.`);
      return;
    }
    if (this.bytes === undefined) {
      this.bytes = new Uint8Array(total);
      this.hasArrived = new Uint8Array(Math.ceil(total / CHUNK_BYTES));
    }
    if (total !== this.bytes.length) {
      this.trouble = new InputError("The file on the board has changed while it was fetched: fetch it again.");
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
  }

  /** How many chunks are missing in one piece from the first on, as far as they can be asked for at once. */
  private missing(): number {
    let count = 1;
    const isMissing = (chunk: number): boolean => this.bytes === undefined || this.hasArrived[chunk] === 0;
    while (count < MOST_CHUNKS && isMissing(this.firstMissing + count)) count++;
    return count;
  }
}

import { InputError, printablePath } from "../gpt/base/errors";
import { encodeBase64 } from "../protocol/base64";
import { type Ack, type Commands, DAMAGED, GONE, refusalOf, type Waiter } from "./commands";
import type { Progress } from "./fetching";
import { DATA_BYTES, RECEIVED } from "../protocol/lines";

/** A `data` line under way. */
interface Line {
  readonly id: number;
  readonly at: number;
}

/** What messages call a file that has no name. */
const NAMELESS = "What was sent";
/**
 * Lines under way, of the eight that the device takes: what the cable carries until the first of them is acknowledged.
 * More would only keep other commands waiting.
 */
const WINDOW_LINES = 5;
/** How often a pause without an acknowledgement may come in a row. */
const MAX_PAUSES = 5;
/** Damaged lines in a row, without one that arrives. */
const MAX_DAMAGED = 100;

/**
 * Sends a file in lines, some of them under way. The device takes the one it waits for and passes
 * over the others, and each acknowledgement says where it stands: when a line was lost, the others are
 * waited for, and it goes on from there (go-back-N).
 */
export class SendTransfer implements Waiter {
  /** What the device waits for. */
  private next = 0;
  /** What is to be sent next. */
  private at = 0;
  private underWay: Line[] = [];
  /** Whether what is under way will be passed over. */
  private isBehind = false;
  /** Lines that may be under way: one alone after a pause, until it is known how the device fares. */
  private window = WINDOW_LINES;
  private pauses = 0;
  private damagedLines = 0;
  private damagedInARow = 0;
  private linesLeft: number;
  private end: (() => void) | undefined;
  private giveUp: ((reason: Error) => void) | undefined;

  constructor(
    private readonly commands: Commands,
    private readonly bytes: Uint8Array,
    private readonly progress: Progress,
    /** What messages call it. */
    private readonly name: string,
  ) {
    this.linesLeft = 1000 + 20 * Math.ceil(bytes.length / DATA_BYTES);
  }

  /** @throws InputError when the device refuses the file, or does not answer */
  async run(): Promise<void> {
    await this.commands.run(`receive ${this.bytes.length}`, { isAtOnce: true });
    await new Promise<void>((resolve, reject) => {
      this.end = resolve;
      this.giveUp = reject;
      this.advance();
    });
    await this.commands.run("received").catch((error: unknown) => {
      throw error instanceof InputError ? new InputError(this.named(error.message)) : error;
    });
  }

  /** A sentence of the board, which does not know the name of the file. */
  private named(sentence: string): string {
    if (!sentence.startsWith(RECEIVED)) return sentence;
    return (this.name === "" ? NAMELESS : printablePath(this.name)) + sentence.slice(RECEIVED.length);
  }

  onAck({ ok, error, next = 0 }: Ack, id: number): void {
    const place = this.underWay.findIndex((line) => line.id === id);
    if (place < 0) return;
    if (!ok) {
      this.onError(refusalOf({ error }));
      return;
    }
    if (next < this.next) {
      this.onError(new InputError("The board has begun to receive another file: send this one again."));
      return;
    }
    // Acknowledgements come in order: those of the lines before were lost, or will tell nothing new.
    const { at } = this.underWay[place];
    for (const { id } of this.underWay.splice(0, place + 1)) this.commands.forget(id);
    this.pauses = this.damagedLines = this.damagedInARow = 0;
    this.window = WINDOW_LINES;
    this.next = Math.min(next, this.bytes.length);
    if (this.next <= at) this.isBehind = true;
    this.progress(this.next, this.bytes.length);
    this.advance();
  }

  onTimeout(): void {
    if (this.underWay.length === 0) return;
    if (this.pauses++ === MAX_PAUSES) {
      this.onError(new InputError(GONE));
      return;
    }
    this.window = 1;
    this.beginAgain();
  }

  onDamaged(id: number): void {
    // One line was damaged, but everybody who waits hears of it.
    if (id !== this.underWay.at(-1)?.id) return;
    if (this.damagedInARow++ === MAX_DAMAGED) {
      this.onError(new InputError(DAMAGED));
      return;
    }
    // Where others are under way, their acknowledgements tell.
    if (++this.damagedLines >= this.underWay.length) this.beginAgain();
  }

  onError(reason: Error): void {
    this.forgetLines();
    this.giveUp?.(reason);
  }

  private advance(): void {
    if (this.next === this.bytes.length) {
      this.forgetLines();
      this.end?.();
      return;
    }
    if (this.isBehind && this.underWay.length > 0) return;
    if (this.isBehind || this.underWay.length === 0) this.at = this.next;
    this.isBehind = false;
    while (this.underWay.length < this.window && this.at < this.bytes.length) {
      if (this.linesLeft-- === 0) {
        this.onError(new InputError("The board takes too little of what it is sent: try again."));
        return;
      }
      const piece = this.bytes.subarray(this.at, this.at + DATA_BYTES);
      const id = this.commands.send(`data ${this.at} ${encodeBase64(piece)}`, this);
      this.underWay.push({ id, at: this.at });
      this.at += piece.length;
    }
  }

  private beginAgain(): void {
    this.forgetLines();
    this.advance();
  }

  private forgetLines(): void {
    for (const { id } of this.underWay) this.commands.forget(id);
    this.underWay = [];
    this.damagedLines = 0;
  }
}

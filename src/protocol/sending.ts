import { InputError } from "../errors";
import { encodeBase64 } from "./base64";
import type { Ack, Commands, Waiter } from "./commands";
import type { Progress } from "./fetching";
import { DATA_BYTES, MOST_DATA_LINES } from "./lines";

/** A `data` line under way. */
interface Line {
  readonly id: number;
  readonly at: number;
}

/** How often a pause without an acknowledgement may come in a row. */
const MOST_PAUSES = 5;
/** Damaged lines in a row, without one that arrives. */
const MOST_DAMAGED = 100;

/**
 * Sends a file in lines, up to eight of them under way. The device takes the one it waits for and passes
 * over the others, and each acknowledgement says where it stands: when a line was lost, the others are
 * waited for, and it goes on from there (go-back-N).
 */
export class Sending implements Waiter {
  /** What the device waits for. */
  private next = 0;
  /** What is to be sent next. */
  private at = 0;
  private underWay: Line[] = [];
  /** Whether what is under way will be passed over. */
  private isBehind = false;
  /** Lines that may be under way: one alone after a pause, until it is known how the device fares. */
  private window = MOST_DATA_LINES;
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
  ) {
    this.linesLeft = 1000 + 20 * Math.ceil(bytes.length / DATA_BYTES);
  }

  /** @throws InputError when the device refuses the file, or does not answer */
  async run(): Promise<void> {
    await this.commands.run(`receive ${this.bytes.length}`);
    await new Promise<void>((resolve, reject) => {
      this.end = resolve;
      this.giveUp = reject;
      this.advance();
    });
    await this.commands.run("received");
  }

  acknowledged({ ok, error, next = 0 }: Ack, id: number): void {
    const place = this.underWay.findIndex((line) => line.id === id);
    if (place < 0) return;
    if (!ok) {
      this.failed(new InputError(error ?? "The board refuses the file, and does not say why."));
      return;
    }
    // Acknowledgements come in order: those of the lines before were lost, or will tell nothing new.
    const { at } = this.underWay[place];
    for (const { id } of this.underWay.splice(0, place + 1)) this.commands.forget(id);
    this.pauses = this.damagedLines = this.damagedInARow = 0;
    this.window = MOST_DATA_LINES;
    this.next = Math.min(next, this.bytes.length);
    if (this.next <= at) this.isBehind = true;
    this.progress(this.next, this.bytes.length);
    this.advance();
  }

  overdue(): void {
    if (this.underWay.length === 0) return;
    if (this.pauses++ === MOST_PAUSES) {
      this.failed(new InputError("The board does not answer any more: is it still connected?"));
      return;
    }
    this.window = 1;
    this.beginAgain();
  }

  damaged(id: number): void {
    // One line was damaged, but everybody who waits hears of it.
    if (id !== this.underWay.at(-1)?.id) return;
    if (this.damagedInARow++ === MOST_DAMAGED) {
      this.failed(new InputError("Everything reaches the board damaged: look at the cable and at the speed."));
      return;
    }
    // Where others are under way, their acknowledgements tell.
    if (++this.damagedLines >= this.underWay.length) this.beginAgain();
  }

  failed(reason: Error): void {
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
        this.failed(new InputError("The board takes too little of what it is sent: try again."));
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

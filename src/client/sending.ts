import { InputError, printablePath } from "../gpt/base/errors";
import { encodeBase64 } from "../protocol/base64";
import { type Ack, type Commands, DAMAGED, GONE, refusalOf, type Waiter } from "./commands";
import type { Progress } from "./fetching";
import { DATA_BYTES, RECEIVED } from "../protocol/lines";

/** A `data` line in progress; `at` is its offset in bytes. */
interface Line {
  readonly id: number;
  readonly at: number;
}

/** What messages call a file that has no name. */
const NAMELESS = "The sent file";
/**
 * Send window in lines, of the eight that the device accepts: enough to keep the cable busy until the first is
 * acknowledged. A larger one would only delay other commands.
 */
const WINDOW_LINES = 5;
/** Maximum number of consecutive timeouts. */
const MAX_PAUSES = 5;
/** Maximum number of consecutive damaged lines without an acknowledgement. */
const MAX_DAMAGED = 100;

/**
 * Sends a file in lines with a sliding window (go-back-N). The device accepts only the line at the offset that it
 * expects, and each acknowledgement reports that offset. After a loss the lines in progress are awaited, then sending
 * resumes at the expected offset.
 */
export class SendTransfer implements Waiter {
  /** Offset that the device expects. */
  private next = 0;
  /** Offset of the next line to send. */
  private at = 0;
  private underWay: Line[] = [];
  /** Whether a line was lost, so that the device will ignore the lines in progress. */
  private isBehind = false;
  /** Current window in lines: 1 after a timeout, until an acknowledgement arrives. */
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
    /** File name for messages; may be "". */
    private readonly name: string,
  ) {
    this.linesLeft = 1000 + 20 * Math.ceil(bytes.length / DATA_BYTES);
  }

  /** Sends the file. @throws InputError (as a rejection) when the device refuses it or does not answer */
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

  /** A message of the board, with the file's real name in place of RECEIVED. */
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
    // Acknowledgements are cumulative: those of earlier lines were lost, or add nothing.
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
    // Every line in progress gets this callback for one damaged line: handle it once.
    if (id !== this.underWay.at(-1)?.id) return;
    if (this.damagedInARow++ === MAX_DAMAGED) {
      this.onError(new InputError(DAMAGED));
      return;
    }
    // With others in progress, their acknowledgements show what is missing.
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
        this.onError(new InputError("Too many lines are lost on the way to the board: try again."));
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

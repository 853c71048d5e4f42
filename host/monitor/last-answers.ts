/**
 * An unknown command. Our firmware executes commands in order, so the error for this one means that all before it are
 * done.
 */
const PROBE = "end-of-input";
/** Sent before the probe. Our firmware answers it at once, even during a long command without output. */
const STATUS = "status";
const OWN_STATUS = /^Step \d+ of \d+.*; (?:training|paused|saving|idle)\./;
/** Messages of our firmware when its command queue is full and it drops the probe. */
const NOT_TAKEN = /wait already|left out/;
/** Idle time after which the probe is sent, in milliseconds. */
const QUIET_MS = 1000;
/** Timeouts in milliseconds without an answer: for our firmware, which may be training, and for any other. */
const OWN_TIMEOUT_MS = 600_000;
const OTHER_TIMEOUT_MS = 10_000;
/** Log lines that our firmware prints by itself, which are no answers. */
const LOG = /^(?:=== esp32gpt|Model: |Dataset: |Training for |step +\d+\/)/;
/** Maximum length of a line that is checked, in characters. */
const LONGEST_LINE = 500;

/** What LastAnswers needs from the session. */
export interface Talk {
  /** Sends a line. */
  readonly send: (line: string) => void;
  /** Whether flow control stalls the session: the output is not read, or sent lines are still buffered. */
  readonly isHeldUp: () => boolean;
  /** Called when all is answered, or on timeout. */
  readonly over: () => void;
}

/** Detects when a board has answered all commands after the end of the input, so that the session can end. */
export class LastAnswers {
  private hasCommands = false;
  private isOwn = false;
  /** The incomplete line received so far. */
  private line = "";
  private isEnded = false;
  private isProbing = false;
  /** Whether the answer to STATUS is outstanding. */
  private hasAsked = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly talk: Talk) {}

  /** A command was sent. */
  sent(): void {
    this.hasCommands = true;
  }

  /** Takes text from the board, in any pieces; returns the part to show now. */
  said(text: string): string {
    const isKept = this.isProbing;
    let shown = isKept ? "" : text;
    let isAnswer = false;
    for (const piece of text.split(/(?<=\n)/)) {
      this.line += piece;
      if (!piece.endsWith("\n")) break;
      const { line } = this;
      this.line = "";
      if (this.isProbing && line.includes(PROBE)) this.probed(NOT_TAKEN.test(line));
      else if (this.isProbing && this.hasAsked && OWN_STATUS.test(line)) {
        this.hasAsked = false;
        this.isOwn = true;
        this.waitForAnswers();
        continue;
      } else if (isKept) shown += line;
      if (LOG.test(line)) this.isOwn = true;
      else isAnswer = true;
    }
    // A line may never end: do not buffer it without limit.
    if (this.line.length > LONGEST_LINE) shown += this.rest(isKept);
    if (this.isEnded && !this.isProbing && isAnswer) this.wait();
    return shown;
  }

  /** The end of the input. If it was empty, the session continues and only listens. */
  inputEnded(): void {
    if (!this.hasCommands) return;
    this.isEnded = true;
    this.wait();
  }

  /** @returns the buffered text that was not shown */
  close(): string {
    clearTimeout(this.timer);
    return this.rest(this.isProbing);
  }

  private rest(isKept: boolean): string {
    const { line } = this;
    this.line = "";
    return isKept ? line : "";
  }

  private wait(): void {
    this.after(QUIET_MS, () => {
      // The part of the line that was already shown must not be shown again.
      this.line = "";
      this.isProbing = true;
      this.hasAsked = !this.isOwn;
      if (this.hasAsked) this.talk.send(STATUS);
      this.talk.send(PROBE);
      this.waitForAnswers();
    });
  }

  private waitForAnswers(): void {
    this.after(this.isOwn ? OWN_TIMEOUT_MS : OTHER_TIMEOUT_MS, this.talk.over);
  }

  private probed(isAgain: boolean): void {
    this.isProbing = false;
    if (isAgain) this.wait();
    else this.talk.over();
  }

  private after(milliseconds: number, act: () => void): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.talk.isHeldUp() ? this.after(milliseconds, act) : act()), milliseconds);
  }
}

/** No board has such a command. Ours carry out one after the other: when they refuse this one, all before it is done. */
const PROBE = "end-of-input";
/** Sent before it: what one of ours answers at once, also while a command is under way that says nothing for minutes. */
const STATUS = "status";
const OWN_STATUS = /^Step \d+ of \d+.*; (?:training|paused|saving|idle)\./;
/** What our boards say when so much waits that they do not take the probe either. */
const NOT_TAKEN = /wait already|left out/;
/** Milliseconds of quiet after which it is sent. */
const QUIET_MS = 1000;
/** Milliseconds without an answer after which a board is left: one of ours that trains, and any other. */
const OWN_TIMEOUT_MS = 600_000;
const OTHER_TIMEOUT_MS = 10_000;
/** What one of ours says by itself, which answers nothing. */
const LOG = /^(?:=== esp32gpt|Model: |Dataset: |Training for |step +\d+\/)/;
/** Characters of a line that are looked at. */
const LONGEST_LINE = 500;

/** What is needed to see the end of a session whose input has ended. */
export interface Talk {
  /** Sends a line. */
  readonly send: (line: string) => void;
  /** Whether the board is not listened to just now, as the output is not read, or has not got all that was sent. */
  readonly isHeldUp: () => boolean;
  /** Called when it has answered, or is not going to. */
  readonly over: () => void;
}

/** Tells when a session is over whose input has ended: when the board has answered what was sent. */
export class LastAnswers {
  private hasCommands = false;
  private isOwn = false;
  /** The line that is being said. */
  private line = "";
  private isEnded = false;
  private isProbing = false;
  /** Whether the answer to STATUS has not come yet. */
  private hasAsked = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly talk: Talk) {}

  /** A command was sent. */
  sent(): void {
    this.hasCommands = true;
  }

  /** The board has said something, in any pieces; returns what is to be shown of it by now. */
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
    // Nobody waits for the end of a line that has none.
    if (this.line.length > LONGEST_LINE) shown += this.rest(isKept);
    if (this.isEnded && !this.isProbing && isAnswer) this.wait();
    return shown;
  }

  /** There is no more input. Where there was none at all, somebody only listens. */
  inputEnded(): void {
    if (!this.hasCommands) return;
    this.isEnded = true;
    this.wait();
  }

  /** @returns what is left to be shown */
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
      // What has been shown of a line so far must not be shown again.
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

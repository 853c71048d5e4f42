import { InputError } from "../gpt/base/errors";
import type { Event } from "../protocol/events";
import { formatText } from "../protocol/text-log";
import { Board, type BoardListener } from "./board";
import type { ProtocolClient } from "./client";
import type { Link } from "./commands";
import { escapeLine } from "./escape";
import { BOOT_LINES, type DeviceLine } from "../protocol/lines";
import { Restarted } from "./restart";
import { parseEvent, parseText, parseStatus, type DeviceStatus } from "./parse-line";

/** How long a board may speak text, once it has spoken to programs, until it is asked again: it was restarted. */
const TEXT_TIME = 1000;
/** What a board says to people when it starts. */
const STARTS: readonly string[] = Object.freeze([BOOT_LINES.banner, "rst:", "ets "]);

/** Who is told how a conversation goes. */
export interface ConversationListener {
  /** A line of the board for people; it may be shown as it is. */
  onLine(line: string): void;
  onEvent(event: Event): void;
  onStatus(state: DeviceStatus): void;
  /** What the user is to know, in a sentence. */
  onRemark(message: string): void;
  onXsbug(): void;
  onNoise(): void;
  /** Whether the board speaks to programs is another. */
  onProtocolChange(): void;
  /** A mistake in the program. */
  onError(error: Error): void;
}

/**
 * A conversation with the board behind a link, from the moment that it can be reached until it cannot. The board
 * is asked to speak to programs; one that does not is shown as text, and one that was restarted is asked again.
 */
export class Conversation implements BoardListener {
  /** Whether the board speaks to programs; undefined while it is asked. */
  private isProtocol: boolean | undefined;
  private readonly board: Board;
  private isOver = false;
  private callOff: (() => void) | undefined;

  /** @param firstId the number of the first command: see ProtocolClient */
  constructor(
    private readonly link: Link,
    private readonly listener: ConversationListener,
    firstId: number,
  ) {
    this.board = new Board(link, this, firstId);
  }

  get speaksProtocol(): boolean | undefined {
    return this.isProtocol;
  }

  get client(): ProtocolClient {
    return this.board.client;
  }

  /** The board can be reached. */
  begin(): void {
    this.greet(true);
  }

  /** Takes text that has come. */
  take(text: string): void {
    this.board.take(text);
  }

  /** Sends what somebody has typed; what the board has against it is remarked. */
  type(line: string): void {
    if (!this.isProtocol) this.link.send(line);
    else this.client.run(line.trim()).catch((error: unknown) => this.remarkOn(error));
  }

  /** Lets the board speak to people again. */
  async leave(): Promise<void> {
    // Also while it is asked: it may hear that later.
    if (this.isProtocol !== false) await this.board.leave();
  }

  /** The board cannot be reached any more: whoever waits for it gets the reason. */
  end(reason: Error): void {
    this.isOver = true;
    this.callOff?.();
    this.board.finish();
    this.board.client.cancel(reason);
  }

  onLine(line: DeviceLine): void {
    this.callOff?.();
    this.callOff = undefined;
    if (this.isProtocol === false) return;
    const { listener } = this;
    const event = parseEvent(line);
    if (event) listener.onEvent(event);
    const state = parseStatus(line);
    if (state) listener.onStatus(state);
    const text = event && formatText(event);
    if (text) for (const line of text.slice(0, -1).split("\n")) listener.onLine(escapeLine(line));
    const saying = parseText(line);
    if (saying !== undefined) listener.onLine(escapeLine(saying));
  }

  onText(line: string): void {
    this.listener.onLine(escapeLine(line));
    if (this.isOver) return;
    // A board that has been restarted speaks to people.
    if (this.isProtocol) this.callOff ??= this.link.after(TEXT_TIME, () => this.greet());
    else if (this.isProtocol === false && STARTS.some((start) => line.startsWith(start))) this.greet();
  }

  onRestart(reason: Restarted): void {
    if (!this.isOver) this.listener.onRemark(reason.message);
  }

  onXsbug(): void {
    this.setProtocol(false);
    this.client.cancel(new InputError("The board talks to the debugger."));
    this.listener.onXsbug();
  }

  onNoise(): void {
    this.listener.onNoise();
  }

  /** Asks the board to speak to programs. */
  private greet(isFirst = false): void {
    this.setProtocol(undefined);
    this.client.open().then(
      () => {
        if (!this.isOver) this.setProtocol(true);
      },
      (error: unknown) => {
        // It was told already.
        if (this.isOver || this.isProtocol === false) return;
        this.setProtocol(false);
        if (!(error instanceof InputError)) this.listener.onError(error as Error);
        else if (isFirst) this.listener.onRemark(`${error.message} What it says is shown as text, without a curve.`);
        this.link.send("set log text");
      },
    );
  }

  private remarkOn(error: unknown): void {
    // That it has restarted is told once.
    if (this.isOver || error instanceof Restarted) return;
    if (error instanceof InputError) this.listener.onRemark(error.message);
    else this.listener.onError(error as Error);
  }

  private setProtocol(isProtocol: boolean | undefined): void {
    this.callOff?.();
    this.callOff = undefined;
    this.isProtocol = isProtocol;
    this.listener.onProtocolChange();
  }
}

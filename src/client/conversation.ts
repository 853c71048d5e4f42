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

/** Milliseconds after a line of text until a board in protocol mode is greeted again: it may have restarted. */
const TEXT_TIME = 1000;
/** How lines begin that a board prints as it boots. */
const STARTS: readonly string[] = Object.freeze([BOOT_LINES.banner, "rst:", "ets "]);

/** Callbacks of a Conversation. */
export interface ConversationListener {
  /** A line for people, escaped: safe to display. */
  onLine(line: string): void;
  /** An event of the device, such as a step of its training. */
  onEvent(event: Event): void;
  /** What the device is doing, from a `state` line. */
  onStatus(state: DeviceStatus): void;
  /** A message for the user, in a sentence. */
  onRemark(message: string): void;
  /** The board runs a debug build that talks to the debugger. */
  onXsbug(): void;
  /** The input is mostly not text. */
  onNoise(): void;
  /** speaksProtocol has changed. */
  onProtocolChange(): void;
  /** The board does not switch to the protocol, for this reason. Without this method the reason is a remark. */
  onUnanswered?(reason: InputError): void;
  /** An internal error. */
  onError(error: Error): void;
}

/**
 * The dialogue with a board over one connection. It switches the board to the protocol. The output of a board without
 * the protocol is shown as text; a board that has restarted is switched again.
 */
export class Conversation implements BoardListener {
  /** Whether the board uses the protocol; undefined while it is being switched. */
  private isProtocol: boolean | undefined;
  private readonly board: Board;
  private isOver = false;
  private callOff: (() => void) | undefined;

  /** @param firstId id of the first command: see ProtocolClient */
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

  /** Call when the connection is open. */
  begin(): void {
    this.greet(true);
  }

  /** Processes received text. */
  take(text: string): void {
    this.board.take(text);
  }

  /** Sends a typed line; a refusal is reported as a remark. */
  type(line: string): void {
    if (!this.isProtocol) this.link.send(line);
    else this.client.run(line.trim()).catch((error: unknown) => this.remarkOn(error));
  }

  /** Switches the board back to text. */
  async leave(): Promise<void> {
    // Also during the switch to the protocol: the board may receive that later.
    if (this.isProtocol !== false) await this.board.leave();
  }

  /** Call when the connection is closed: pending commands reject with the reason. */
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
    // After a restart the board's log is text again.
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

  /** Switches the board to the protocol. */
  private greet(isFirst = false): void {
    this.setProtocol(undefined);
    this.client.open().then(
      () => {
        if (!this.isOver) this.setProtocol(true);
      },
      (error: unknown) => {
        // onXsbug() has reported it already.
        if (this.isOver || this.isProtocol === false) return;
        this.setProtocol(false);
        if (!(error instanceof InputError)) this.listener.onError(error as Error);
        else if (this.listener.onUnanswered) this.listener.onUnanswered(error);
        else if (isFirst) this.listener.onRemark(`${error.message} Its output is shown as text, without a curve.`);
        this.link.send("set log text");
      },
    );
  }

  private remarkOn(error: unknown): void {
    // onRestart() reports a restart once.
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

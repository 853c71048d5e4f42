import type { Duplex } from "node:stream";
import type { ReadStream, WriteStream } from "node:tty";
import { InputError } from "../../src/errors";
import { formatText } from "../../src/program/text-log";
import type { DeviceLine } from "../../src/protocol/lines";
import { eventOf, sayingOf, stateOf } from "../../src/protocol/told";
import { drawCurve } from "../curve";
import { showsColours } from "../display";
import { Board, type BoardListener } from "./board";
import { escapeLine, escapeText } from "./escape";
import { InputLine } from "./input-line";
import { NOISE_REMARK } from "./noise";
import { type Block, cutTo, Screen } from "./screen";
import type { SessionLog } from "./session-log";
import { Status } from "./status";
import type { SessionEnd } from "./terminal";
import { XSBUG_REMARK } from "./xsbug";

const FEWEST_ROWS_WITH_CURVE = 16;
const MOST_CURVE_ROWS = 16;
const FEWEST_ROWS_WITH_STATUS = 4;
/** How long a board may speak text, once it has spoken to programs, until it is asked again: it was restarted. */
const TEXT_TIME = 1000;

const INVERSE = "\x1b[7m";
const DIM = "\x1b[2m";
const PLAIN = "\x1b[0m";

/** Why what was asked of a board will not be answered, and nobody needs to be told. */
class Over extends Error {}

/** A session at a terminal: what the board says scrolls above the curve of its loss and a line to type in. */
export class LiveSession implements BoardListener {
  private readonly status = new Status();
  private readonly screen: Screen;
  private readonly input: InputLine;
  private board: Board;
  /** Whether the board speaks to programs; undefined while it is asked. */
  private speaksProtocol: boolean | undefined;
  private isThere = true;
  private textTimer: NodeJS.Timeout | undefined;
  private lost = 0;
  private finish: ((end: SessionEnd) => void) | undefined;
  private fail: ((error: Error) => void) | undefined;

  constructor(
    private readonly connection: Duplex,
    private readonly name: string,
    input: ReadStream,
    private readonly output: WriteStream,
    private readonly log: SessionLog | undefined,
  ) {
    this.screen = new Screen(
      output,
      (columns, rows) => this.compose(columns, rows),
      () => void connection.resume(),
    );
    this.input = new InputLine(input, {
      line: (text) => this.send(text),
      changed: () => this.screen.change(),
      interrupted: () => process.emit("SIGINT", "SIGINT"),
      ended: () => this.finish?.("stopped"),
    });
    this.board = new Board(connection, this, log);
  }

  /**
   * Goes on until somebody ends it, or the connection is gone.
   * @throws InputError when the log cannot be written, or the connection fails for good
   */
  async run(stopped: AbortSignal): Promise<SessionEnd> {
    const ending = new Promise<SessionEnd>((resolve, reject) => {
      this.finish = resolve;
      this.fail = reject;
    });
    const { connection } = this;
    connection.on("data", (bytes: Uint8Array) => {
      this.board.take(bytes);
      if (this.screen.isFull) connection.pause();
    });
    connection.on("error", (error) => {
      if (error instanceof InputError) this.fail?.(error);
      else this.finish?.("lost");
    });
    connection.on("close", () => this.finish?.("lost"));
    const stop = (): void => this.finish?.("stopped");
    stopped.addEventListener("abort", stop, { once: true });
    if (stopped.aborted) stop();
    this.log?.whenFull((error) => this.fail?.(error));
    try {
      return await ending;
    } finally {
      stopped.removeEventListener("abort", stop);
      clearTimeout(this.textTimer);
      this.input.close();
      if (this.speaksProtocol && !connection.destroyed) await this.board.leave();
      this.board.finish();
      // How far it has come stays.
      const { columns, rows } = this.output;
      const curve = this.curve(columns, rows);
      if (curve.length > 0) this.screen.print(`${curve.join("\n")}\n ${cutTo(this.describe(), columns - 1)}\n`);
      this.screen.stop();
      this.board.client.cancel(new Over());
      connection.destroy();
    }
  }

  /** The board is there, at first or again. */
  connected(): void {
    this.lost += this.board.client.lost;
    this.board.client.cancel(new Over());
    this.board = new Board(this.connection, this, this.log);
    this.isThere = true;
    this.remark(`Connected to ${this.name}. Ctrl-C ends.`);
    this.greet();
  }

  /** The board is not there. */
  waiting(): void {
    this.isThere = false;
    this.speaksProtocol = undefined;
    clearTimeout(this.textTimer);
    this.board.client.cancel(new Over());
    this.remark(`Waiting for ${this.name}...`);
  }

  heard(line: DeviceLine): void {
    clearTimeout(this.textTimer);
    this.textTimer = undefined;
    if (this.speaksProtocol === false) return;
    const event = eventOf(line);
    const state = stateOf(line);
    if (event) this.status.hear(event, performance.now());
    if (state) this.status.hearState(state);
    const saying = sayingOf(line);
    const text = event && formatText(event);
    if (text) this.screen.print(escapeText(text).replaceAll("\r", "\\r"));
    if (saying !== undefined) this.screen.print(`${escapeLine(saying)}\n`);
    this.screen.change();
  }

  text(line: string): void {
    this.screen.print(`${escapeLine(line)}\n`);
    // A board that has been restarted speaks to people.
    if (this.speaksProtocol) this.textTimer ??= setTimeout(() => this.greet(), TEXT_TIME);
    else if (this.speaksProtocol === false && /^(=== esp32gpt|rst:|ets )/.test(line)) this.greet();
  }

  /** @param text what a simulator says to people */
  complain(text: string): void {
    for (const line of text.trimEnd().split("\n")) this.remark(line);
  }

  foundXsbug(): void {
    this.speaksProtocol = false;
    this.board.client.cancel(new Over());
    this.remark(XSBUG_REMARK);
  }

  foundNoise(): void {
    this.remark(NOISE_REMARK);
  }

  /** Asks the board to speak to programs. */
  private greet(): void {
    const { board } = this;
    const isFirst = this.speaksProtocol === undefined;
    this.speaksProtocol = undefined;
    this.textTimer = undefined;
    board.client.open().then(
      () => (this.speaksProtocol = true),
      (error: unknown) => {
        const message = this.sentenceOf(error);
        if (message === undefined || board !== this.board) return;
        this.speaksProtocol = false;
        if (isFirst) this.remark(`${message} What it says is shown as text, without a curve.`);
        board.write("set log text");
      },
    );
  }

  private send(line: string): void {
    this.screen.print(this.dim(`> ${escapeLine(line)}`));
    if (line.trim() === "") return;
    if (!this.isThere) this.remark("The board is not there: what was typed has not been sent.");
    else if (!this.speaksProtocol) this.board.write(line);
    else
      this.board.client.run(line.trim(), { isLong: true }).catch((error: unknown) => {
        const message = this.sentenceOf(error);
        if (message !== undefined) this.remark(message);
      });
  }

  /** What the user is to be told; a mistake in the program ends the session. */
  private sentenceOf(error: unknown): string | undefined {
    if (error instanceof InputError) return error.message;
    if (!(error instanceof Over)) this.fail?.(error as Error);
    return undefined;
  }

  /** Says something of its own. */
  private remark(message: string): void {
    this.screen.print(this.dim(escapeLine(message)));
  }

  private dim(line: string): string {
    return showsColours() ? `${DIM}${line}${PLAIN}\n` : `${line}\n`;
  }

  private compose(columns: number, rows: number): Block {
    const [line, cursorColumn] = this.input.shown(columns);
    if (rows < FEWEST_ROWS_WITH_STATUS) return { lines: [line], cursorColumn };
    const bar = ` ${this.describe()}`;
    const status = cutTo(bar, columns - 1);
    const lines = [...this.curve(columns, rows), `${INVERSE}${status.padEnd(columns - 1)}${PLAIN}`, line];
    return { lines, cursorColumn };
  }

  private curve(columns: number, rows: number): readonly string[] {
    if (rows < FEWEST_ROWS_WITH_CURVE) return [];
    const height = Math.min(MOST_CURVE_ROWS, Math.floor(rows / 2));
    const curve = drawCurve(this.status.curve, columns - 1, height, showsColours())?.split("\n") ?? [];
    // The block keeps its height when the numbers beside the curve change.
    return curve.length === 0 ? [] : [...new Array<string>(Math.max(0, height - curve.length)).fill(""), ...curve];
  }

  private describe(): string {
    if (!this.isThere) return `waiting for ${this.name}`;
    if (this.speaksProtocol === false) return `${this.name} │ text`;
    return this.status.describe(this.lost + this.board.client.lost);
  }
}

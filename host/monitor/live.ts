import type { Duplex } from "node:stream";
import type { ReadStream, WriteStream } from "node:tty";
import { InputError } from "../../src/gpt/base/errors";
import type { Event } from "../../src/protocol/events";
import { Conversation, type ConversationListener } from "../../src/client/conversation";
import { escapeLine } from "../../src/client/escape";
import type { DeviceStatus } from "../../src/client/parse-line";
import type { DrawCurve } from "../terminal/curve";
import { showsColours } from "../terminal/display";
import { followSuspension, suspendJob } from "../terminal/suspension";
import { InputLine } from "./input-line";
import { NOISE_REMARK, XSBUG_REMARK } from "./remarks";
import { type Block, cutTo, Screen, type Width } from "./screen";
import type { SessionLog } from "./session-log";
import { Status } from "./status";
import type { SessionEnd } from "./terminal";
import { anyId, Wire } from "./wire";

const FEWEST_ROWS_WITH_CURVE = 16;
const MAX_CURVE_ROWS = 16;
const FEWEST_ROWS_WITH_STATUS = 4;

const INVERSE = "\x1b[7m";
const DIM = "\x1b[2m";
const PLAIN = "\x1b[0m";

/**
 * An interactive session at a terminal: the board's output scrolls above a loss curve, a status bar and an input
 * line.
 */
export class LiveSession implements ConversationListener {
  private readonly status = new Status();
  private readonly screen: Screen;
  private readonly input: InputLine;
  private wire: Wire | undefined;
  /** Undefined while no board is connected. */
  private conversation: Conversation | undefined;
  /** Lines lost in earlier conversations. */
  private lost = 0;
  private finish: ((end: SessionEnd) => void) | undefined;
  private fail: ((error: Error) => void) | undefined;

  constructor(
    private readonly connection: Duplex,
    private readonly name: string,
    input: ReadStream,
    private readonly output: WriteStream,
    private readonly log: SessionLog | undefined,
    private readonly tools: { readonly drawCurve: DrawCurve; readonly width: Width },
  ) {
    this.screen = new Screen(
      output,
      (columns, rows) => this.compose(columns, rows),
      () => void connection.resume(),
      tools.width,
    );
    const listener = {
      line: (text: string) => this.send(text),
      changed: () => this.screen.change(),
      interrupted: () => process.emit("SIGINT", "SIGINT"),
      suspended: suspendJob,
      ended: () => this.finish?.("stopped"),
    };
    this.input = new InputLine(input, listener, tools.width);
  }

  /**
   * Runs until the user ends it or the connection is lost.
   * @throws InputError when the log cannot be written, or the connection fails permanently
   */
  async run(stopped: AbortSignal): Promise<SessionEnd> {
    const ending = new Promise<SessionEnd>((resolve, reject) => {
      this.finish = resolve;
      this.fail = reject;
    });
    const { connection } = this;
    connection.on("data", (bytes: Uint8Array) => {
      if (this.wire) this.conversation?.take(this.wire.decode(bytes));
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
    const unfollow = followSuspension({
      suspend: () => {
        this.screen.leave();
        this.input.isRaw = false;
      },
      resume: () => {
        this.input.isRaw = true;
        this.screen.redraw();
      },
    });
    try {
      return await ending;
    } finally {
      unfollow();
      stopped.removeEventListener("abort", stop);
      this.input.close();
      if (connection.writable) await this.conversation?.leave();
      this.conversation?.end(new Error("the session is over"));
      // The final curve stays on the screen.
      const { columns, rows } = this.output;
      const curve = this.curve(columns, rows);
      if (curve.length > 0)
        this.screen.print(`${curve.join("\n")}\n ${cutTo(this.describe(), columns - 1, this.tools.width)}\n`);
      this.screen.stop();
      connection.destroy();
    }
  }

  /** Called when the board connects or reconnects. */
  connected(): void {
    this.hangUp();
    this.wire = new Wire(this.connection, this.log);
    this.conversation = new Conversation(this.wire, this, anyId());
    this.onRemark(`Connected to ${this.name}. Ctrl-C ends.`);
    this.conversation.begin();
  }

  /** Called when the board is not connected. */
  waiting(): void {
    this.hangUp();
    this.onRemark(`Waiting for ${this.name}...`);
  }

  onLine(line: string): void {
    this.screen.print(`${line}\n`);
  }

  onEvent(event: Event): void {
    this.status.onEvent(event, performance.now());
    this.screen.change();
  }

  onStatus(state: DeviceStatus): void {
    this.status.onStatus(state);
    this.screen.change();
  }

  /** Prints a remark of the monitor itself. */
  onRemark(message: string): void {
    this.screen.print(this.dim(escapeLine(message)));
  }

  onProtocolChange(): void {
    this.screen.change();
  }

  onError(error: Error): void {
    this.fail?.(error);
  }

  /** @param text standard error of the simulator */
  complain(text: string): void {
    for (const line of text.trimEnd().split("\n")) this.onRemark(line);
  }

  onXsbug(): void {
    this.onRemark(XSBUG_REMARK);
  }

  onNoise(): void {
    this.onRemark(NOISE_REMARK);
  }

  private send(line: string): void {
    this.screen.print(this.dim(`> ${escapeLine(line)}`));
    if (line.trim() === "") return;
    if (this.conversation) this.conversation.type(line);
    else this.onRemark("No board is connected: the line has not been sent.");
  }

  private hangUp(): void {
    const { conversation } = this;
    this.conversation = undefined;
    this.lost += conversation?.client.lost ?? 0;
    conversation?.end(new Error("the board is gone"));
  }

  private dim(line: string): string {
    return showsColours() ? `${DIM}${line}${PLAIN}\n` : `${line}\n`;
  }

  private compose(columns: number, rows: number): Block {
    const [line, cursorColumn] = this.input.shown(columns);
    if (rows < FEWEST_ROWS_WITH_STATUS) return { lines: [line], cursorColumn };
    const bar = ` ${this.describe()}`;
    const status = cutTo(bar, columns - 1, this.tools.width);
    const lines = [...this.curve(columns, rows), `${INVERSE}${status.padEnd(columns - 1)}${PLAIN}`, line];
    return { lines, cursorColumn };
  }

  private curve(columns: number, rows: number): readonly string[] {
    if (rows < FEWEST_ROWS_WITH_CURVE) return [];
    const height = Math.min(MAX_CURVE_ROWS, Math.floor(rows / 2));
    const curve = this.tools.drawCurve(this.status.curve, columns - 1, height, showsColours())?.split("\n") ?? [];
    // Pads the curve, so that the block keeps its height when the axis labels change.
    return curve.length === 0 ? [] : [...new Array<string>(Math.max(0, height - curve.length)).fill(""), ...curve];
  }

  private describe(): string {
    const { conversation } = this;
    if (!conversation) return `waiting for ${this.name}`;
    if (conversation.speaksProtocol === false) return `${this.name} │ text`;
    return this.status.describe(this.lost + conversation.client.lost);
  }
}

import { type ClientListener, ProtocolClient } from "./client";
import type { Link } from "./commands";
import { Noise } from "./noise";
import { XsbugFilter } from "./xsbug";

/** Maximum length of a line in characters; a longer one is split. */
const LONGEST_LINE = 4096;
/** Timeout in milliseconds after which an incomplete line is delivered. */
const PARTIAL_TIME = 300;
/** Timeout in milliseconds for a board to acknowledge the switch to text. */
const FAREWELL_TIME = 400;

export interface BoardListener extends ClientListener {
  /** The board runs a debug build that talks to the debugger. */
  onXsbug(): void;
  /** The input is mostly not text. */
  onNoise(): void;
}

/** Splits the text received over a link into lines for a ProtocolClient. */
export class Board {
  readonly client: ProtocolClient;
  private readonly filter: XsbugFilter;
  private readonly noise: Noise;
  private rest = "";
  private callOff: () => void = () => undefined;

  /** @param firstId see ProtocolClient */
  constructor(
    private readonly link: Link,
    listener: BoardListener,
    firstId: number,
  ) {
    this.filter = new XsbugFilter(() => listener.onXsbug());
    this.noise = new Noise(() => listener.onNoise());
    this.client = new ProtocolClient(link, listener, firstId);
  }

  /** Processes received text, in pieces of any size. */
  take(text: string): void {
    this.noise.take(text);
    this.cut(this.filter.take(text));
  }

  /** Call at the end of the input: delivers an incomplete line. */
  finish(): void {
    this.cut(this.filter.finish());
    this.flush();
  }

  /** Switches the board back to text, without retries, and cancels what is in progress. */
  async leave(): Promise<void> {
    let callOff: () => void = () => undefined;
    const over = new Promise<void>((resolve) => (callOff = this.link.after(FAREWELL_TIME, resolve)));
    const farewell = this.client.run("set log text", { repeats: 0 });
    await Promise.race([
      farewell.then(
        () => undefined,
        () => undefined,
      ),
      over,
    ]);
    callOff();
    this.client.cancel(new Error("left"));
  }

  private cut(text: string): void {
    this.callOff();
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.client.receive(this.cutPieces(line).replace(/\r+$/, ""));
    this.rest = this.cutPieces(this.rest);
    // A prompt has no newline and must be shown; a protocol line will be completed.
    if (this.rest !== "" && !this.rest.startsWith("{"))
      this.callOff = this.link.after(PARTIAL_TIME, () => this.flush());
  }

  /** Delivers a line that is too long in pieces; returns the last piece. */
  private cutPieces(line: string): string {
    let at = 0;
    for (; line.length - at >= LONGEST_LINE; at += LONGEST_LINE) this.client.receive(line.slice(at, at + LONGEST_LINE));
    return line.slice(at);
  }

  private flush(): void {
    this.callOff();
    const { rest } = this;
    this.rest = "";
    this.client.receive(rest.replace(/\r+$/, ""));
  }
}

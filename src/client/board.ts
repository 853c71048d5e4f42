import { type ClientListener, ProtocolClient } from "./client";
import type { Link } from "./commands";
import { Noise } from "./noise";
import { XsbugFilter } from "./xsbug";

/** Characters of a line that never ends. */
const LONGEST_LINE = 4096;
/** How long the beginning of a line waits for the rest, in milliseconds. */
const PARTIAL_TIME = 300;
/** How long a board may take to say that it goes back to text, in milliseconds. */
const FAREWELL_TIME = 400;

export interface BoardListener extends ClientListener {
  /** It is a debug build that talks to the debugger. */
  onXsbug(): void;
  /** It is hardly text. */
  onNoise(): void;
}

/** The board behind a link, as a client of the device protocol sees it: text in any pieces becomes lines. */
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

  /** Takes text that has come. */
  take(text: string): void {
    this.noise.take(text);
    this.cut(this.filter.take(text));
  }

  /** What is left when nothing comes any more. */
  finish(): void {
    this.cut(this.filter.finish());
    this.flush();
  }

  /** Lets it speak to people again, if it can be reached. */
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
    // A prompt has no end; the beginning of a line of the protocol will get its own.
    if (this.rest !== "" && !this.rest.startsWith("{"))
      this.callOff = this.link.after(PARTIAL_TIME, () => this.flush());
  }

  /** Hands on what is too long for a line in pieces; returns the last of them. */
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

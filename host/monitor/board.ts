import { randomInt } from "node:crypto";
import type { Duplex } from "node:stream";
import { type ClientListener, ProtocolClient } from "../../src/protocol/client";
import { LARGEST_ID } from "../../src/protocol/lines";
import { Noise } from "./noise";
import type { SessionLog } from "./session-log";
import { XsbugFilter } from "./xsbug";

/** Characters of a line that never ends. */
const LONGEST_LINE = 4096;
/** How long the beginning of a line waits for the rest, in milliseconds. */
const PARTIAL_TIME = 300;
/** How long a board may take to say that it goes back to text, in milliseconds. */
const FAREWELL_TIME = 400;

export interface BoardListener extends ClientListener {
  /** It is a debug build that talks to the debugger. */
  foundXsbug(): void;
  /** It is hardly text. */
  foundNoise(): void;
}

/** The board behind a connection, as a client of the device protocol sees it. */
export class Board {
  readonly client: ProtocolClient;
  private readonly decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  private readonly filter: XsbugFilter;
  private readonly noise: Noise;
  private rest = "";
  private partialTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly connection: Duplex,
    listener: BoardListener,
    private readonly log?: SessionLog,
  ) {
    this.filter = new XsbugFilter(() => listener.foundXsbug());
    this.noise = new Noise(() => listener.foundNoise());
    const link = {
      send: (line: string) => this.write(line),
      now: () => performance.now(),
      after: (milliseconds: number, call: () => void) => {
        const timer = setTimeout(call, milliseconds);
        return () => clearTimeout(timer);
      },
    };
    this.client = new ProtocolClient(link, listener, randomInt(1, LARGEST_ID + 1));
  }

  /** Takes bytes that have come. */
  take(bytes: Uint8Array): void {
    const text = this.decoder.decode(bytes, { stream: true });
    this.log?.said(text);
    this.noise.take(text);
    this.cut(this.filter.take(text));
  }

  /** What is left when nothing comes any more. */
  finish(): void {
    this.cut(this.filter.finish());
    this.flush();
  }

  /** Sends a line. */
  write(line: string): void {
    if (!this.connection.writable) return;
    this.log?.typed(line);
    this.connection.write(`${line}\n`);
  }

  /** Lets it speak to people again, if it can be reached. */
  async leave(): Promise<void> {
    if (!this.connection.writable) return;
    const over = new Promise<void>((resolve) => setTimeout(resolve, FAREWELL_TIME).unref());
    const farewell = this.client.run("set log text", { repeats: 0 });
    await Promise.race([
      farewell.then(
        () => undefined,
        () => undefined,
      ),
      over,
    ]);
    this.client.cancel(new Error("left"));
  }

  private cut(text: string): void {
    clearTimeout(this.partialTimer);
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.client.receive(line.replace(/\r+$/, ""));
    while (this.rest.length >= LONGEST_LINE) {
      this.client.receive(this.rest.slice(0, LONGEST_LINE));
      this.rest = this.rest.slice(LONGEST_LINE);
    }
    // A prompt has no end; the beginning of a line of the protocol will get its own.
    if (this.rest !== "" && !this.rest.startsWith("{"))
      this.partialTimer = setTimeout(() => this.flush(), PARTIAL_TIME);
  }

  private flush(): void {
    clearTimeout(this.partialTimer);
    const { rest } = this;
    this.rest = "";
    this.client.receive(rest.replace(/\r+$/, ""));
  }
}

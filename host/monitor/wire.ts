import { randomInt } from "node:crypto";
import type { Duplex } from "node:stream";
import type { Link } from "../../src/client/commands";
import { LARGEST_ID } from "../../src/protocol/lines";
import type { SessionLog } from "./session-log";

/** A connection to a board: lines one way, text the other. */
export class Wire implements Link {
  private readonly decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(
    private readonly connection: Duplex,
    private readonly log?: SessionLog,
  ) {}

  /** The text of bytes that have come. */
  decode(bytes: Uint8Array): string {
    const text = this.decoder.decode(bytes, { stream: true });
    this.log?.said(text);
    return text;
  }

  send(line: string): void {
    if (!this.connection.writable) return;
    this.log?.typed(line);
    this.connection.write(`${line}\n`);
  }

  now(): number {
    return performance.now();
  }

  after(milliseconds: number, call: () => void): () => void {
    const timer = setTimeout(call, milliseconds);
    return () => clearTimeout(timer);
  }
}

/** For the first command of a client: a board may remember those of the client before. */
export function anyId(): number {
  return randomInt(1, LARGEST_ID + 1);
}

import { randomInt } from "node:crypto";
import type { Duplex } from "node:stream";
import type { Link } from "../../src/client/commands";
import { LARGEST_ID } from "../../src/protocol/lines";
import type { SessionLog } from "./session-log";

/** A connection to a board: sends lines, receives text. */
export class Wire implements Link {
  private readonly decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(
    private readonly connection: Duplex,
    private readonly log?: SessionLog,
  ) {}

  /** Decodes received bytes; UTF-8 sequences may be split between calls. */
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

/** A random first command ID: a board may remember the IDs of an earlier client. */
export function anyId(): number {
  return randomInt(1, LARGEST_ID + 1);
}

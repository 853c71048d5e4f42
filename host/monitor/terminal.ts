import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Duplex, Readable, Writable } from "node:stream";

/** How a session with a board came to its end. */
export type SessionEnd = "stopped" | "closed" | "lost";

/**
 * Shows what the board writes, and sends it what is typed, a line at a time.
 * @param stopped ends the session
 * @returns stopped; closed when the connection ended after the input had; lost when it ended before
 */
export async function converse(
  connection: Duplex,
  input: Readable,
  output: Writable,
  stopped: AbortSignal,
): Promise<SessionEnd> {
  const lines = createInterface({ input, terminal: false }).on("line", (line) => void connection.write(`${line}\n`));
  connection.on("data", (bytes: Uint8Array) => void output.write(bytes));
  // A port that goes away does so with an error or without.
  connection.on("error", () => connection.destroy());
  try {
    await once(connection, "close", { signal: stopped });
    return input.readableEnded ? "closed" : "lost";
  } catch {
    connection.destroy();
    return "stopped";
  } finally {
    lines.close();
    input.destroy();
  }
}

import { createInterface } from "node:readline";
import type { Duplex, Readable, Writable } from "node:stream";
import { InputError } from "../../src/gpt/base/errors";
import { Noise } from "../../src/client/noise";
import { XsbugFilter } from "../../src/client/xsbug";
import { BoardText } from "./board-text";
import { LastAnswers } from "./last-answers";
import { reasonOf } from "./reasons";
import { NOISE_REMARK, XSBUG_REMARK } from "./remarks";
import type { SessionLog } from "./session-log";

/**
 * How a session with a board came to its end: somebody wanted it to; the board has answered all that there was to
 * send; the connection was closed after the input had ended; it was lost before, or broke; the reader of the output
 * has left.
 */
export type SessionEnd = "stopped" | "answered" | "closed" | "lost" | "left";

/**
 * Shows what the board writes, and sends it what is typed, a line at a time. Neither side is read faster
 * than the other takes it. When the input has ended, the session does when the board has answered; where there was no
 * line in it, it goes on.
 * @param stopped ends the session
 * @throws InputError when the output or the log cannot be written, or the connection fails for good
 */
export async function converse(
  connection: Duplex,
  input: Readable,
  output: Writable,
  stopped: AbortSignal,
  log?: SessionLog,
): Promise<SessionEnd> {
  if (stopped.aborted) {
    connection.destroy();
    return "stopped";
  }
  const session = new AbortController();
  const { signal } = session;
  const noise = new Noise(() => console.error(NOISE_REMARK));
  const text = new BoardText((said) => noise.take(said));
  const filter = new XsbugFilter(() => console.error(XSBUG_REMARK));
  const lines = createInterface({ input, terminal: false });

  let leave = (): void => undefined;
  const answers = new LastAnswers({
    send: (line) => void connection.write(`${line}\n`),
    isHeldUp: () => connection.isPaused() || connection.writableLength > 0,
    over: () => leave(),
  });

  const ending = new Promise<SessionEnd>((end, fail) => {
    leave = () => end("answered");
    connection.on("data", (bytes: Uint8Array) => {
      const said = text.decode(bytes);
      log?.said(said);
      if (!output.write(filter.take(answers.said(said)))) connection.pause();
    });
    log?.whenFull(fail);
    const goOn = (): void => void connection.resume();
    const outputFailed = (error: NodeJS.ErrnoException): void => {
      if (error.code === "EPIPE") end("left");
      else fail(new InputError(`What the board says cannot be written to the output: ${reasonOf(error)}.`));
    };
    output.on("drain", goOn).on("error", outputFailed);
    signal.addEventListener("abort", () => output.off("drain", goOn).off("error", outputFailed));

    lines.on("line", (line) => {
      log?.typed(line);
      answers.sent();
      if (!connection.write(`${line}\n`)) lines.pause();
    });
    connection.on("drain", () => lines.resume());
    input.on("end", () => setImmediate(() => answers.inputEnded()));

    // A port that goes away does so with an error or without; what was typed has not arrived then.
    connection.on("error", (error) => {
      if (error instanceof InputError) fail(error);
      else end("lost");
    });
    connection.on("close", (trouble: unknown) => {
      const isWhole = !trouble && input.readableEnded && connection.writableLength === 0;
      end(isWhole ? "closed" : "lost");
    });
    const stop = (): void => end("stopped");
    stopped.addEventListener("abort", stop, { signal });
  });
  try {
    const end = await ending;
    if (end !== "stopped" && end !== "left") output.write(filter.take(answers.close() + text.end()) + filter.finish());
    return end;
  } finally {
    session.abort();
    answers.close();
    connection.destroy();
    lines.close();
    input.destroy();
  }
}

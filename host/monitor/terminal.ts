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
 * Why a session ended: "stopped" by the user; "answered": the board has answered all input; "closed" by the other
 * side after the end of the input; "lost": the connection was closed or failed before; "left": the reader of the
 * output has closed it.
 */
export type SessionEnd = "stopped" | "answered" | "closed" | "lost" | "left";

/**
 * Shows a board's output and sends it the input, line by line, with flow control in both directions. The session ends
 * when the input has ended and the board has answered; with empty input it only listens.
 * @param stopped aborts to end the session
 * @throws InputError when the output or the log cannot be written, or the connection fails permanently
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
      else fail(new InputError(`The board's output cannot be written to standard output: ${reasonOf(error)}.`));
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

    // A lost port may or may not emit an error; sent lines may not have arrived.
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

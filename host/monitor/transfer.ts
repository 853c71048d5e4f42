import type { Duplex } from "node:stream";
import { statSync } from "node:fs";
import { InputError, printable } from "../../src/gpt/base/errors";
import type { Clock } from "../../src/gpt/base/platform";
import { verifyCheckpoint } from "../../src/client/verify-checkpoint";
import { Board } from "../../src/client/board";
import { MAX_FILE_BYTES, type Progress } from "../../src/client/fetching";
import { fileError } from "../../src/places/node/file-errors";
import { readRegular } from "../files/inputs";
import { NodeStorage } from "../../src/places/node/storage";
import { removeLeftovers, saveTarget } from "../files/outputs";
import { showCursorWhileSuspended } from "../terminal/suspension";
import { NOISE_REMARK, XSBUG_REMARK } from "./remarks";
import type { SessionLog } from "./session-log";
import { anyId, Wire } from "./wire";

const clock: Clock = { now: () => performance.now(), schedule: (slice) => void setImmediate(slice) };

/** The connection was lost during the transfer. */
export class Lost extends Error {}

/** Transfers a checkpoint; resolves to a message that reports success. */
export type Transfer = (board: Board) => Promise<string>;

/**
 * Prepares to fetch a board's checkpoint into a file, atomically.
 * @throws InputError when the file cannot be written
 */
export function fetchInto(path: string): Transfer {
  if (path === "-") throw new InputError("Cannot save to -: a checkpoint is saved to a file.");
  const target = saveTarget(path);
  removeLeftovers(target);
  return async ({ client }) => {
    // Open the file before the transfer, so that an error is reported early.
    const file = await new NodeStorage().create(target);
    let sentence: string;
    try {
      const bytes = await withBar((progress) => client.fetch(progress));
      const steps = await verifyCheckpoint(bytes, "The board's checkpoint", clock);
      file.write(bytes);
      sentence = `Fetched ${bytes.length} bytes, after ${steps} steps, into ${printable(path, 200)}.`;
    } catch (error) {
      file.abort();
      throw error;
    }
    await file.commit();
    return sentence;
  };
}

/**
 * Prepares to send a checkpoint file.
 * @throws InputError when it is not a checkpoint
 */
export async function sendFrom(path: string): Promise<Transfer> {
  const kind = { what: "a checkpoint of a board", limit: MAX_FILE_BYTES };
  if (path === "-" || !isFile(path))
    throw new InputError(`Cannot send ${printable(path, 200)}: name a checkpoint file.`);
  const bytes = readRegular(path, kind);
  const steps = await verifyCheckpoint(bytes, path, clock);
  return async ({ client }) => {
    await withBar((progress) => client.send(bytes, progress, path));
    return `Sent ${bytes.length} bytes, after ${steps} steps, from ${printable(path, 200)}.`;
  };
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch (error) {
    throw fileError("read", path, error);
  }
}

/**
 * Runs a transfer over a connection, then closes the connection.
 * @throws Lost when the connection breaks
 */
export async function carry(
  connection: Duplex,
  transfer: Transfer,
  log: SessionLog | undefined,
  ending: AbortSignal,
): Promise<string> {
  const ignore = (): void => undefined;
  const foundXsbug = (): void => board.client.cancel(new InputError(XSBUG_REMARK));
  const foundNoise = (): void => board.client.cancel(new InputError(NOISE_REMARK));
  const wire = new Wire(connection, log);
  const board = new Board(wire, { onLine: ignore, onText: ignore, onXsbug: foundXsbug, onNoise: foundNoise }, anyId());
  const abort = (): void => board.client.cancel(ending.reason as Error);
  ending.addEventListener("abort", abort);
  log?.whenFull((error) => board.client.cancel(error));
  connection.on("data", (bytes: Uint8Array) => board.take(wire.decode(bytes)));
  connection.on("error", ignore);
  // A lost connection may close with or without an error.
  const lost = new Promise<never>((_, reject) =>
    connection.once("close", () => {
      board.client.cancel(new Lost());
      reject(new Lost());
    }),
  );
  lost.catch(ignore);
  try {
    ending.throwIfAborted();
    const work = board.client.open().then(() => transfer(board));
    work.catch(ignore);
    const sentence = await Promise.race([work, lost]);
    if (connection.writable) await board.leave();
    return sentence;
  } catch (error) {
    if (connection.writable) await board.leave();
    throw error;
  } finally {
    ending.removeEventListener("abort", abort);
    connection.destroy();
  }
}

/** Shows a progress bar if stderr is a terminal. */
async function withBar<T>(work: (progress: Progress) => Promise<T>): Promise<T> {
  if (!process.stderr.isTTY) return work(() => undefined);
  const { SingleBar } = await import("cli-progress");
  const bar = new SingleBar({
    format: "{bar} {percentage}% | {value}/{total} bytes | {eta_formatted} left",
    clearOnComplete: true,
    hideCursor: true,
    gracefulExit: false,
    barsize: 24,
    stream: process.stderr,
  });
  let isShown = false;
  const unfollow = showCursorWhileSuspended(process.stderr);
  try {
    return await work((done, total) => {
      if (isShown) bar.update(done);
      else bar.start(total, done);
      isShown = true;
    });
  } finally {
    unfollow();
    bar.stop();
  }
}

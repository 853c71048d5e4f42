import {
  accessSync,
  closeSync,
  constants,
  createReadStream,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from "node:fs";
import { Socket } from "node:net";
import { addAbortSignal, type Readable } from "node:stream";
import { isatty, ReadStream } from "node:tty";
import { InputError, printable } from "../../src/gpt/base/errors";
import { fileError } from "../../src/places/node/file-errors";

const MB = 1 << 20;

/** A kind of input file: its name in messages, and its maximum size in bytes. */
export interface InputKind {
  readonly what: string;
  readonly limit: number;
}

export const LIST: InputKind = { what: "a dataset", limit: 64 * MB };
export const CHECKPOINT: InputKind = { what: "a checkpoint", limit: 1024 * MB };

/** Whether this is a regular file that any process can read at any position. */
export function isRegular(path: string): boolean {
  return !isOfThisProcess(path) && statSync(path).isFile();
}

/** Paths that denote another file in every process. */
function isOfThisProcess(path: string): boolean {
  return path === "/dev/stdin" || /^\/(dev|proc\/self)\/fd\/\d+$/.test(path);
}

/** @throws InputError when the file cannot be read or is too large */
export function readRegular(path: string, kind: InputKind): Uint8Array {
  checkRegular(path, kind);
  return orInputError(path, () => readFileSync(path));
}

/** @throws InputError when the file cannot be read or is too large */
export function checkRegular(path: string, { what, limit }: InputKind): void {
  const size = orInputError(path, () => {
    accessSync(path, constants.R_OK);
    return statSync(path).size;
  });
  if (size > limit) throw tooLarge(path, what, limit);
}

function orInputError<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fileError("read", path, error);
  }
}

/**
 * Copies a pipe or a device into a file until end of file.
 * @param ending interrupts the copy, also while no data arrives
 * @throws InputError when it cannot be read, or is larger than the limit
 */
export async function spool(path: string, file: string, kind: InputKind, ending: AbortSignal): Promise<void> {
  let source: Readable;
  try {
    source = openStream(path);
  } catch (error) {
    throw fileError("read", path, error);
  }
  const fd = openSync(file, "wx", 0o600);
  let size = 0;
  try {
    for await (const chunk of addAbortSignal(ending, source) as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > kind.limit) throw tooLarge(path, kind.what, kind.limit);
      for (let done = 0; done < chunk.length;) done += writeSync(fd, chunk, done);
    }
  } catch (error) {
    ending.throwIfAborted();
    throw error instanceof InputError ? error : fileError("read", path, error);
  } finally {
    closeSync(fd);
    source.destroy();
  }
}

/** A stream that can be destroyed even while no data arrives. */
function openStream(path: string): Readable {
  if (path === "/dev/stdin" || path.endsWith("/fd/0")) return process.stdin;
  // Without O_NONBLOCK, opening a pipe blocks until it has a writer.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const kind = statSync(path);
  if (kind.isFIFO()) return new Socket({ fd, readable: true, writable: false });
  return isatty(fd) ? new ReadStream(fd) : createReadStream(path, { fd });
}

function tooLarge(path: string, what: string, limit: number): InputError {
  return new InputError(`${printable(path, 200)} is larger than ${limit / MB} MB, the limit for ${what}.`);
}

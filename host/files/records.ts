import { closeSync, constants, fdatasyncSync, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import type { Event } from "../../src/protocol/events";
import { fileError, reasonOf } from "../../src/places/node/file-errors";
import { Output } from "./output";

/** The file of --jsonl: one JSON object per step, with the index of the document if batch_size is 1. */
export interface Records {
  onEvent: (event: Event) => void;
  /** Flushes buffered lines to the disk; undefined for a pipe or device. */
  flush: (() => Promise<void>) | undefined;
  /** Calls back when it can take more (back pressure). */
  whenReady: (callback: () => void) => void;
  /** Writes buffered lines and closes the file; resolves to the reason of a failed write, if any. */
  close: () => Promise<string | undefined>;
}

/** The destination of the lines: a file, or a pipe whose reader may be slow or close it. */
interface Sink {
  write: (text: string) => void;
  /** For files only: truncates to the bytes that are kept; flushes to the disk. */
  cut?: () => void;
  sync?: () => void;
  whenReady: (callback: () => void) => void;
  close: () => Promise<string | undefined>;
}

const BLOCK = 1 << 14;
/** Interval in milliseconds at which to check whether a pipe has a reader. */
const PIPE_POLL = 50;

/**
 * @param kept how many bytes of an existing file to keep; the rest is cut off only once the training has started
 * @param ending interrupts the wait for a pipe's reader
 * @throws InputError when the file cannot be opened
 */
export async function openRecords(path: string, kept: number, ending: AbortSignal): Promise<Records> {
  const sink = await openSink(path, kept, ending);
  const { sync } = sink;
  let pending = "";
  let batchSize = 1;
  const writeOut = (): void => {
    sink.write(pending);
    pending = "";
  };
  return {
    onEvent(event) {
      if (event.type === "start") {
        batchSize = event.batchSize;
        sink.cut?.();
      }
      if (event.type !== "step") return;
      const { step, loss, learningRate, validationLoss, name } = event;
      const trained = batchSize === 1 ? { name } : {};
      pending += `${JSON.stringify({ step, loss, learningRate, validationLoss, ...trained })}\n`;
      if (pending.length >= BLOCK) writeOut();
    },
    flush:
      sync &&
      (() => {
        writeOut();
        sync();
        return Promise.resolve();
      }),
    whenReady: sink.whenReady,
    close() {
      writeOut();
      return sink.close();
    },
  };
}

async function openSink(path: string, kept: number, ending: AbortSignal): Promise<Sink> {
  for (;;) {
    try {
      // Without O_NONBLOCK, opening a pipe without a reader blocks; with it, it fails with ENXIO.
      const fd = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK);
      return fstatSync(fd).isFIFO() ? pipeSink(fd) : fileSink(fd, kept);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENXIO")) throw fileError("write", path, error);
    }
    await setTimeout(PIPE_POLL, undefined, { signal: ending });
  }
}

function pipeSink(fd: number): Sink {
  const output = new Output(new Socket({ fd, readable: false, writable: true }));
  return {
    write: (text) => output.write(text),
    whenReady: (callback) => output.whenReady(callback),
    async close() {
      await output.flushed();
      output.stream.end();
      return output.trouble === "left" ? undefined : output.trouble;
    },
  };
}

function fileSink(fd: number, kept: number): Sink {
  let trouble: string | undefined;
  const attempt = (work: () => void): void => {
    if (trouble !== undefined) return;
    try {
      work();
    } catch (error) {
      trouble = reasonOf(error);
    }
  };
  return {
    write: (text) =>
      attempt(() => {
        const bytes = Buffer.from(text);
        for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
      }),
    ...(fstatSync(fd).isFile() && {
      cut: () => attempt(() => ftruncateSync(fd, kept)),
      sync: () => attempt(() => fdatasyncSync(fd)),
    }),
    whenReady: (callback) => callback(),
    close() {
      closeSync(fd);
      return Promise.resolve(trouble);
    },
  };
}

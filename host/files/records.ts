import { closeSync, constants, fdatasyncSync, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import type { Event } from "../../src/protocol/events";
import { fileError, reasonOf } from "../../src/places/node/file-errors";
import { Output } from "./output";

/** A file of one JSON object a step: of a batch of one name with its index. */
export interface Records {
  onEvent: (event: Event) => void;
  /** Brings what was heard to the disk; undefined where it goes to no file, and nothing is kept. */
  flush: (() => Promise<void>) | undefined;
  /** Calls back when it can take more. */
  whenReady: (callback: () => void) => void;
  /** Writes what is left; resolves to what went wrong with the file, in words. */
  close: () => Promise<string | undefined>;
}

/** Where the lines go: a file, or a pipe whose reader may be slow or leave. */
interface Sink {
  write: (text: string) => void;
  /** Of a file: cuts off what is not kept of it, and brings what was written to the disk. */
  cut?: () => void;
  sync?: () => void;
  whenReady: (callback: () => void) => void;
  close: () => Promise<string | undefined>;
}

const BLOCK = 1 << 14;
/** How often to look whether a pipe has got its reader, in milliseconds. */
const PIPE_POLL = 50;

/**
 * @param kept how many bytes of a file stay: the rest goes when the training begins, not when it fails to
 * @param ending interrupts the wait for the reader of a pipe
 * @throws InputError when the file cannot be written
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
      // A pipe without a reader would block; so it says ENXIO.
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

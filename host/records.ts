import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import type { Event } from "../src/program/events";
import { fileError, reasonOf } from "./file-errors";
import { Output } from "./output";

/** A file of one JSON object a step: of a batch of one name with its index. */
export interface Records {
  hear: (event: Event) => void;
  /** Calls back when it can take more. */
  whenReady: (callback: () => void) => void;
  /** Writes what is left; resolves to what went wrong with the file, in words. */
  close: () => Promise<string | undefined>;
}

/** Where the lines go: a file, or a pipe whose reader may be slow or leave. */
interface Sink {
  write: (text: string) => void;
  whenReady: (callback: () => void) => void;
  close: () => Promise<string | undefined>;
}

const BLOCK = 1 << 14;
/** How often to look whether a pipe has got its reader, in milliseconds. */
const PIPE_POLL = 50;

/**
 * @param ending interrupts the wait for the reader of a pipe
 * @throws InputError when the file cannot be written
 */
export async function openRecords(path: string, ending: AbortSignal): Promise<Records> {
  const sink = await openSink(path, ending);
  let pending = "";
  let batchSize = 1;
  return {
    hear(event) {
      if (event.type === "start") batchSize = event.batchSize;
      if (event.type !== "step") return;
      const { step, loss, learningRate, validationLoss, name } = event;
      const trained = batchSize === 1 ? { name } : {};
      pending += `${JSON.stringify({ step, loss, learningRate, validationLoss, ...trained })}\n`;
      if (pending.length < BLOCK) return;
      sink.write(pending);
      pending = "";
    },
    whenReady: sink.whenReady,
    close() {
      sink.write(pending);
      return sink.close();
    },
  };
}

async function openSink(path: string, ending: AbortSignal): Promise<Sink> {
  for (;;) {
    try {
      // A pipe without a reader would block; so it says ENXIO.
      const fd = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK);
      return fstatSync(fd).isFIFO() ? pipeSink(fd) : fileSink(fd);
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

function fileSink(fd: number): Sink {
  let isFresh = fstatSync(fd).isFile();
  let trouble: string | undefined;
  return {
    write(text) {
      if (trouble !== undefined || text === "") return;
      try {
        // What was there before goes when there is something new, not when the run fails to start.
        if (isFresh) ftruncateSync(fd);
        isFresh = false;
        const bytes = Buffer.from(text);
        for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
      } catch (error) {
        trouble = reasonOf(error);
      }
    },
    whenReady: (callback) => callback(),
    close() {
      closeSync(fd);
      return Promise.resolve(trouble);
    },
  };
}

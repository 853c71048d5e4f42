import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LEAST_UPPER_BOUND, originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { CHIPS } from "../../src/chips";
import { InputError } from "../../src/errors";
import { CREATION } from "../../src/plan";
import type { EngineCall } from "../node-engine";
import { readBytes } from "../node-storage";
import { type BuildProgress, buildHost } from "./build";
import { EXIT_INPUT, EXIT_STOPPED, type Request, STOP } from "./protocol";
import { type Bits, ROOT } from "./sources";

/** The heap is full: see engine/host.h. */
const EXIT_MEMORY = 3;

const BUNDLE = join(ROOT, "dist", "device.js");

/** The simulated device. */
const ESP32 = CHIPS[0].room;

/** A slot of this computer takes this much more than one of the device. */
const SLOT_SURPLUS: Readonly<Record<Bits, number>> = { 32: 0, 64: 16 };

/** How to simulate. */
export interface XsOptions {
  readonly bits: Bits;
  /** Bytes that XS may have for slots, chunks and stack; by default what the ESP32 could give it. */
  readonly heapLimit?: number;
  readonly buildProgress: BuildProgress;
}

/** An exception that nobody caught, with its stack in the TypeScript sources. */
export class UncaughtError extends Error {}

/**
 * Runs a job on the real XS engine, in a process of its own; resolves to whether it was stopped.
 * @throws NoCompilerError; InputError, also when the heap is full; UncaughtError
 */
export async function runOnXs(call: EngineCall, options: XsOptions): Promise<boolean> {
  const { job, namesFile, write, observer, started } = call;
  const executable = await buildHost(options.bits, options.buildProgress);
  readBytes(namesFile);
  const isObserved = observer.step !== undefined || observer.progress !== undefined;
  const { heapLimit } = options;
  const room = heapLimit === undefined ? ESP32 : { total: heapLimit, largestPiece: heapLimit };
  const request: Request = { job, namesFile, room, isObserved };
  const { chunks, slots, stack } = CREATION;
  const surplus = heapLimit === undefined ? (slots + stack) * SLOT_SURPLUS[options.bits] : 0;
  const child = spawn(
    executable,
    [
      ...["--bundle", BUNDLE, "--preload", "--names", namesFile, "--request", JSON.stringify(request)],
      ...["--chunks", String(chunks), "--slots", String(slots), "--stack", String(stack)],
      ...["--heap-limit", String(room.total + surplus), "--events", "3"],
    ],
    // In a process group of its own Ctrl-C does not reach it: it is asked to stop.
    { stdio: ["pipe", "pipe", "pipe", "pipe"], detached: true },
  );
  const [stdin, stdout, stderr, events] = child.stdio;
  stdin.on("error", () => undefined); // The job may have ended before it was asked to stop.
  stdout.setEncoding("utf8").on("data", write);
  let complaint = "";
  stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  let report = "";
  (events as NodeJS.ReadableStream).setEncoding("utf8").on("data", (text: string) => {
    const lines = (report + text).split("\n");
    report = lines.pop() ?? "";
    for (const line of lines) tell(line.split("\t").map(Number), observer);
  });
  started({ stop: () => void stdin.write(`${STOP}\n`) });

  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  switch (exitCode) {
    case 0:
      return false;
    case EXIT_STOPPED:
      return true;
    case EXIT_INPUT:
    case EXIT_MEMORY:
      throw new InputError(withSources(complaint.trim()));
    default:
      throw new UncaughtError(withSources(complaint.trim() || `XS ended with ${exitCode ?? "a signal"}.`));
  }
}

function tell(numbers: readonly number[], { step, progress }: EngineCall["observer"]): void {
  if (numbers.length === 2) progress?.(numbers[0], numbers[1]);
  else {
    const [index, loss, learningRate, validationLoss, name] = numbers;
    step?.({ step: index, loss, learningRate, validationLoss, name });
  }
}

/** Replaces positions in the bundle by those in the TypeScript sources. */
function withSources(stack: string): string {
  const map = new TraceMap(readFileSync(`${BUNDLE}.map`, "utf8"));
  return stack.replace(/\bdevice\.js:(\d+)/g, (position: string, line: string) => {
    const { source, line: original } = originalPositionFor(map, {
      line: Number(line),
      column: 0,
      bias: LEAST_UPPER_BOUND,
    });
    return source === null ? position : `${source.replace(/^(\.\.\/)+/, "")}:${original}`;
  });
}

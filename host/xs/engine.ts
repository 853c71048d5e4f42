import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Chip, CHIPS } from "../../src/places/chips";
import { InputError } from "../../src/gpt/base/errors";
import type { DoneEvent } from "../../src/protocol/events";
import { CREATION } from "../../src/gpt/plan";
import type { MemoryBudget } from "../../src/gpt/base/platform";
import { checkRegular, LIST } from "../files/inputs";
import type { Call } from "../node/run-on-node";
import { LineReader } from "../files/lines";
import { followSuspension } from "../terminal/suspension";
import { FLUSHED, type Request, STOP, type WireEvent } from "./protocol";
import { type Bits, ROOT } from "./sources";

/** Exit code of the XS host when the heap is full or its size is invalid: see engine/output.h. */
const EXIT_MEMORY = 3;

const DIST = join(ROOT, "dist");

/** The path of a bundle that runs in XS: see rollup.config.mjs. */
export function bundleNamed(name: "device" | "board" | "app"): string {
  return join(DIST, `${name}.js`);
}

/** The chip that is simulated by default. */
const [ESP32] = CHIPS;

/** Extra bytes of a slot compared with the device's 16. */
const SLOT_SURPLUS: Readonly<Record<Bits, number>> = { 32: 0, 64: 16 };

/** Options of the XS host. */
export interface XsOptions {
  /** Path of the executable: see buildHost. */
  readonly executable: string;
  readonly bits: Bits;
  /** Maximum total of slots, chunks and stack in bytes; the default is the chip's. */
  readonly heapLimit?: number;
  /** The chip whose memory the engine has; ESP32 by default. */
  readonly chip?: Chip;
}

/** An uncaught exception, with a stack trace in the TypeScript sources. */
export class UncaughtError extends Error {}

/**
 * Runs a job on the XS engine, in a child process.
 * @throws InputError when the heap is full
 * @throws UncaughtError on an internal error
 */
export async function runOnXs(call: Call, options: XsOptions): Promise<DoneEvent["outcome"]> {
  const { job, names, files, emit, emitsAllSteps, flush, whenReady, ending } = call;
  ending.throwIfAborted();
  const namesFile = files.pathOf(names);
  const request: Request = {
    job,
    namesFile: names,
    actual: files.actual,
    memory: memoryBudgetOf(options),
    emitsAllSteps,
    flushes: flush !== undefined,
  };
  const bundle = bundleNamed("device");
  const child = startXs(bundle, request, namesFile, options);
  const { stdin, stdout, stderr } = child;
  stdin.on("error", () => undefined); // The job may have exited before it was asked to stop.
  let complaint = "";
  stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));

  let hasStarted = false;
  let outcome: DoneEvent["outcome"] | undefined;
  const lines = new LineReader((line) => {
    const event = JSON.parse(line) as WireEvent;
    if (event.type === "flush") {
      flush?.().then(
        () => stdin.write(`${FLUSHED}\n`),
        (error: unknown) => child.emit("error", error),
      );
      return;
    }
    if (event.type === "start") hasStarted = true;
    if (event.type === "done") outcome = event.outcome;
    emit(event);
  });
  stdout.setEncoding("utf8").on("data", (text: string) => {
    lines.take(text);
    stdout.pause();
    whenReady(() => stdout.resume());
  });
  const stop = (): void => {
    // A training saves a checkpoint before it stops; other jobs have nothing to save.
    if (hasStarted) stdin.write(`${STOP}\n`);
    else child.kill("SIGKILL");
  };
  ending.addEventListener("abort", stop);

  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.on("error", reject).on("close", resolve);
    });
    if (outcome !== undefined && exitCode === 0) return outcome;
    if (ending.aborted && complaint === "") return "stopped";
    throw await failureOf(bundle, exitCode, complaint);
  } finally {
    ending.removeEventListener("abort", stop);
  }
}

/** The memory of the simulated device. */
export function memoryBudgetOf({ heapLimit, chip = ESP32 }: XsOptions): MemoryBudget {
  return heapLimit === undefined ? chip.memory : { total: heapLimit, largestPiece: heapLimit };
}

/**
 * Starts a bundle in XS, with the device's memory, in a child process that does not outlive this one.
 * @param bundle its path, beside which is its source map
 * @param namesFile the dataset, if the bundle has one
 * @throws InputError when the dataset cannot be read or is too large
 */
export function startXs(
  bundle: string,
  request: object,
  namesFile: string | undefined,
  options: XsOptions,
): ChildProcessWithoutNullStreams {
  if (namesFile !== undefined) checkRegular(namesFile, LIST);
  const { chunks, slots, stack } = CREATION;
  const surplus = options.heapLimit === undefined ? (slots + stack) * SLOT_SURPLUS[options.bits] : 0;
  const child = spawn(
    options.executable,
    [
      ...["--bundle", bundle, "--preload", "--request", JSON.stringify(request)],
      ...(dirname(bundle) === DIST ? ["--cache", cacheOf(bundle, options.executable)] : []),
      ...(namesFile === undefined ? [] : ["--names", namesFile]),
      ...["--chunks", String(chunks), "--slots", String(slots), "--stack", String(stack)],
      ...["--heap-limit", String(memoryBudgetOf(options).total + surplus), "--with-parent", String(process.pid)],
    ],
    // A separate process group, which Ctrl-C and Ctrl-Z do not reach: the child is stopped in an orderly way instead.
    { stdio: ["pipe", "pipe", "pipe"], detached: true },
  );
  const unfollow = followSuspension({
    suspend() {
      child.kill("SIGSTOP");
    },
    resume() {
      child.kill("SIGCONT");
    },
  });
  child.once("close", unfollow).once("error", unfollow);
  return child;
}

/**
 * The file where the host keeps a bundle of dist/ in compiled form: one for each executable, whose name changes with the
 * engine and its compiler. The next build of a host removes it.
 */
function cacheOf(bundle: string, executable: string): string {
  return join(dirname(executable), `${basename(bundle)}-${basename(executable)}.cache`);
}

/** Turns the exit code and stderr of XS into an error. */
export async function failureOf(bundle: string, exitCode: number | null, complaint: string): Promise<Error> {
  const message = await withSources(bundle, complaint.trim() || `XS ended with ${exitCode ?? "a signal"}.`);
  return exitCode === EXIT_MEMORY ? new InputError(message) : new UncaughtError(message);
}

/** Maps positions in the bundle to the TypeScript sources. */
async function withSources(bundle: string, stack: string): Promise<string> {
  const { LEAST_UPPER_BOUND, originalPositionFor, TraceMap } = await import("@jridgewell/trace-mapping");
  const map = new TraceMap(readFileSync(`${bundle}.map`, "utf8"));
  return stack.replace(/\b(?:device|board|app)\.js:(\d+)/g, (position: string, line: string) => {
    const { source, line: original } = originalPositionFor(map, {
      line: Number(line),
      column: 0,
      bias: LEAST_UPPER_BOUND,
    });
    return source === null ? position : `${source.replace(/^(\.\.\/)+/, "")}:${original}`;
  });
}

import { InputError, printable } from "../../src/gpt/base/errors";
import type { DoneEvent, Event } from "../../src/protocol/events";
import type { Job } from "../../src/jobs/job";
import { formatNameAsJson, plainDisplay, terminalDisplay } from "../terminal/display";
import { EXIT } from "./exit-codes";
import type { Files } from "../files/files";
import { type Call, runOnNode } from "../node/run-on-node";
import type { Output } from "../files/output";
import { openRecords } from "../files/records";
import { bytesToKeep } from "./resumed-records";
import { formatText } from "../../src/protocol/text-log";
import { Statistics, type UsageReport } from "../terminal/statistics";
import { buildHost, XsUnavailable } from "../xs/build";
import { runOnXs, type XsOptions } from "../xs/engine";
import type { Bits, Loops } from "../xs/sources";

/** How to run a job: the engine, the files and the output format. */
export interface RunOptions {
  readonly engine: "node" | "xs" | "auto";
  readonly xsBits: Bits;
  readonly heapLimit?: number;
  /** Path of the dataset. */
  readonly data: string;
  /** Path of a file for one JSON object per step. */
  readonly jsonl?: string;
  /** Output formats for programs: one plain name per line, or one JSON object per line. */
  readonly plain?: boolean;
  readonly json?: boolean;
  /** Whether to print a last line of statistics. */
  readonly stats?: boolean;
}

/** After a signal: how long a reader that does not read may delay the exit, in milliseconds. */
const FLUSH_TIMEOUT_MS = 500;

/**
 * Runs a job and shows its events on standard output.
 * @throws InputError when the job or writing its output failed
 */
export async function runAndShow(
  job: Job,
  options: RunOptions,
  files: Files,
  output: Output,
  ending: AbortSignal,
): Promise<void> {
  const { data, jsonl } = options;
  const isResumed = job.command === "train" && job.resume !== undefined;
  const kept = jsonl !== undefined && isResumed ? await bytesToKeep(jsonl, job, data, files, ending) : 0;
  const records = jsonl === undefined ? undefined : await openRecords(jsonl, kept, ending);
  const isOnTerminal = process.stdout.isTTY && job.command !== "generate";
  const display = isOnTerminal ? await terminalDisplay(output) : plainDisplay(output, formatOf(options));
  const statistics = new Statistics();
  const troubles: string[] = [];

  // If the reader closes standard output, the job stops, unless it also writes a file.
  const leaving = new AbortController();
  const isKept = job.command === "train" && (job.save ?? job.saveWeights ?? job.keepBest ?? jsonl) !== undefined;
  if (!isKept) output.whenLost(() => leaving.abort());
  const release = (): void => void setTimeout(() => output.isFull && output.release(), FLUSH_TIMEOUT_MS).unref();
  ending.addEventListener("abort", release);

  let outcome: DoneEvent["outcome"];
  try {
    outcome = await runOnPlace(
      {
        job,
        names: data,
        files,
        emit(event: Event | UsageReport) {
          statistics.onEvent(event);
          if (event.type === "usage") return;
          records?.onEvent(event);
          if (event.type === "error") troubles.push(event.message);
          if (event.type === "remark") console.error(`esp32gpt: ${event.message}`);
          display.onEvent(event);
        },
        emitsAllSteps: isOnTerminal || records !== undefined,
        flush: records?.flush,
        whenReady: (callback) => output.whenReady(() => (records ? records.whenReady(callback) : callback())),
        ending: AbortSignal.any([ending, leaving.signal]),
      },
      options,
    );
    if (!statistics.hasLearnt && outcome === "done") process.exitCode = EXIT.notLearning;
    if (options.stats && outcome !== "failed") output.write(statistics.format());
  } finally {
    ending.removeEventListener("abort", release);
    display.end();
    const trouble = await records?.close();
    if (trouble !== undefined) troubles.push(`Cannot write ${printable(jsonl ?? "", 200)}: ${trouble}.`);
  }
  if (troubles.length > 0) throw new InputError(troubles.join(" "));
}

function formatOf({ plain, json }: RunOptions): (event: Event) => string {
  if (plain) return (event) => (event.type === "name" ? `${event.name}\n` : "");
  return json ? formatNameAsJson : formatText;
}

/** Runs the job on the requested engine; "auto" falls back to Node. */
async function runOnPlace(call: Call, options: RunOptions): Promise<DoneEvent["outcome"]> {
  const xs = options.engine === "node" ? undefined : await prepareXs(options, "desktop", call.ending);
  return xs ? runOnXs(call, xs) : runOnNode(call);
}

/** Builds the XS host; undefined if it is unavailable and the engine is "auto". */
export async function prepareXs(
  { engine, xsBits, heapLimit }: Pick<RunOptions, "engine" | "xsBits" | "heapLimit">,
  loops: Loops,
  ending: AbortSignal,
): Promise<XsOptions | undefined> {
  try {
    const executable = await buildHost({ bits: xsBits, loops }, showBuild, ending);
    return { executable, bits: xsBits, ...(heapLimit === undefined ? {} : { heapLimit }) };
  } catch (error) {
    if (engine === "xs" || !(error instanceof XsUnavailable)) throw error;
    console.error(`esp32gpt: XS is not available: running on Node. ${error.message}`);
    return undefined;
  }
}

/** The first build takes a while: shows its progress on a terminal, one line elsewhere. */
function showBuild(done: number, total: number): void {
  const { stderr } = process;
  if (stderr.isTTY) stderr.write(`\rBuilding the XS engine: ${done}/${total}${done === total ? "\n" : ""}`);
  else if (done === 1) stderr.write("Building the XS engine...\n");
}

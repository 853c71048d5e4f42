import { InputError } from "../../src/gpt/base/errors";
import type { DoneEvent, Event } from "../../src/protocol/events";
import { type Job, runJob } from "../../src/jobs/job";
import type { Dtype, Ops, OpsName } from "../../src/gpt/model/ops";
import type { Platform } from "../../src/gpt/base/platform";
import { Runner } from "../../src/gpt/base/runner";
import { typescriptOps } from "../../src/gpt/model/typescript-ops";
import type { Files } from "../files/files";
import { LIST, readRegular } from "../files/inputs";
import type { UsageReport } from "../terminal/statistics";

/** A job, its input, and the callbacks that receive its output. */
export interface Call {
  readonly job: Job;
  /** The path of the dataset, as the user gave it. */
  readonly names: string;
  readonly files: Files;
  readonly emit: (event: Event | UsageReport) => void;
  /** Whether to emit an event for every step, or only for the steps that the log shows. */
  readonly emitsAllSteps: boolean;
  /** Makes the emitted events durable before a checkpoint is saved: see RunContext. */
  readonly flush?: (() => Promise<void>) | undefined;
  /** Calls back when the receivers of events can take more (back pressure). */
  readonly whenReady: (callback: () => void) => void;
  /** Asks the job to stop after the current unit of work. */
  readonly ending: AbortSignal;
}

/** Runs a job in this process. */
export async function runOnNode(call: Call): Promise<DoneEvent["outcome"]> {
  const { job, names, files, emit, emitsAllSteps, flush, whenReady, ending } = call;
  const platform = platformOf(names, files, whenReady);
  const runner = new Runner(platform);
  const stop = (): void => runner.stop();
  ending.addEventListener("abort", stop);
  if (ending.aborted) stop();
  try {
    return await runJob(job, { platform, runner, emit, emitsAllSteps, flush, provideOps });
  } finally {
    ending.removeEventListener("abort", stop);
  }
}

/**
 * This process as a platform.
 * @param names the path of the dataset
 * @param whenReady see Call
 */
export function platformOf(
  names: string,
  files: Files,
  whenReady: Call["whenReady"] = (callback) => callback(),
): Platform {
  return {
    place: "Node",
    names: readRegular(files.pathOf(names), LIST),
    namesFile: names,
    storage: files.storage,
    now: () => performance.now(),
    schedule: (slice) => whenReady(() => void setImmediate(slice)),
    memoryBudget: () => undefined,
  };
}

export function provideOps(dtype: Dtype = "f32", ops?: OpsName): Ops {
  if (ops === "native") throw new InputError("Native ops run on XS only: use --engine xs, or --ops typescript.");
  return typescriptOps(dtype);
}

import { InputError } from "../src/errors";
import { NO_USAGE, type Platform } from "../src/platform";
import { typescriptOps } from "../src/typescript-ops";
import { type Job, type JobObserver, type OpsProvider, type RunningJob, startJob } from "./job";
import { nodeStorage, readBytes } from "./node-storage";

/** What an engine needs to run a job, and whom it tells. */
export interface EngineCall {
  readonly job: Job;
  /** The dataset. */
  readonly namesFile: string;
  /** Receives the log. */
  readonly write: (text: string) => void;
  readonly observer: Pick<JobObserver, "step" | "progress">;
  /** Receives the running job, to stop it. */
  readonly started: (running: RunningJob) => void;
}

const provideOps: OpsProvider = (dtype, ops) => {
  if (ops === "native") throw new InputError("Native ops run on XS only: use --engine xs, or --ops typescript.");
  return typescriptOps(dtype);
};

/** Runs a job in this process; resolves to whether it was stopped. */
export function runOnNode({ job, namesFile, write, observer, started }: EngineCall): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const platform: Platform = {
      engine: "Node",
      names: readBytes(namesFile),
      namesFile,
      storage: nodeStorage,
      write,
      now: () => performance.now(),
      schedule: (slice) =>
        void setImmediate(() => {
          try {
            slice();
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        }),
      room: () => undefined,
      usage: () => NO_USAGE,
    };
    startJob(job, platform, provideOps, { ...observer, done: resolve }).then(started, reject);
  });
}

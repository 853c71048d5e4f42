import { App, type AppConfig, storageOf } from "../src/app";
import { checkInteger, type ModelConfig, PRESETS } from "../src/config";
import { Dataset } from "../src/dataset";
import { Generator } from "../src/generate";
import { loadModel } from "../src/loading";
import type { Model } from "../src/model";
import type { Dtype, Ops, OpsName } from "../src/ops";
import type { Platform } from "../src/platform";
import { Random } from "../src/random";
import { Runner } from "../src/runner";
import { checkFits, nameLoss } from "../src/trainer";

/** What the command line asks an engine to do: plain data, so that it can cross to another process. */
export type Job = TrainJob | GenerateJob | EvaluateJob;

export interface TrainJob {
  readonly command: "train";
  readonly dtype: Dtype;
  /** The engine's best unless given. */
  readonly ops?: OpsName;
  readonly app: AppConfig;
  /** Whether to end with a line of statistics. */
  readonly stats: boolean;
}

export interface GenerateJob {
  readonly command: "generate";
  readonly dtype: Dtype;
  /** The engine's best unless given. */
  readonly ops?: OpsName;
  readonly model: string;
  readonly wanted: Partial<ModelConfig>;
  readonly count: number;
  readonly temperature?: number;
  readonly prefix: string;
  readonly seed: number;
}

export interface EvaluateJob {
  readonly command: "eval";
  readonly dtype: Dtype;
  /** The engine's best unless given. */
  readonly ops?: OpsName;
  readonly model: string;
  readonly wanted: Partial<ModelConfig>;
}

/** What happened in a step of training: NaN where there is no such loss. */
export interface StepReport {
  readonly step: number;
  readonly loss: number;
  readonly learningRate: number;
  readonly validationLoss: number;
  /** Index of the name in the dataset. */
  readonly name: number;
}

export interface JobObserver {
  readonly step?: (report: StepReport) => void;
  /** Of a job that is not training: so many of so many names are done. */
  readonly progress?: (done: number, total: number) => void;
  /** The job has ended; `stopped` when it was asked to before its time. */
  readonly done: (stopped: boolean) => void;
}

/**
 * What an engine has to compute with.
 * @throws InputError for ops or a precision that it does not have
 */
export type OpsProvider = (dtype: Dtype, ops?: OpsName) => Ops;

export interface RunningJob {
  /** Asks the job to end soon and in order. */
  stop(): void;
}

/** Names measured between two turns of the event loop. */
const NAMES_A_SLICE = 200;

/**
 * Starts a job on a platform; it goes on in the platform's event loop.
 * @throws InputError, here or out of the event loop, for what the user can mend
 */
export async function startJob(
  job: Job,
  platform: Platform,
  provideOps: OpsProvider,
  observer: JobObserver,
): Promise<RunningJob> {
  const ops = provideOps(job.dtype, job.ops);
  switch (job.command) {
    case "train":
      return train(job, platform, ops, observer);
    case "generate":
      return generate(job, platform, ops, observer);
    case "eval":
      return evaluate(job, platform, ops, observer);
  }
}

async function train(job: TrainJob, platform: Platform, ops: Ops, observer: JobObserver): Promise<RunningJob> {
  let statistics: string;
  let bytecodesBefore: number | null = null;
  const { step } = observer;
  const app = await App.create(platform, job.app, ops, {
    ...(step && {
      step: ({ stepsDone, nameIndex }, loss = NaN, learningRate, validationLoss = NaN) =>
        step({ step: stepsDone - 1, loss, learningRate, validationLoss, name: nameIndex }),
    }),
    trained(trainer, milliseconds) {
      const steps = trainer.stepsDone;
      const { bytecodes, collections, flash, ...heap } = platform.usage();
      const executed = bytecodes === null || bytecodesBefore === null ? null : bytecodes - bytecodesBefore;
      statistics = JSON.stringify({
        engine: platform.engine.toLowerCase(),
        ops: ops.name,
        steps,
        seconds: milliseconds / 1000,
        microsecondsPerStep: steps > 0 ? (1000 * milliseconds) / steps : null,
        bytecodesPerStep: executed === null || steps === 0 ? null : Math.round(executed / steps),
        heap,
        collections,
        flash,
      });
    },
    done(stopped) {
      if (job.stats) platform.write(`${statistics}\n`);
      observer.done(stopped);
    },
  });
  app.start();
  bytecodesBefore = platform.usage().bytecodes;
  return app;
}

async function generate(job: GenerateJob, platform: Platform, ops: Ops, observer: JobObserver): Promise<RunningJob> {
  checkInteger("n", job.count, 1, 1e9);
  const model = await load(job, platform, ops);
  const generator = new Generator(model, new Random(job.seed));
  const dataset = new Dataset(platform.names, platform.namesFile, platform.skipLines);
  const temperature = job.temperature ?? PRESETS[model.config.preset].temperature;
  return runSliced(job.count, 1, platform, observer, (i) => {
    const name = generator.name(temperature, job.prefix);
    const mark = dataset.has(name) ? " (in the dataset)" : "";
    platform.write(`${String(i + 1).padStart(4)}. ${name}${mark}\n`);
  });
}

async function evaluate(job: EvaluateJob, platform: Platform, ops: Ops, observer: JobObserver): Promise<RunningJob> {
  const model = await load(job, platform, ops);
  const dataset = new Dataset(platform.names, platform.namesFile, platform.skipLines);
  checkFits(model, dataset);
  const tokens = new Uint8Array(model.config.blockSize + 1);
  let sum = 0;
  let measured = 0;
  const measure = (i: number): void => {
    const loss = nameLoss(model, dataset, i, tokens);
    if (loss === undefined) return;
    sum += loss;
    measured++;
  };
  return runSliced(
    dataset.count,
    NAMES_A_SLICE,
    platform,
    {
      ...observer,
      done(stopped) {
        const passedOver = dataset.count - measured;
        const remark = passedOver > 0 ? ` (${passedOver} too long, passed over)` : "";
        if (!stopped) platform.write(`Mean loss: ${(sum / measured).toFixed(4)} over ${measured} names${remark}\n`);
        observer.done(stopped);
      },
    },
    measure,
  );
}

async function load(job: GenerateJob | EvaluateJob, platform: Platform, ops: Ops): Promise<Model> {
  const loaded = await loadModel(new Runner(platform), storageOf(platform), job.model, job.wanted, ops);
  if (!loaded) throw new Error("The runner was stopped.");
  return loaded.model;
}

/** Calls `work` with 0 to `total` - 1, so many of them in a turn of the event loop. */
function runSliced(
  total: number,
  perSlice: number,
  platform: Platform,
  observer: JobObserver,
  work: (i: number) => void,
): RunningJob {
  let next = 0;
  let stopping = false;
  const slice = (): void => {
    for (const end = Math.min(next + perSlice, total); next < end; next++) work(next);
    observer.progress?.(next, total);
    if (next === total || stopping) observer.done(next < total);
    else platform.schedule(slice);
  };
  platform.schedule(slice);
  return {
    stop() {
      stopping = true;
    },
  };
}

import { type ModelConfig, PRESETS, samplingLimits, type SamplingLimits } from "../gpt/model/config";
import { checkInteger, InputError } from "../gpt/base/errors";
import type { DoneEvent } from "../protocol/events";
import type { Ending } from "../gpt/base/runner";
import { Generator, GenerateTask } from "../gpt/model/generate";
import { isOwnList, loadForJob } from "./origin";
import { evaluate, type Measures } from "./eval-job";
import type { Dtype, OpsName } from "../gpt/model/ops";
import { Random } from "../gpt/model/random";
import { datasetOf } from "../gpt/data/dataset";
import type { RunContext } from "./run-context";
import { reportOddities } from "../gpt/training/list-remarks";
import { runTrainJob, type TrainJob } from "./train-job";

/** A job: plain data, which can be sent to another process. */
export type Job = TrainJob | GenerateJob | EvaluateJob;

interface Numbers {
  readonly dtype: Dtype;
  /** The platform's fastest by default. */
  readonly ops?: OpsName;
}

/** Generate names with a checkpoint. */
export interface GenerateJob extends Numbers, Partial<SamplingLimits> {
  readonly command: "generate";
  readonly model: string;
  readonly wanted: Partial<ModelConfig>;
  readonly count: number;
  readonly temperature?: number;
  readonly prefix: string;
  readonly seed: number;
}

/** Measure how well a checkpoint predicts names, and how the names that it generates compare with the dataset. */
export interface EvaluateJob extends Numbers, Measures {
  readonly command: "eval";
  readonly model: string;
  readonly wanted: Partial<ModelConfig>;
}

/**
 * Runs a job to its end. An InputError becomes an `error` event; the last event is `done`. Rejects only for bugs.
 */
export async function runJob(job: Job, context: RunContext): Promise<DoneEvent["outcome"]> {
  const { emit } = context;
  let outcome: DoneEvent["outcome"];
  try {
    outcome = await endOf(job, context);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    emit({ type: "error", message: error.message });
    outcome = "failed";
  }
  emit({ type: "done", job: job.command, outcome });
  return outcome;
}

function endOf(job: Job, context: RunContext): Promise<Ending> {
  switch (job.command) {
    case "train":
      return runTrainJob(job, context);
    case "generate":
      return generate(job, context);
    case "eval":
      return measure(job, context);
  }
}

async function generate(job: GenerateJob, context: RunContext): Promise<Ending> {
  const { platform, runner, emit } = context;
  checkInteger("n", job.count, 1, 1e9);
  const random = new Random(job.seed);
  const ops = context.provideOps(job.dtype, job.ops);
  const dataset = datasetOf(platform);
  await reportOddities(dataset, runner, emit);
  const loaded = await loadForJob(context, job.model, { wanted: job.wanted, ops, data: dataset.vocabulary });
  if (!loaded) return "stopped";
  const { model, origin } = loaded;
  const isOwn = isOwnList(origin, dataset);
  if (isOwn === false)
    emit({
      type: "remark",
      message:
        `${origin.file} was trained on another list than ${dataset.source}, so no name is marked as known: give its ` +
        `own list with --data.`,
    });
  const temperature = job.temperature ?? PRESETS[model.config.preset].temperature;
  let isUnmarked = false;
  const write = (name: string, number: number): void => {
    if (isOwn === undefined && !isUnmarked && (isUnmarked = dataset.has(name)))
      emit({
        type: "remark",
        message: `${origin.file} does not say what it was trained on: names that ${dataset.source} has too are not marked.`,
      });
    emit({ type: "name", number, name, ...(isOwn && { isKnown: dataset.has(name) }) });
  };
  const { count, prefix } = job;
  const names = { count, temperature, prefix, ...samplingLimits(job) };
  return runner.run(new GenerateTask(new Generator(model, random), names, write));
}

async function measure(job: EvaluateJob, context: RunContext): Promise<Ending> {
  const { platform, runner, emit } = context;
  const ops = context.provideOps(job.dtype, job.ops);
  const dataset = datasetOf(platform);
  await reportOddities(dataset, runner, emit);
  const loaded = await loadForJob(context, job.model, { wanted: job.wanted, ops, data: dataset.vocabulary });
  return loaded ? evaluate(loaded, dataset, job, runner, emit) : "stopped";
}

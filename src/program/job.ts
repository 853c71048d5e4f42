import { checkInteger, type ModelConfig, PRESETS } from "../config";
import { InputError } from "../errors";
import type { DoneEvent, Ending } from "./events";
import { Generator } from "../model/generate";
import { loadForJob } from "./loaded-model";
import { evaluate, type Measures } from "./measuring";
import type { Dtype, OpsName } from "../model/ops";
import { Random } from "../model/random";
import { datasetOf, type Surroundings } from "./surroundings";
import { runTrainJob, type TrainJob } from "./train-job";
import { Writing } from "./writing";

/** What to do: plain data, which can go to a process of its own as it is. */
export type Job = TrainJob | GenerateJob | EvaluateJob;

interface Numbers {
  readonly dtype: Dtype;
  /** The place's best unless given. */
  readonly ops?: OpsName;
}

/** Let a checkpoint write names. */
export interface GenerateJob extends Numbers {
  readonly command: "generate";
  readonly model: string;
  readonly wanted: Partial<ModelConfig>;
  readonly count: number;
  readonly temperature?: number;
  readonly prefix: string;
  readonly seed: number;
}

/** Measure how well a checkpoint predicts names, and what those are like that it writes. */
export interface EvaluateJob extends Numbers, Measures {
  readonly command: "eval";
  readonly model: string;
  readonly wanted: Partial<ModelConfig>;
}

/**
 * Does a job to its end. What the user can mend is told as an event; the last event is `done`.
 * Rejects for mistakes in the program only.
 */
export async function runJob(job: Job, surroundings: Surroundings): Promise<DoneEvent["outcome"]> {
  const { tell } = surroundings;
  let outcome: DoneEvent["outcome"];
  try {
    outcome = await endOf(job, surroundings);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    tell({ type: "error", message: error.message });
    outcome = "failed";
  }
  tell({ type: "done", job: job.command, outcome });
  return outcome;
}

function endOf(job: Job, surroundings: Surroundings): Promise<Ending> {
  switch (job.command) {
    case "train":
      return runTrainJob(job, surroundings);
    case "generate":
      return generate(job, surroundings);
    case "eval":
      return measure(job, surroundings);
  }
}

async function generate(job: GenerateJob, surroundings: Surroundings): Promise<Ending> {
  const { platform, runner, tell } = surroundings;
  checkInteger("n", job.count, 1, 1e9);
  const random = new Random(job.seed);
  const ops = surroundings.provideOps(job.dtype, job.ops);
  const dataset = datasetOf(platform);
  const model = await loadForJob(job.model, job.wanted, ops, dataset.vocabulary, surroundings);
  if (!model) return "stopped";
  const temperature = job.temperature ?? PRESETS[model.config.preset].temperature;
  const write = (name: string, number: number): void =>
    tell({ type: "name", number, name, isKnown: dataset.has(name) });
  return runner.run(new Writing(new Generator(model, random), job.count, temperature, job.prefix, write));
}

async function measure(job: EvaluateJob, surroundings: Surroundings): Promise<Ending> {
  const { platform, runner, tell } = surroundings;
  const ops = surroundings.provideOps(job.dtype, job.ops);
  const dataset = datasetOf(platform);
  const model = await loadForJob(job.model, job.wanted, ops, dataset.vocabulary, surroundings);
  return model ? evaluate(model, dataset, job, runner, tell) : "stopped";
}

import { InputError } from "../../src/gpt/base/errors";
import { Checkpoint } from "../../src/gpt/checkpoint/reader";
import type { SamplingLimits } from "../../src/gpt/model/config";
import type { Dtype, OpsName } from "../../src/gpt/model/ops";
import type { Job } from "../../src/jobs/job";
import { DEFAULT_SEED, DEFAULT_TRAIN_JOB } from "../../src/jobs/train-job";
import { Files } from "../files/files";
import { CHECKPOINT, LIST } from "../files/inputs";
import type { Output } from "../files/output";
import { checkPurposes, type Purpose } from "../files/outputs";
import { chosen, type EvaluateOptions, type GenerateOptions, type TrainOptions } from "./options";
import { runAndShow } from "./run";

/* The commands that run a job: they turn options into a job and its files. */

function given<T extends object>(options: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/**
 * The `train` command.
 * @throws InputError (as a rejection) for errors that the user can correct, as do all functions here
 */
export async function train(options: TrainOptions, output: Output, ending: AbortSignal): Promise<void> {
  const { seed, samples, logEvery, temperature, topK, topP, trainNames, ops } = options;
  const { data, init, resume, save, saveEvery, saveWeights, keepBest, jsonl } = options;
  if (saveEvery !== undefined && save === undefined)
    throw new InputError("--save-every needs --save, which names the file.");
  const job = (dtype: Dtype): Job => ({
    ...DEFAULT_TRAIN_JOB,
    dtype,
    model: chosen(options, "model"),
    training: chosen(options, "record"),
    ...given<OptionalOfTraining>({ samples, logEvery, ops, trainNames, seed, temperature, topK, topP, init, resume }),
    ...given<SavesOfTraining>({ save, saveEvery, saveWeights, keepBest }),
  });
  const purposes: (Purpose | undefined)[] = [
    purpose("--data", data),
    purpose("--init", init),
    purpose("--resume", resume),
    purpose("--save", save, true),
    purpose("--save-weights", saveWeights, true),
    purpose("--keep-best", keepBest, true),
    purpose("--jsonl", jsonl, true),
  ];
  checkPurposes(purposes.filter((each) => each !== undefined));
  await withFiles(ending, async (files) => {
    for (const file of [save, saveWeights, keepBest]) if (file !== undefined) files.output(file);
    await files.input(data, LIST);
    for (const file of [init, resume]) if (file !== undefined) await files.input(file, CHECKPOINT);
    const dtype = options.dtype ?? (resume === undefined ? DEFAULT_TRAIN_JOB.dtype : await dtypeOf(files, resume));
    await runAndShow(job(dtype), options, files, output, ending);
  });
}

interface OptionalOfTraining extends SamplingLimits {
  readonly samples: number;
  readonly logEvery: number;
  readonly trainNames: number;
  readonly ops: OpsName;
  readonly temperature: number;
  readonly seed: number;
  readonly init: string;
  readonly resume: string;
}

interface OptionalOfEvaluation extends SamplingLimits {
  readonly ops: OpsName;
  readonly temperature: number;
  readonly holdout: number;
}

interface SavesOfTraining {
  readonly save: string;
  readonly saveEvery: number;
  readonly saveWeights: string;
  readonly keepBest: string;
}

function purpose(option: string, path: string | undefined, isWritten = false): Purpose | undefined {
  return path === undefined ? undefined : { option, path, isWritten };
}

/** The `generate` command: generates names with a checkpoint. */
export async function generate(options: GenerateOptions, output: Output, ending: AbortSignal): Promise<void> {
  const { model, n, temperature, topK, topP, prefix, seed = DEFAULT_SEED, ops } = options;
  await withCheckpoint(options, ending, (dtype, files) => {
    const job: Job = {
      command: "generate",
      dtype,
      model,
      wanted: chosen(options, "model"),
      count: n,
      prefix,
      seed,
      ...given<{ ops: OpsName; temperature: number } & SamplingLimits>({ ops, temperature, topK, topP }),
    };
    return runAndShow(job, options, files, output, ending);
  });
}

/** The `eval` command: measures a checkpoint on a dataset. */
export async function evaluate(options: EvaluateOptions, output: Output, ending: AbortSignal): Promise<void> {
  const { model, holdout, anyHoldout, samples = 0, temperature, topK, topP, seed = DEFAULT_SEED, ops } = options;
  await withCheckpoint(options, ending, (dtype, files) => {
    const job: Job = {
      command: "eval",
      dtype,
      model,
      wanted: chosen(options, "model"),
      takesAnyHoldout: anyHoldout,
      samples,
      seed,
      ...given<OptionalOfEvaluation>({ ops, temperature, holdout, topK, topP }),
    };
    return runAndShow(job, options, files, output, ending);
  });
}

/** Opens the checkpoint to use its dtype for the job. */
async function withCheckpoint(
  { model, data }: { readonly model: string; readonly data: string },
  ending: AbortSignal,
  work: (dtype: Dtype, files: Files) => Promise<void>,
): Promise<void> {
  await withFiles(ending, async (files) => {
    await files.input(model, CHECKPOINT);
    await files.input(data, LIST);
    await work(await dtypeOf(files, model), files);
  });
}

/** The dtype of a checkpoint. */
export async function dtypeOf({ storage }: Files, file: string): Promise<Dtype> {
  const checkpoint = await Checkpoint.open(storage, file);
  checkpoint.close();
  return checkpoint.dtype;
}

/** Runs `work` with the files that the user has named, then removes temporary copies of pipes. */
export async function withFiles(ending: AbortSignal, work: (files: Files) => Promise<void>): Promise<void> {
  const files = new Files(ending);
  try {
    await work(files);
  } finally {
    files.close();
  }
}

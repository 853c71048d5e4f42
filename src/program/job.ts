import {
  checkInteger,
  checkTemperature,
  DEFAULT_MODEL,
  type ModelConfig,
  PRESETS,
  type TrainingConfig,
  trainingConfig,
} from "../config";
import { Dataset } from "../data/dataset";
import { InputError } from "../errors";
import type { DoneEvent, Ending, Tell } from "./events";
import { Generator } from "../model/generate";
import { loadModel } from "../checkpoint/loading";
import { evaluate, type Measures } from "./measuring";
import { Model } from "../model/model";
import type { Dtype, Ops, OpsName } from "../model/ops";
import { drawParameters } from "../model/parameters";
import { checkRoom } from "../plan";
import type { Platform, Storage } from "../platform";
import { Random } from "../model/random";
import { namesIn } from "./rehearsal";
import type { Runner } from "./runner";
import { saveCheckpoint } from "../checkpoint/saving";
import { printablePath } from "../text";
import { Trainer } from "../model/trainer";
import { Training } from "./training";
import type { Vocabulary } from "../data/vocabulary";
import { Writing } from "./writing";

/** What to do: plain data, which can go to a process of its own as it is. */
export type Job = TrainJob | GenerateJob | EvaluateJob;

interface Numbers {
  readonly dtype: Dtype;
  /** The place's best unless given. */
  readonly ops?: OpsName;
}

/** Train, save, write names. Whatever is left out comes from the checkpoint or the preset. */
export interface TrainJob extends Numbers {
  readonly command: "train";
  readonly model: Partial<ModelConfig>;
  readonly training: Partial<TrainingConfig>;
  /** Names to train on in all, in the place of a number of steps. */
  readonly trainNames?: number;
  /** Likewise: as many names as can be trained on here in this time, which is measured once. */
  readonly seconds?: number;
  readonly seed: number;
  /** How many names to write after training. */
  readonly samples: number;
  readonly temperature?: number;
  /** The log has a line every so many steps, and one for the last. */
  readonly logEvery: number;
  /** A checkpoint to start from instead of drawing the weights. */
  readonly init?: string;
  /** Where to save a checkpoint when training ends. */
  readonly save?: string;
  /** Where to save the weights alone. */
  readonly saveWeights?: string;
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

export const DEFAULT_TRAIN_JOB: TrainJob = Object.freeze({
  command: "train",
  dtype: "f32",
  model: Object.freeze({}),
  training: Object.freeze({}),
  seed: 42,
  samples: 20,
  logEvery: 100,
});

/** Where a job runs, and whom it tells. */
export interface Surroundings {
  readonly platform: Platform;
  readonly runner: Runner;
  readonly tell: Tell;
  /** Whether every step is to be told, or only those that the log has a line for. */
  readonly tellsAllSteps: boolean;
  /**
   * What the place has to compute with; its best unless ops are named.
   * @throws InputError for ops or a precision that it does not have
   */
  readonly provideOps: (dtype: Dtype, ops?: OpsName) => Ops;
  /** Receives a training that is about to begin. */
  readonly prepared?: (training: PreparedTraining) => void;
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

async function endOf(job: Job, surroundings: Surroundings): Promise<Ending> {
  switch (job.command) {
    case "train": {
      const prepared = await prepareTraining(job, surroundings);
      if (!prepared) return "stopped";
      surroundings.prepared?.(prepared);
      return train(prepared, surroundings);
    }
    case "generate":
      return generate(job, surroundings);
    case "eval":
      return measure(job, surroundings);
  }
}

/** A training that can begin. */
export interface PreparedTraining {
  readonly job: TrainJob;
  readonly trainer: Trainer;
  /** The stream that drew the weights draws the names. */
  readonly random: Random;
  /** Of the names to write. */
  readonly temperature: number;
}

/**
 * Allocates everything that a training needs; undefined when the runner was told to stop.
 * @throws InputError (as a rejection) when the configuration, the dataset or the checkpoint will not do
 */
export async function prepareTraining(
  job: TrainJob,
  surroundings: Surroundings,
): Promise<PreparedTraining | undefined> {
  const { platform, tell } = surroundings;
  const ops = surroundings.provideOps(job.dtype, job.ops);
  checkInteger("samples", job.samples, 0, 1e9);
  checkInteger("log-every", job.logEvery, 1, 1e9);
  const dataset = datasetOf(platform);
  const random = new Random(job.seed);
  const check = (wanted: ModelConfig): void => {
    const room = platform.room();
    if (room) checkRoom(wanted, room, dataset.indexBytes, ops.dtype);
  };
  const model =
    job.init === undefined
      ? drawnModel(job.model, ops, dataset.vocabulary, random, check)
      : await load(job.init, job.model, ops, dataset.vocabulary, surroundings, check);
  if (!model) return undefined;
  const preset = PRESETS[model.config.preset];
  const temperature = job.temperature ?? preset.temperature;
  checkTemperature(temperature);
  const training = trainingConfig(model.config.preset, job.training, job.trainNames);
  const trainer = new Trainer(model, dataset, random, training);
  // A folder that cannot be written to is better found before the training than after it.
  for (const file of [job.save, job.saveWeights])
    if (file !== undefined) (await storageOf(platform).create(file)).abort();
  if (job.seconds !== undefined) {
    const names = await namesIn(job.seconds, trainer, surroundings.runner, platform);
    if (names === undefined) return undefined;
    const { steps, learningRate } = trainingConfig(model.config.preset, job.training, names);
    trainer.setBudget(steps, learningRate);
    tell({ type: "remark", message: `${job.seconds} s are ${names} names here: --train-names ${names} repeats this.` });
  }
  return { job, trainer, random, temperature };
}

/** Trains, saves, and writes names unless it was stopped. */
export async function train(prepared: PreparedTraining, surroundings: Surroundings): Promise<Ending> {
  const { job, trainer, random, temperature } = prepared;
  const { platform, runner, tell } = surroundings;
  const { model, dataset, config } = trainer;
  const { steps } = config;
  tell({
    type: "start",
    place: platform.place,
    ops: model.ops.name,
    parameters: model.parameters.length,
    nHead: model.config.nHead,
    nEmbd: model.config.nEmbd,
    names: dataset.count,
    ...(model.vocabulary.isLatin ? {} : { characters: model.vocabulary.size - 1 }),
    steps,
    batchSize: config.batchSize,
  });
  const started = platform.now();
  const ending = await runner.run(new Training(trainer, job.logEvery, surroundings.tellsAllSteps, tell));
  const milliseconds = platform.now() - started;
  tell({ type: "trained", ending, stepsDone: trainer.stepsDone, steps, milliseconds });

  const isEarly = ending === "stopped";
  const { save, saveWeights } = job;
  if (save !== undefined) {
    await saveCheckpoint(runner, storageOf(platform), save, model, trainer.stepsDone, trainer.adam);
    tell({ type: "saved", file: save, isEarly });
  }
  if (saveWeights !== undefined) {
    await saveCheckpoint(runner, storageOf(platform), saveWeights, model, trainer.stepsDone);
    tell({ type: "saved", file: saveWeights, isEarly });
  }
  if (isEarly || job.samples === 0) return ending;
  tell({ type: "names", temperature });
  const write = (name: string, number: number): void => tell({ type: "name", number, name });
  return runner.run(new Writing(new Generator(model, random), job.samples, temperature, "", write));
}

async function generate(job: GenerateJob, surroundings: Surroundings): Promise<Ending> {
  const { platform, runner, tell } = surroundings;
  checkInteger("n", job.count, 1, 1e9);
  const random = new Random(job.seed);
  const ops = surroundings.provideOps(job.dtype, job.ops);
  const dataset = datasetOf(platform);
  const model = await load(job.model, job.wanted, ops, dataset.vocabulary, surroundings);
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
  const model = await load(job.model, job.wanted, ops, dataset.vocabulary, surroundings);
  return model ? evaluate(model, dataset, job, runner, tell) : "stopped";
}

function datasetOf({ names, namesFile, textTools }: Platform): Dataset {
  return new Dataset(names, namesFile, textTools);
}

function drawnModel(
  wanted: Partial<ModelConfig>,
  ops: Ops,
  vocabulary: Vocabulary,
  random: Random,
  check: (config: ModelConfig) => void,
): Model {
  const config = { ...DEFAULT_MODEL, ...wanted, vocabularySize: vocabulary.size };
  check(config);
  const model = new Model(config, ops, vocabulary);
  drawParameters(model.parameters, random, config);
  return model;
}

/** The model of a checkpoint; undefined when the runner was told to stop. */
async function load(
  file: string,
  wanted: Partial<ModelConfig>,
  ops: Ops,
  data: Vocabulary,
  { platform, runner, tell }: Surroundings,
  check?: (config: ModelConfig) => void,
): Promise<Model | undefined> {
  const loaded = await loadModel(runner, storageOf(platform), file, wanted, ops, data, check);
  if (loaded && loaded.passedOver.length > 0)
    tell({
      type: "remark",
      message: `${printablePath(file)} has tensors of others, which are passed over: ${loaded.passedOver.join(", ")}.`,
    });
  return loaded?.model;
}

/** @throws InputError where there is none */
function storageOf({ storage, place }: Platform): Storage {
  if (!storage) throw new InputError(`There is no storage on ${place}.`);
  return storage;
}

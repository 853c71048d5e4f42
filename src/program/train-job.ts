import { Checkpoint } from "../checkpoint/reader";
import type { TrainingRecord } from "../checkpoint/record";
import { saveCheckpoint } from "../checkpoint/saving";
import {
  checkInteger,
  checkNumber,
  checkTemperature,
  DEFAULT_MODEL,
  type ModelConfig,
  PRESETS,
  type TrainingConfig,
  trainingConfig,
} from "../config";
import type { Dataset } from "../data/dataset";
import { InputError, printablePath } from "../errors";
import type { Ending } from "./events";
import { Generator } from "../model/generate";
import { loadForJob } from "./loaded-model";
import { Model } from "../model/model";
import type { Dtype, Ops, OpsName } from "../model/ops";
import { drawParameters } from "../model/parameters";
import { checkRoom } from "../plan";
import { Random } from "../model/random";
import { namesIn } from "./rehearsal";
import { restoreTraining, saveTraining } from "./keeping";
import { datasetOf, startOf, storageOf, type Surroundings } from "./surroundings";
import { Trainer } from "../model/trainer";
import { Training } from "./training";
import { Writing } from "./writing";

export const DEFAULT_SEED = 42;

/** Train, save, write names. Whatever is left out comes from the checkpoint or the preset. */
export interface TrainJob {
  readonly command: "train";
  readonly dtype: Dtype;
  /** The place's best unless given. */
  readonly ops?: OpsName;
  readonly model: Partial<ModelConfig>;
  readonly training: Partial<TrainingConfig>;
  /** Names to train on in all, in the place of a number of steps. */
  readonly trainNames?: number;
  /** Likewise: as many names as can be trained on here in this time, which is measured once. */
  readonly seconds?: number;
  readonly seed?: number;
  /** How many names to write after training. */
  readonly samples: number;
  readonly temperature?: number;
  /** The log has a line every so many steps, and one for the last. */
  readonly logEvery: number;
  /** A checkpoint to start from instead of drawing the weights. */
  readonly init?: string;
  /** A checkpoint to go on from where it left off, bit for bit. */
  readonly resume?: string;
  /** Where to save a checkpoint when training ends, and how often before that: seconds. */
  readonly save?: string;
  readonly saveEvery?: number;
  /** Where to save the weights alone. */
  readonly saveWeights?: string;
}

export const DEFAULT_TRAIN_JOB: TrainJob = Object.freeze({
  command: "train",
  dtype: "f32",
  model: Object.freeze({}),
  training: Object.freeze({}),
  samples: 20,
  logEvery: 100,
});

/** A training that can begin, or go on. */
export interface PreparedTraining {
  readonly trainer: Trainer;
  readonly seed: number;
}

/**
 * Trains, saves, and writes names unless it was stopped.
 * @throws InputError (as a rejection) when the configuration, the dataset or the checkpoint will not do
 */
export async function runTrainJob(job: TrainJob, surroundings: Surroundings): Promise<Ending> {
  checkInteger("samples", job.samples, 0, 1e9);
  checkInteger("log-every", job.logEvery, 1, 1e9);
  if (job.saveEvery !== undefined) checkNumber("save-every", job.saveEvery, 0.01, 1e6);
  if (job.temperature !== undefined) checkTemperature(job.temperature);
  const prepared = await (job.resume === undefined
    ? prepareTraining(job, surroundings)
    : prepareResumed(job, job.resume, surroundings));
  if (!prepared) return "stopped";
  // A folder that cannot be written to is better found before the training than after it.
  for (const file of [job.save, job.saveWeights])
    if (file !== undefined) (await storageOf(surroundings.platform).create(file)).abort();
  return train(job, prepared, surroundings);
}

/** Allocates everything that a training needs; undefined when the runner was told to stop. */
export async function prepareTraining(
  job: TrainJob,
  surroundings: Surroundings,
): Promise<PreparedTraining | undefined> {
  const { platform, runner, tell } = surroundings;
  const ops = surroundings.provideOps(job.dtype, job.ops);
  const dataset = datasetOf(platform);
  const seed = job.seed ?? DEFAULT_SEED;
  const random = new Random(seed);
  const check = roomChecker(surroundings, dataset, ops);
  const model =
    job.init === undefined
      ? drawnModel(job.model, ops, dataset, random, check)
      : await loadForJob(job.init, job.model, ops, dataset.vocabulary, surroundings, check);
  if (!model) return undefined;
  const { preset } = model.config;
  const trainer = new Trainer(model, dataset, random, trainingConfig(preset, job.training, job.trainNames));
  if (job.seconds !== undefined) {
    const names = await namesIn(job.seconds, trainer, runner, platform);
    if (names === undefined) return undefined;
    const { steps, learningRate } = trainingConfig(preset, job.training, names);
    trainer.beginSchedule(steps, learningRate);
    tell({ type: "remark", message: `${job.seconds} s are ${names} names here: --train-names ${names} repeats this.` });
  }
  return { trainer, seed };
}

/** Likewise, from a checkpoint that says where its training is. */
async function prepareResumed(
  job: TrainJob,
  file: string,
  surroundings: Surroundings,
): Promise<PreparedTraining | undefined> {
  const { platform, runner } = surroundings;
  const ops = surroundings.provideOps(job.dtype, job.ops);
  const dataset = datasetOf(platform);
  const checkpoint = await Checkpoint.open(storageOf(platform), file);
  try {
    const name = printablePath(file);
    const record = checkpoint.record();
    if (!record) throw new InputError(`${name} does not say where its training is: --init starts from its weights.`);
    const config = checkpoint.modelConfig(job.model);
    checkAgreement(name, job, record, checkpoint.dtype);
    if (record.dataset !== dataset.checksum)
      throw new InputError(`${name} was trained on another list than ${dataset.source}: name that one with --data.`);
    roomChecker(surroundings, dataset, ops)(config);
    const model = new Model(config, ops, checkpoint.vocabulary(dataset.vocabulary));
    const trainer = new Trainer(model, dataset, new Random(record.seed), record.config);
    const ending = await restoreTraining(runner, checkpoint, record, trainer);
    return ending === "done" ? { trainer, seed: record.seed } : undefined;
  } finally {
    checkpoint.close();
  }
}

/** @throws InputError that names the first option that says something else than the file */
function checkAgreement(file: string, job: TrainJob, { config, seed }: TrainingRecord, dtype: Dtype): void {
  const { steps, batchSize, learningRate, sampling, holdout } = job.training;
  const names = job.trainNames;
  const pairs: readonly [string, unknown, unknown][] = [
    ["dtype", job.dtype, dtype],
    ["steps", steps, config.steps],
    ["train-names", names === undefined ? names : Math.ceil(names / config.batchSize), config.steps],
    ["batch-size", batchSize, config.batchSize],
    ["learning-rate", learningRate, config.learningRate],
    ["sampling", sampling, config.sampling],
    ["holdout", holdout, config.holdout],
    ["seed", job.seed, seed],
  ];
  for (const [option, wanted, found] of pairs) {
    if (wanted === undefined || wanted === found) continue;
    const shown = option === "train-names" ? `${config.steps * config.batchSize} names` : `${option} ${String(found)}`;
    throw new InputError(
      `${file} was trained with ${shown}, which --${option} contradicts: leave it out, or begin anew without --resume.`,
    );
  }
}

function roomChecker({ platform }: Surroundings, dataset: Dataset, ops: Ops): (config: ModelConfig) => void {
  return (config) => {
    const room = platform.room();
    if (room) checkRoom(config, room, dataset.indexBytes, ops.dtype);
  };
}

function drawnModel(
  wanted: Partial<ModelConfig>,
  ops: Ops,
  { vocabulary }: Dataset,
  random: Random,
  check: (config: ModelConfig) => void,
): Model {
  const config = { ...DEFAULT_MODEL, ...wanted, vocabularySize: vocabulary.size };
  check(config);
  const model = new Model(config, ops, vocabulary);
  drawParameters(model.parameters, random, config);
  return model;
}

async function train(job: TrainJob, { trainer, seed }: PreparedTraining, surroundings: Surroundings): Promise<Ending> {
  const { platform, runner, tell, tellsAllSteps } = surroundings;
  const { model, config, random } = trainer;
  const { save, saveWeights, saveEvery } = job;
  const { steps } = config;
  tell(startOf(trainer, platform));
  const started = platform.now();
  const from = trainer.stepsDone;
  const saveTo = async (file: string): Promise<void> => saveTraining(runner, storageOf(platform), file, trainer, seed);
  const training = new Training(trainer, job.logEvery, tellsAllSteps ? 0 : Infinity, tell);
  let ending: Ending;
  do {
    if (saveEvery !== undefined) training.restAt = platform.now() + 1000 * saveEvery;
    ending = training.isOver ? "done" : await runner.run(training);
    if (ending === "stopped" || training.isOver || save === undefined) break;
    await saveTo(save);
    tell({ type: "saved", file: save, isEarly: false });
  } while (!training.isOver);
  const milliseconds = platform.now() - started;
  tell({ type: "trained", ending, stepsDone: trainer.stepsDone, steps, from, milliseconds });

  const isEarly = ending === "stopped";
  if (save !== undefined) {
    await saveTo(save);
    tell({ type: "saved", file: save, isEarly });
  }
  if (saveWeights !== undefined) {
    await saveCheckpoint(runner, storageOf(platform), saveWeights, model, trainer.totalSteps);
    tell({ type: "saved", file: saveWeights, isEarly });
  }
  if (isEarly || job.samples === 0) return ending;
  const temperature = job.temperature ?? PRESETS[model.config.preset].temperature;
  tell({ type: "names", temperature });
  const write = (name: string, number: number): void => tell({ type: "name", number, name });
  // The stream itself stays where the checkpoint says it is.
  return runner.run(new Writing(new Generator(model, random.copy()), job.samples, temperature, "", write));
}

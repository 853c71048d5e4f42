import { BestCheckpoint } from "./best-checkpoint";
import { Checkpoint } from "../gpt/checkpoint/reader";
import { saveCheckpoint } from "../gpt/checkpoint/saving";
import {
  checkNumber,
  checkSamplingLimits,
  checkSetting,
  DEFAULT_MODEL,
  type ModelConfig,
  PRESETS,
  samplingLimits,
  type SamplingLimits,
  type TrainingConfig,
  trainingConfig,
} from "../gpt/model/config";
import { type Dataset, datasetOf } from "../gpt/data/dataset";
import { SETTINGS } from "../gpt/base/settings";
import { InputError, printablePath } from "../gpt/base/errors";
import type { Emit } from "../protocol/events";
import type { Ending } from "../gpt/base/runner";
import { isOwnList, loadForJob, type Origin } from "./origin";
import { reportOddities, reportTooLong } from "../gpt/training/list-remarks";
import { Model } from "../gpt/model/model";
import type { Dtype, Ops, OpsName } from "../gpt/model/ops";
import { drawParameters } from "../gpt/model/parameters";
import { checkMemory } from "../gpt/plan";
import { Random } from "../gpt/model/random";
import { checkAgreement, isOver, nextSchedule, trainedAlready } from "./resumption";
import { restoreTraining, saveTraining } from "../gpt/checkpoint/training-checkpoint";
import { startOf, TrainingTask } from "../gpt/training/training";
import { storageOf, type RunContext } from "./run-context";
import { Session } from "../gpt/training/session";
import { Trainer } from "../gpt/training/trainer";

export const DEFAULT_SEED: number = SETTINGS.seed.default;

/** Train, save, generate names. What is left out comes from the checkpoint or the preset. */
export interface TrainJob extends Partial<SamplingLimits> {
  readonly command: "train";
  readonly dtype: Dtype;
  /** The platform's fastest by default. */
  readonly ops?: OpsName;
  readonly model: Partial<ModelConfig>;
  readonly training: Partial<TrainingConfig>;
  /** Total number of names to train on, instead of a number of steps. */
  readonly trainNames?: number;
  readonly seed?: number;
  /** Names to generate after training. */
  readonly samples: number;
  readonly temperature?: number;
  /** Steps between two lines of the log, which has one for the last step as well. */
  readonly logEvery: number;
  /** A checkpoint to start from instead of drawing the weights. */
  readonly init?: string;
  /** A checkpoint to resume from, bit for bit. */
  readonly resume?: string;
  /** Where to save a checkpoint when training ends, and the seconds between saves before that. */
  readonly save?: string;
  readonly saveEvery?: number;
  /** Where to save the weights alone. */
  readonly saveWeights?: string;
  /** Where to keep the checkpoint with the lowest validation loss. */
  readonly keepBest?: string;
}

export const DEFAULT_TRAIN_JOB: TrainJob = Object.freeze({
  command: "train",
  dtype: "f32",
  model: Object.freeze({}),
  training: Object.freeze({}),
  samples: SETTINGS.samples.default,
  logEvery: SETTINGS.log_every.default,
});

/** A training that is ready to begin or resume. */
export interface PreparedTraining {
  readonly trainer: Trainer;
  readonly seed: number;
}

/**
 * Trains, saves, and generates names unless it was stopped.
 * @throws InputError (as a rejection) if the configuration, the dataset or the checkpoint cannot be used
 */
export async function runTrainJob(job: TrainJob, context: RunContext): Promise<Ending> {
  checkSetting("samples", job.samples);
  checkSetting("log_every", job.logEvery, "log-every");
  if (job.saveEvery !== undefined) checkNumber("save-every", job.saveEvery, 0.01, SETTINGS.save_every.most);
  if (job.temperature !== undefined) checkSetting("temperature", job.temperature);
  checkSamplingLimits(samplingLimits(job));
  const prepared = await (job.resume === undefined
    ? prepareTraining(job, context)
    : prepareResumed(job, job.resume, context));
  if (!prepared) return "stopped";
  // Fail before the training, not after it, if a file cannot be written.
  for (const file of [job.save, job.saveWeights, job.keepBest])
    if (file !== undefined) (await storageOf(context.platform).create(file)).abort();
  return train(job, prepared, context);
}

/** Allocates everything that a training needs; undefined if the runner was stopped. */
export async function prepareTraining(job: TrainJob, context: RunContext): Promise<PreparedTraining | undefined> {
  const { platform, emit } = context;
  const ops = context.provideOps(job.dtype, job.ops);
  const dataset = datasetOf(platform);
  const seed = job.seed ?? DEFAULT_SEED;
  const random = new Random(seed);
  const check = roomChecker(context, dataset, ops, job.training);
  const loaded =
    job.init === undefined
      ? { model: drawnModel(job.model, ops, dataset, random, check), origin: undefined }
      : await loadForJob(context, job.init, { wanted: job.model, ops, data: dataset.vocabulary, check });
  if (!loaded) return undefined;
  const { model, origin } = loaded;
  const { preset } = model.config;
  const trainer = new Trainer(
    model,
    dataset,
    random,
    trainingConfig(preset, job.training, job.trainNames, ops.functions),
  );
  if (origin) reportKnown(origin, trainer, emit);
  return { trainer, seed };
}

/** Does so for a training to resume from a checkpoint. */
async function prepareResumed(job: TrainJob, file: string, context: RunContext): Promise<PreparedTraining | undefined> {
  const { platform, runner, emit } = context;
  const ops = context.provideOps(job.dtype, job.ops);
  const dataset = datasetOf(platform);
  const checkpoint = await Checkpoint.open(storageOf(platform), file);
  try {
    const name = printablePath(file);
    const record = checkpoint.record();
    if (!record) throw new InputError(`${name} has no training state: --init starts from its weights.`);
    const config = checkpoint.modelConfig(job.model);
    const schedule = nextSchedule(job, record, config.preset, ops.functions);
    checkAgreement(name, job, record, checkpoint.dtype, schedule !== undefined);
    if (record.dataset !== dataset.checksum)
      throw new InputError(`${name} was trained on another list than ${dataset.source}: give that one with --data.`);
    roomChecker(context, dataset, ops, record.config)(config);
    const model = new Model(config, ops, checkpoint.vocabulary(dataset.vocabulary));
    const trainer = new Trainer(model, dataset, new Random(record.seed), record.config);
    const ending = await restoreTraining(runner, checkpoint, record, trainer);
    if (ending === "stopped") return undefined;
    if (schedule) trainer.beginSchedule(schedule.steps, schedule.learningRate);
    else if (isOver(record)) emit({ type: "remark", message: `${name} is ${trainedAlready(record)}.` });
    return { trainer, seed: record.seed };
  } finally {
    checkpoint.close();
  }
}

function roomChecker(
  { platform }: RunContext,
  { indexBytes }: Dataset,
  ops: Ops,
  training: Partial<TrainingConfig>,
): (config: ModelConfig) => void {
  return (config) => {
    const memory = platform.memoryBudget();
    if (memory) checkMemory(config, memory, { indexBytes, ops, training });
  };
}

/** Emits a remark if the model was already trained on names that are now held out. */
function reportKnown(origin: Origin, { dataset, config: { holdout } }: Trainer, emit: Emit): void {
  const before = origin.record?.config.holdout ?? 0;
  if (holdout > before && isOwnList(origin, dataset))
    emit({
      type: "remark",
      message:
        `${origin.file} was trained on this list with --holdout ${before}, so it knows names that --holdout ${holdout} ` +
        `holds out: the validation loss will be too low.`,
    });
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
  drawParameters(model.parameters, random, config, model.ops);
  return model;
}

async function train(job: TrainJob, { trainer, seed }: PreparedTraining, context: RunContext): Promise<Ending> {
  const { platform, runner, emit, emitsAllSteps, flush } = context;
  const { model } = trainer;
  const { save, saveWeights, saveEvery, keepBest } = job;
  await reportOddities(trainer.dataset, runner, emit);
  const training = new TrainingTask(trainer, job.logEvery, emitsAllSteps ? 0 : Infinity, emit);
  const best = keepBest === undefined ? undefined : new BestCheckpoint(keepBest, trainer, seed, context);
  training.yieldsAtLowest = best !== undefined;
  if (job.resume !== undefined) await best?.goOn(training);
  await reportTooLong(trainer, runner, emit);
  emit(startOf(trainer, platform));
  const saveTo = async (file: string, isEarly: boolean): Promise<void> => {
    await saveTraining(runner, storageOf(platform), file, { trainer, seed });
    emit({ type: "saved", file, isEarly });
  };
  /** Emits the last step and flushes it: a run that resumes from the checkpoint does not repeat that step. */
  const flushLastStep = async (): Promise<void> => {
    const work = (now: number): boolean => training.isMeasuring && training.work(now) && training.isMeasuring;
    if (training.isMeasuring) await runner.run({ work, mustFinish: true });
    await flush?.();
  };
  const session = new Session(trainer, training, {
    clock: platform,
    emit,
    run: (task) => runner.run(task),
    saveEvery: () => (save === undefined ? Infinity : (saveEvery ?? Infinity)),
    async onYield() {
      if (save !== undefined || best) await flushLastStep();
      await best?.keep(training);
    },
    async save(end) {
      const isEarly = end === "stopped";
      if (save !== undefined) await saveTo(save, isEarly);
      if (end === undefined) return;
      if (saveWeights !== undefined) {
        await saveCheckpoint(runner, storageOf(platform), saveWeights, { model, step: trainer.totalSteps });
        emit({ type: "saved", file: saveWeights, isEarly });
      }
      best?.emit();
    },
    names: () => ({
      count: job.samples,
      temperature: job.temperature ?? PRESETS[model.config.preset].temperature,
      ...samplingLimits(job),
    }),
  });
  let ending: Ending;
  do ending = await session.advance();
  while (ending === "done" && !training.isOver);
  return session.finish(ending);
}

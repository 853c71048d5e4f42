import { type ElementaryFunctions, engineFunctions } from "../base/elementary";
import { checkInteger, InputError, printable } from "../base/errors";
import { type NumberName, SETTINGS } from "../base/settings";
import { allowedIn, isInRange } from "../base/ranges";

export type PresetName = (typeof SETTINGS.preset.choices)[number];

/** What differs between the two published programs and `tuned`, the recipe that learns most for its cost. */
export interface Preset {
  /** RMSNorm after the embeddings, before attention and before the MLP. */
  readonly rmsNorm: boolean;
  /** Standard deviation of the initial weights. */
  readonly initStd: number;
  /** The default sampling temperature. */
  readonly temperature: number;
  /** The default order of the names. */
  readonly sampling: Sampling;
  /** Whether a name longer than the block is cut to its first block_size targets, or else passed over. */
  readonly cutsLongNames: boolean;
  /** A generated name has at most block_size minus this many letters. */
  readonly generationMargin: number;
  /** Whether, by default, a learned bias for each head and distance is added to the attention scores. */
  readonly relativeBias: boolean;
  /** What has equal weight in a batch: each name, whatever its length, or each token. */
  readonly weighs: "names" | "tokens";
  /**
   * Defaults: names per step, steps, how f32 stores Adam's moments, and the learning rate of the first step for a total
   * number of names.
   */
  readonly batchSize: number;
  readonly steps: number;
  readonly moments: Moments;
  readonly learningRate: (names: number, functions: ElementaryFunctions) => number;
}

/** `random` draws names with replacement; `sequential` walks the file from its start, wrapping. */
export type Sampling = (typeof SETTINGS.sampling.choices)[number];

/**
 * How the learning rate goes on over the steps of a schedule: it falls linearly to zero, and the training is over; or
 * begins again, for ever; or it is constant, for ever.
 */
export type Schedule = (typeof SCHEDULES)[number];
export const SCHEDULES = Object.freeze(["linear", "restart", "constant"] as const);

/** f32: two floats, exactly Adam. bf16: both in a word of 32 bits, rounded (see moment-words.ts). */
export type Moments = (typeof SETTINGS.moments.choices)[number];

const LEARNING_RATE = 0.01;

const ESP32GPT: Preset = Object.freeze({
  rmsNorm: false,
  initStd: 0.1,
  temperature: 0.8,
  sampling: "random",
  cutsLongNames: false,
  generationMargin: 1,
  relativeBias: false,
  weighs: "names",
  batchSize: 1,
  steps: 1000,
  moments: "f32",
  learningRate: () => LEARNING_RATE,
});

/** By name; the others are given by their differences from esp32gpt. */
export const PRESETS: Readonly<Record<PresetName, Preset>> = Object.freeze({
  esp32gpt: ESP32GPT,
  microgpt: Object.freeze({
    ...ESP32GPT,
    rmsNorm: true,
    initStd: 0.08,
    temperature: 0.5,
    sampling: "sequential",
    cutsLongNames: true,
    generationMargin: 0,
  }),
  tuned: Object.freeze({
    ...ESP32GPT,
    relativeBias: true,
    weighs: "tokens",
    batchSize: 8,
    steps: 250,
    moments: "bf16",
    // Best for 2,000, 20,000 and 120,000 names were .03, .014 and .008: they fall with the cube root of the number.
    learningRate: (names: number, { cbrt }: ElementaryFunctions) => Math.min(0.03, 0.03 * cbrt(2000 / names)),
  }),
});

/** The default width of the MLP, in widths of the embedding. */
const MLP_RATIO = 4;

/** The shape of a model. The width of a head is nEmbd / nHead. */
export interface ModelConfig {
  readonly preset: PresetName;
  readonly nLayer: number;
  readonly nEmbd: number;
  readonly nHead: number;
  readonly blockSize: number;
  /** Number of tokens: BOS and the characters of the dataset. */
  readonly vocabularySize: number;
  /** Units of the MLP; 4·nEmbd by default. */
  readonly mlpWidth?: number;
  /** Whether the attention has a bias by distance; by default as the preset has it. */
  readonly relativeBias?: boolean;
}

/** Units of the MLP. */
export function mlpWidthOf({ mlpWidth, nEmbd }: ModelConfig): number {
  return mlpWidth ?? MLP_RATIO * nEmbd;
}

/** Whether the attention has a bias by distance. */
export function hasRelativeBias({ relativeBias, preset }: ModelConfig): boolean {
  return relativeBias ?? PRESETS[preset].relativeBias;
}

/** How a model is trained. */
export interface TrainingConfig {
  /** Updates of the parameters. */
  readonly steps: number;
  /** Names per update; their gradients are summed. */
  readonly batchSize: number;
  /** Learning rate of the first step. */
  readonly learningRate: number;
  /** Linear by default. */
  readonly schedule?: Schedule;
  readonly sampling: Sampling;
  /** Percentage of the names that are held out of training for the validation loss. */
  readonly holdout: number;
  /** How f32 stores Adam's moments; f32 by default. i32 has words of its own. */
  readonly moments?: Moments;
}

export const DEFAULT_MODEL: ModelConfig = Object.freeze({
  preset: SETTINGS.preset.default,
  nLayer: SETTINGS.n_layer.default,
  nEmbd: SETTINGS.n_embd.default,
  nHead: SETTINGS.n_head.default,
  blockSize: SETTINGS.block_size.default,
  vocabularySize: 27,
});

export const DEFAULT_TRAINING: TrainingConfig = Object.freeze({
  steps: ESP32GPT.steps,
  batchSize: ESP32GPT.batchSize,
  learningRate: LEARNING_RATE,
  sampling: ESP32GPT.sampling,
  holdout: SETTINGS.holdout.default,
});

/**
 * Completes a configuration with the preset's defaults.
 * @param names total number of names to train on, instead of a number of steps
 * @param functions those of the ops
 * @throws InputError for a number of names that is out of range
 */
export function trainingConfig(
  preset: PresetName,
  wanted: Partial<TrainingConfig>,
  names?: number,
  functions = engineFunctions,
): TrainingConfig {
  const { sampling, batchSize, steps, moments, learningRate } = PRESETS[preset];
  const config = { ...DEFAULT_TRAINING, sampling, batchSize, steps, moments, ...wanted };
  if (names !== undefined) {
    checkSetting("train_names", names, "train-names");
    config.steps = Math.ceil(names / config.batchSize);
  }
  return { ...config, learningRate: wanted.learningRate ?? learningRate(config.steps * config.batchSize, functions) };
}

/** @throws InputError for the first invalid value */
export function checkModelConfig(config: ModelConfig): void {
  if (!Object.hasOwn(PRESETS, config.preset))
    throw new InputError(
      `The preset must be one of ${Object.keys(PRESETS).join(", ")}, not "${printable(config.preset)}".`,
    );
  checkSetting("n_layer", config.nLayer);
  checkSetting("n_embd", config.nEmbd);
  checkSetting("n_head", config.nHead);
  checkSetting("block_size", config.blockSize);
  checkInteger("the vocabulary's size", config.vocabularySize, 2, 256);
  checkSetting("mlp_width", mlpWidthOf(config));
  if (config.nEmbd % config.nHead !== 0)
    throw new InputError(
      `n_embd (${config.nEmbd}) must be a multiple of n_head (${config.nHead}): each head gets an equal share.`,
    );
}

/** @throws InputError for the first invalid value */
export function checkTrainingConfig(config: TrainingConfig): void {
  checkSetting("steps", config.steps);
  checkSetting("batch_size", config.batchSize);
  checkSetting("learning_rate", config.learningRate, "learning-rate");
  checkSetting("holdout", config.holdout);
  const { schedule, moments = "f32" } = config;
  if (!SETTINGS.moments.choices.includes(moments))
    throw new InputError(`The moments must be f32 or bf16, not "${printable(moments)}".`);
  if (schedule !== undefined && !SCHEDULES.includes(schedule))
    throw new InputError(`The schedule must be one of ${SCHEDULES.join(", ")}, not "${printable(schedule)}".`);
}

/** Which tokens may be drawn, after the logits have been divided by the temperature. */
export interface SamplingLimits {
  /** Only this many of the most likely tokens; 0 is all. */
  readonly topK: number;
  /** Of these, only the fewest, most likely first, that make up this share of their total probability; 1 is all. */
  readonly topP: number;
}

export const NO_LIMITS: SamplingLimits = Object.freeze({
  topK: SETTINGS.top_k.default,
  topP: SETTINGS.top_p.default,
});

/** Completes limits with NO_LIMITS. */
export function samplingLimits({
  topK = NO_LIMITS.topK,
  topP = NO_LIMITS.topP,
}: Partial<SamplingLimits>): SamplingLimits {
  return { topK, topP };
}

/** The limits that are in effect, for an event. */
export function limitsToTell({ topK, topP }: SamplingLimits): Partial<SamplingLimits> {
  return { ...(topK > 0 && { topK }), ...(topP < 1 && { topP }) };
}

/** @throws InputError for the first invalid limit */
export function checkSamplingLimits({ topK, topP }: SamplingLimits): void {
  checkSetting("top_k", topK, "top-k");
  checkSetting("top_p", topP, "top-p");
}

/**
 * @param shown the name of the setting in the message
 * @throws InputError if the value is not allowed
 */
export function checkSetting(name: NumberName, value: number, shown: string = name): void {
  if (!isInRange(value, SETTINGS[name]))
    throw new InputError(`${shown} must be ${allowedIn(SETTINGS[name])}, not ${value}.`);
}

/** @throws InputError unless `value` is a number in the range */
export function checkNumber(name: string, value: number, least: number, most: number): void {
  if (!(value >= least && value <= most))
    throw new InputError(`${name} must be a number from ${least} to ${most}, not ${value}.`);
}

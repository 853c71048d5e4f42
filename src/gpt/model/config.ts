import { InputError, printable } from "../base/errors";
import { type NumberName, SETTINGS } from "../base/settings";
import { allowedIn, isInRange } from "../base/ranges";

export type PresetName = (typeof SETTINGS.preset.choices)[number];

/** What the two published programs do differently, and the recipe that learns most for its cost. */
export interface Preset {
  /** RMSNorm after the embeddings, before attention and before the MLP. */
  readonly rmsNorm: boolean;
  /** Standard deviation of the initial weights. */
  readonly initStd: number;
  /** The sampling temperature unless one is given. */
  readonly temperature: number;
  /** The order of the names unless one is given. */
  readonly sampling: Sampling;
  /** A name longer than the block: cut to its first block_size targets, or passed over. */
  readonly cutsLongNames: boolean;
  /** A generated name has at most block_size minus this many letters. */
  readonly generationMargin: number;
  /** A learnt number for each head and distance is added to the attention scores, unless the model says otherwise. */
  readonly relativeBias: boolean;
  /** What weighs the same in a batch: each name, whatever its length, or each token. */
  readonly weighs: "names" | "tokens";
  /** Names a step, steps, and the learning rate of the first step for so many names in all, unless they are given. */
  readonly batchSize: number;
  readonly steps: number;
  readonly learningRate: (names: number) => number;
}

/** `random` draws names with replacement; `sequential` walks the file from its start, wrapping. */
export type Sampling = (typeof SETTINGS.sampling.choices)[number];

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
  learningRate: () => LEARNING_RATE,
});

/** Each of the others in what it does differently. */
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
    // Best for 2,000, 20,000 and 120,000 names were .03, .014 and .008: the cube root of the budget.
    learningRate: (names: number) => Math.min(0.03, 0.03 * Math.cbrt(2000 / names)),
  }),
});

/** The MLP is this many times as wide as the embedding, unless its width is given. */
const MLP_RATIO = 4;

/** The shape of a model. The width of a head is nEmbd / nHead. */
export interface ModelConfig {
  readonly preset: PresetName;
  readonly nLayer: number;
  readonly nEmbd: number;
  readonly nHead: number;
  readonly blockSize: number;
  /** Tokens: BOS and the characters of the data. */
  readonly vocabularySize: number;
  /** Units of the MLP: 4·nEmbd where it is not given. */
  readonly mlpWidth?: number;
  /** Whether the attention has a bias by distance: the preset's where it is not given. */
  readonly relativeBias?: boolean;
}

export function mlpWidthOf({ mlpWidth, nEmbd }: ModelConfig): number {
  return mlpWidth ?? MLP_RATIO * nEmbd;
}

export function hasRelativeBias({ relativeBias, preset }: ModelConfig): boolean {
  return relativeBias ?? PRESETS[preset].relativeBias;
}

/** How a model is trained. */
export interface TrainingConfig {
  /** Updates of the parameters. */
  readonly steps: number;
  /** Names whose gradients are summed for one update. */
  readonly batchSize: number;
  /** Learning rate of the first step; it falls linearly to zero. */
  readonly learningRate: number;
  readonly sampling: Sampling;
  /** Percent of the names that stay out of training and give the validation loss. */
  readonly holdout: number;
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
 * What was asked for of a training, and for the rest what the preset says.
 * @param names to train on in all, in the place of a number of steps
 */
export function trainingConfig(preset: PresetName, wanted: Partial<TrainingConfig>, names?: number): TrainingConfig {
  const { sampling, batchSize, steps, learningRate } = PRESETS[preset];
  const config = { ...DEFAULT_TRAINING, sampling, batchSize, steps, ...wanted };
  if (names !== undefined) {
    checkSetting("train_names", names, "train-names");
    config.steps = Math.ceil(names / config.batchSize);
  }
  return { ...config, learningRate: wanted.learningRate ?? learningRate(config.steps * config.batchSize) };
}

/** @throws InputError that names the first value that no model can have. */
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

/** @throws InputError that names the first value that no training can have. */
export function checkTrainingConfig(config: TrainingConfig): void {
  checkSetting("steps", config.steps);
  checkSetting("batch_size", config.batchSize);
  checkSetting("learning_rate", config.learningRate, "learning-rate");
  checkSetting("holdout", config.holdout);
}

/** Which tokens may be drawn, once the logits are divided by the temperature. */
export interface SamplingLimits {
  /** So many of the likeliest; 0 is all. */
  readonly topK: number;
  /** Of these the fewest, likeliest first, whose probabilities make up this share of theirs; 1 is all. */
  readonly topP: number;
}

export const NO_LIMITS: SamplingLimits = Object.freeze({
  topK: SETTINGS.top_k.default,
  topP: SETTINGS.top_p.default,
});

/** What was asked for, and for the rest no limits. */
export function samplingLimits({
  topK = NO_LIMITS.topK,
  topP = NO_LIMITS.topP,
}: Partial<SamplingLimits>): SamplingLimits {
  return { topK, topP };
}

/** Those that are on, for an event. */
export function limitsToTell({ topK, topP }: SamplingLimits): Partial<SamplingLimits> {
  return { ...(topK > 0 && { topK }), ...(topP < 1 && { topP }) };
}

/** @throws InputError that names the first that makes no sense */
export function checkSamplingLimits({ topK, topP }: SamplingLimits): void {
  checkSetting("top_k", topK, "top-k");
  checkSetting("top_p", topP, "top-p");
}

/**
 * @param shown what the message calls it
 * @throws InputError unless the setting can have that value
 */
export function checkSetting(name: NumberName, value: number, shown: string = name): void {
  if (!isInRange(value, SETTINGS[name]))
    throw new InputError(`${shown} must be ${allowedIn(SETTINGS[name])}, not ${value}.`);
}

/** @throws InputError unless `value` is a whole number in the range */
export function checkInteger(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new InputError(`${name} must be a whole number from ${least} to ${most}, not ${value}.`);
}

/** @throws InputError unless `value` is a number in the range */
export function checkNumber(name: string, value: number, least: number, most: number): void {
  if (!(value >= least && value <= most))
    throw new InputError(`${name} must be a number from ${least} to ${most}, not ${value}.`);
}

import { InputError } from "./errors";
import { printable } from "./text";

export type PresetName = "esp32gpt" | "microgpt";

/** What the two published programs do differently. */
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
}

/** `random` draws names with replacement; `sequential` walks the file from its start, wrapping. */
export type Sampling = "random" | "sequential";

export const PRESETS: Readonly<Record<PresetName, Preset>> = Object.freeze({
  esp32gpt: Object.freeze({
    rmsNorm: false,
    initStd: 0.1,
    temperature: 0.8,
    sampling: "random",
    cutsLongNames: false,
    generationMargin: 1,
  }),
  microgpt: Object.freeze({
    rmsNorm: true,
    initStd: 0.08,
    temperature: 0.5,
    sampling: "sequential",
    cutsLongNames: true,
    generationMargin: 0,
  }),
});

/** The MLP is this many times as wide as the embedding. */
export const MLP_RATIO = 4;

/** The shape of a model. The width of the MLP is 4·nEmbd, of a head nEmbd / nHead. */
export interface ModelConfig {
  readonly preset: PresetName;
  readonly nLayer: number;
  readonly nEmbd: number;
  readonly nHead: number;
  readonly blockSize: number;
  /** Tokens: BOS and the characters of the data. */
  readonly vocabularySize: number;
}

/** How a model is trained. */
export interface TrainingConfig {
  readonly steps: number;
  /** Learning rate of the first step; it falls linearly to zero. */
  readonly learningRate: number;
  readonly sampling: Sampling;
  /** Percent of the names that stay out of training and give the validation loss. */
  readonly holdout: number;
}

export const DEFAULT_MODEL: ModelConfig = Object.freeze({
  preset: "esp32gpt",
  nLayer: 1,
  nEmbd: 16,
  nHead: 4,
  blockSize: 16,
  vocabularySize: 27,
});

export const DEFAULT_TRAINING: TrainingConfig = Object.freeze({
  steps: 1000,
  learningRate: 0.01,
  sampling: "random",
  holdout: 0,
});

/** @throws InputError that names the first value that no model can have. */
export function checkModelConfig(config: ModelConfig): void {
  if (!Object.hasOwn(PRESETS, config.preset))
    throw new InputError(
      `The preset must be one of ${Object.keys(PRESETS).join(", ")}, not "${printable(config.preset)}".`,
    );
  checkInteger("n_layer", config.nLayer, 1, 64);
  checkInteger("n_embd", config.nEmbd, 1, 4096);
  checkInteger("n_head", config.nHead, 1, 4096);
  checkInteger("block_size", config.blockSize, 2, 4096);
  checkInteger("the vocabulary's size", config.vocabularySize, 2, 256);
  if (config.nEmbd % config.nHead !== 0)
    throw new InputError(
      `n_embd (${config.nEmbd}) must be a multiple of n_head (${config.nHead}): each head gets an equal share.`,
    );
}

/** @throws InputError that names the first value that no training can have. */
export function checkTrainingConfig(config: TrainingConfig): void {
  checkInteger("steps", config.steps, 1, 1e9);
  checkNumber("learning-rate", config.learningRate, 0, 10);
  checkNumber("holdout", config.holdout, 0, 90);
}

/** @throws InputError unless the temperature makes probabilities, or is 0: always the likeliest. */
export function checkTemperature(temperature: number): void {
  if (temperature !== 0 && !(temperature >= 0.01 && temperature <= 100))
    throw new InputError(`temperature must be 0 or a number from 0.01 to 100, not ${temperature}.`);
}

/** @throws InputError unless `value` is a whole number in the range */
export function checkInteger(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new InputError(`${name} must be a whole number from ${least} to ${most}, not ${value}.`);
}

function checkNumber(name: string, value: number, least: number, most: number): void {
  if (!(value >= least && value <= most))
    throw new InputError(`${name} must be a number from ${least} to ${most}, not ${value}.`);
}

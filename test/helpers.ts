import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_MODEL, type ModelConfig } from "../src/gpt/model/config";
import { Dataset } from "../src/gpt/data/dataset";
import { forward } from "../src/gpt/model/forward";
import { Model } from "../src/gpt/model/model";
import type { Dtype } from "../src/gpt/model/ops";
import { drawParameters } from "../src/gpt/model/parameters";
import { Random } from "../src/gpt/model/random";
import type { Trainer } from "../src/gpt/training/trainer";
import { typescriptOps } from "../src/gpt/model/typescript-ops";
import { BOS, lowercaseVocabulary } from "../src/gpt/data/vocabulary";

/** The repository's folder. */
export const ROOT = join(__dirname, "..");

export const NAMES_FILE = join(ROOT, "data", "names.txt");

export function shippedNames(): Dataset {
  return new Dataset(readFileSync(NAMES_FILE), "names.txt");
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Names in a to z, with the tokens of the published programs. */
export function datasetOf(...names: string[]): Dataset {
  const dataset = new Dataset(utf8(names.join("\n")), "names.txt");
  dataset.use(lowercaseVocabulary());
  return dataset;
}

/** The letter of a token 1…26. */
export function letterOf(token: number): string {
  return String.fromCharCode(96 + token);
}

/** A model with the initial weights of its preset. */
export function drawnModel(config: Partial<ModelConfig> = {}, dtype: Dtype = "f64", seed = 42): Model {
  const model = new Model({ ...DEFAULT_MODEL, ...config }, typescriptOps(dtype));
  drawParameters(model.parameters, new Random(seed), model.config, model.ops);
  return model;
}

/** One step on a name that fits: its loss. */
export function trainStep(trainer: Trainer): number {
  const loss = trainer.step();
  if (typeof loss !== "number") throw new Error(`Name ${trainer.documentIndex}: ${loss}`);
  return loss;
}

/** [BOS, letters, BOS] */
export function tokensOf(name: string, vocabulary = lowercaseVocabulary()): Uint8Array {
  const tokens = new Uint8Array(name.length + 2);
  tokens[vocabulary.encode(name, tokens, 1)] = BOS;
  return tokens;
}

/** The loss of a name, without gradients. */
export function lossOf(model: Model, name: string): number {
  const tokens = tokensOf(name, model.vocabulary);
  const rows = tokens.length - 1;
  forward(model, tokens, 0, rows);
  return model.ops.softmaxCrossEntropy(model.activations.logits, tokens, rows, model.config.vocabularySize, 0);
}

export function gaussians(random: Random, length: number): Float64Array {
  return Float64Array.from({ length }, () => random.gaussian());
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/** The largest |a - b|; NaN where one of them is NaN. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`${a.length} numbers against ${b.length}`);
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference;
    if (Number.isNaN(largest)) break;
  }
  return largest;
}

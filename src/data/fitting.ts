import { PRESETS } from "../config";
import type { Dataset } from "./dataset";
import { InputError, printable } from "../errors";
import type { Model } from "../model/model";

/*
 * Names that are longer than the block: what the presets do with them.
 */

/**
 * Lets the dataset make the model's tokens.
 * @throws InputError when it has characters that the model does not know, or when every name is longer than
 * the block and would be passed over
 */
export function fit(model: Model, dataset: Dataset): void {
  const { preset, blockSize } = model.config;
  dataset.use(model.vocabulary);
  if (PRESETS[preset].cutsLongNames || dataset.shortest + 1 <= blockSize) return;
  throw new InputError(
    `${dataset.source} has no name that fits block_size ${blockSize}, which takes ${blockSize - 1} letters: ` +
      `the shortest, on line ${dataset.shortestLine}, has ${dataset.shortest}.`,
  );
}

/** @throws InputError for a word that the model cannot be trained on */
export function checkWord(model: Model, word: string): void {
  const { preset, blockSize } = model.config;
  const letters = model.vocabulary.check(word);
  if (letters === 0) throw new InputError("A word has at least one character.");
  if (letters + 1 > blockSize && !PRESETS[preset].cutsLongNames)
    throw new InputError(
      `"${printable(word)}" is too long: block_size ${blockSize} takes ${blockSize - 1} letters, and it has ${letters}.`,
    );
}

/** Puts name `index` into `tokens` and returns how many positions it has; 0 when it is to be passed over. */
export function loadName(model: Model, dataset: Dataset, index: number, tokens: Uint8Array): number {
  const rows = dataset.tokens(index, tokens) - 1;
  const block = model.shape.block;
  if (rows <= block) return rows;
  return PRESETS[model.config.preset].cutsLongNames ? block : 0;
}

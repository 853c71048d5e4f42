import { type ModelConfig, PRESETS } from "../model/config";
import type { Dataset } from "../data/dataset";
import { countOf, InputError, printable } from "../base/errors";
import type { Model } from "../model/model";

/*
 * What the presets do with names that are longer than the block.
 */

/** Maximum characters of a document that is not passed over; Infinity if the preset cuts it instead. */
export function maxCharacters({ preset, blockSize }: ModelConfig): number {
  return PRESETS[preset].cutsLongNames ? Infinity : blockSize - 1;
}

/**
 * Makes the dataset use the model's vocabulary.
 * @throws InputError if it has characters that the model does not know, or if every name is longer than the
 * block and would be passed over
 */
export function bindDataset(model: Pick<Model, "config" | "vocabulary">, dataset: Dataset): void {
  const { blockSize } = model.config;
  dataset.use(model.vocabulary);
  if (dataset.shortest <= maxCharacters(model.config)) return;
  throw new InputError(
    `${dataset.source} has no name that fits block_size ${blockSize}, which takes ${countOf(blockSize - 1, "letter")}: ` +
      `the shortest, on line ${dataset.shortestLine}, has ${dataset.shortest}, which fit block_size ${dataset.shortest + 1}.`,
  );
}

/** @throws InputError if the model cannot be trained on the word */
export function checkWord(model: Model, word: string): void {
  const { blockSize } = model.config;
  const letters = model.vocabulary.check(word);
  if (letters === 0) throw new InputError("A word has at least one character.");
  if (letters > maxCharacters(model.config))
    throw new InputError(
      `"${printable(word)}" is too long: block_size ${blockSize} takes ${countOf(blockSize - 1, "letter")}, and it has ${letters}.`,
    );
}

/** Writes name `index` into `tokens` and returns its number of positions; 0 if it has to be passed over. */
export function loadDocument(model: Model, dataset: Dataset, index: number, tokens: Uint8Array): number {
  const rows = dataset.tokens(index, tokens) - 1;
  const block = model.shape.block;
  if (rows <= block) return rows;
  return PRESETS[model.config.preset].cutsLongNames ? block : 0;
}

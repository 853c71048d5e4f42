import { type ModelConfig, PRESETS } from "../model/config";
import type { Dataset } from "../data/dataset";
import { countOf, InputError, printable } from "../base/errors";
import type { InferenceModel, Model } from "../model/model";
import { BOS, type Vocabulary } from "../data/vocabulary";

/*
 * Documents as tokens, and what the presets do with those that are longer than the block.
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
export function checkWord(model: InferenceModel, word: string): void {
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

/**
 * Writes [BOS, characters] of a text into `tokens`, as much of it as fits, and returns the full number of tokens. The
 * text may be in another form of Unicode than the vocabulary; only then is anything allocated.
 * @throws InputError for a character outside the vocabulary
 */
export function encodeText(vocabulary: Vocabulary, text: string, tokens: Uint8Array): number {
  const length = encodeKnown(vocabulary, text, tokens);
  if (length > 0) return length;
  const respelled = vocabulary.respell(text);
  vocabulary.check(respelled);
  return encodeKnown(vocabulary, respelled, tokens);
}

/**
 * Writes [BOS, characters, BOS] of a document into `tokens`, and returns its number of positions: as loadDocument()
 * does for one of a dataset.
 * @param tokens block_size + 1 of them
 * @throws InputError if it is empty, has a character outside the vocabulary, or is too long for a preset that does
 * not cut
 */
export function encodeDocument(model: InferenceModel, document: string, tokens: Uint8Array): number {
  const { vocabulary, config } = model;
  let text = document;
  let length = encodeKnown(vocabulary, text, tokens);
  if (length === 0) {
    text = vocabulary.respell(text);
    length = encodeText(vocabulary, text, tokens);
  }
  if (length === 1 || length - 1 > maxCharacters(config)) checkWord(model, text);
  tokens[length] = BOS;
  return Math.min(length, config.blockSize);
}

/**
 * As encodeText(), for a text in the vocabulary's own characters; 0 if it has others. By index, because a loop over
 * characters allocates an iterator and a string for each.
 */
function encodeKnown(vocabulary: Vocabulary, text: string, tokens: Uint8Array): number {
  tokens[0] = BOS;
  let length = 1;
  for (let i = 0; i < text.length; i++) {
    const codePoint = text.codePointAt(i) ?? 0;
    if (codePoint > 0xffff) i++;
    const token = vocabulary.tokenOf(codePoint);
    if (token === 0) return 0;
    tokens[length++] = token;
  }
  return length;
}

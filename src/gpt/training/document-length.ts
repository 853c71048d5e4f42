import { PRESETS } from "../model/config";
import type { DocumentSource } from "../data/document-source";
import { countOf, InputError, printable } from "../base/errors";
import type { InferenceModel, Model } from "../model/model";
import { BOS, type Document, type Vocabulary } from "../data/vocabulary";

/*
 * Documents as tokens, and what the presets do with those that are longer than the block.
 */

/** Maximum symbols of a document that is not passed over; Infinity if the preset cuts it instead. */
export function maxSymbols({ config, vocabulary }: Pick<InferenceModel, "config" | "vocabulary">): number {
  const { preset, blockSize } = config;
  return PRESETS[preset].cutsLongNames ? Infinity : blockSize + 1 - marks(vocabulary);
}

/** How many BOS tokens a document has: at its beginning, and at its end. */
function marks({ addBos, addEos }: Vocabulary): number {
  return Number(addBos) + Number(addEos);
}

/**
 * Makes the dataset use the model's vocabulary.
 * @throws InputError if it has symbols that the model does not know, or if every document is longer than the block and
 * would be passed over
 */
export function bindDataset(model: Pick<Model, "config" | "vocabulary">, dataset: DocumentSource): void {
  dataset.use(model.vocabulary);
  dataset.checkLength(maxSymbols(model), model.config.blockSize);
}

/** @throws InputError if the model cannot be trained on the word */
export function checkWord(model: InferenceModel, word: Document): void {
  const { blockSize } = model.config;
  const { names, addBos } = model.vocabulary;
  const symbols = model.vocabulary.check(word);
  const [one, kind] = typeof word !== "string" || names ? ["symbol", "A document"] : ["letter", "A word"];
  if (symbols === 0) throw new InputError(`${kind} has at least one ${one === "letter" ? "character" : one}.`);
  const most = maxSymbols(model);
  const shown = typeof word === "string" ? `"${printable(word)}"` : "The document";
  if (symbols > most)
    throw new InputError(
      `${shown} is too long: block_size ${blockSize} takes ${countOf(most, one)}, and it has ${symbols}.`,
    );
  if (!addBos && symbols === 1)
    throw new InputError(`${shown} has one symbol, and without BOS there is nothing to predict it from.`);
}

/** Writes document `index` into `tokens` and returns its number of positions; 0 if it has to be passed over. */
export function loadDocument(model: Model, dataset: DocumentSource, index: number, tokens: Uint8Array): number {
  const rows = dataset.tokens(index, tokens) - 1;
  const block = model.shape.block;
  if (rows <= block) return rows;
  return PRESETS[model.config.preset].cutsLongNames ? block : 0;
}

/**
 * Writes a prefix into `tokens`, BOS first if the vocabulary adds it, as much as fits, and returns the full number of
 * tokens. A text may be in another form of Unicode than the vocabulary; only then is anything allocated.
 * @throws InputError for a symbol outside the vocabulary
 */
export function encodePrefix(vocabulary: Vocabulary, prefix: Document, tokens: Uint8Array): number {
  tokens[0] = BOS;
  const at = Number(vocabulary.addBos);
  const length = vocabulary.tryEncode(prefix, tokens, at);
  if (length >= 0) return length;
  const respelled = typeof prefix === "string" ? vocabulary.respell(prefix) : prefix;
  vocabulary.check(respelled);
  return vocabulary.tryEncode(respelled, tokens, at);
}

/**
 * Writes a document into `tokens`, with BOS where the vocabulary adds it, and returns its number of positions: as
 * loadDocument() does for one of a dataset.
 * @param tokens block_size + 1 of them
 * @throws InputError if there is nothing to predict, for a symbol outside the vocabulary, or if it is too long for a
 * preset that does not cut
 */
export function encodeDocument(model: InferenceModel, document: Document, tokens: Uint8Array): number {
  const { vocabulary, config } = model;
  const { addBos, addEos } = vocabulary;
  const length = encodePrefix(vocabulary, document, tokens);
  const symbols = length - Number(addBos);
  const rows = length + Number(addEos) - 1;
  if (symbols === 0 || rows === 0 || symbols > maxSymbols(model))
    checkWord(model, typeof document === "string" ? vocabulary.respell(document) : document);
  if (addEos) tokens[length] = BOS;
  return Math.min(rows, config.blockSize);
}

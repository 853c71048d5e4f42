import { InputError } from "./base/errors";
import { forward } from "./model/forward";
import type { Document } from "./data/vocabulary";
import type { InferenceModel } from "./model/model";
import { encodeDocument, encodePrefix } from "./training/document-length";

/** How surprising a document is to a model, in nats: the negative natural logarithm of a probability. */
export interface DocumentLoss {
  /** Mean over the symbols: the loss that training lowers. */
  readonly mean: number;
  /** Of each character in its order, and of the end. A view, valid until the next call. */
  readonly each: Float64Array;
}

/**
 * What a model predicts. The constructor allocates all buffers: 9 bytes for each position and 8 for each token. It
 * uses the model's activations, and changes nothing of a training.
 */
export class Predictor {
  private readonly tokens: Uint8Array;
  private readonly p: Float64Array;
  private readonly losses: Float64Array;

  constructor(private readonly model: InferenceModel) {
    const { blockSize, vocabularySize } = model.config;
    this.tokens = new Uint8Array(blockSize + 1);
    this.p = new Float64Array(vocabularySize);
    this.losses = new Float64Array(blockSize);
  }

  /**
   * The probability of each token after `prefix`, at temperature 1: element 0 is that of the end, element i that of
   * `model.vocabulary.characterOf(i)`. Their sum is 1. The result is a view, valid until the next call; nothing is
   * allocated, unless the prefix is in another form of Unicode than the vocabulary.
   * @param prefix at most block_size - 1 characters; "" asks for the first character
   * @throws InputError for a character outside the vocabulary, a prefix that is too long, or a model whose numbers are
   * not finite
   */
  probabilities(prefix: Document = ""): Float64Array {
    const { model, tokens, p } = this;
    const { exp } = model.ops.functions;
    const length = encodePrefix(model.vocabulary, prefix, tokens);
    const block = model.shape.block;
    const marks = Number(model.vocabulary.addBos);
    if (length > block)
      throw new InputError(`The prefix has ${length - marks} symbols, and block_size ${block} takes ${block - marks}.`);
    if (length === 0) throw new InputError("The prefix is empty, and the vocabulary has no BOS to begin with.");
    forward(model, tokens, 0, length);
    const logits = model.logits[length - 1];
    const largest = largestOf(logits);
    const unit = model.logitUnit;
    let sum = 0;
    for (let i = 0; i < p.length; i++) sum += p[i] = exp((logits[i] - largest) * unit);
    checkFinite(sum);
    for (let i = 0; i < p.length; i++) p[i] /= sum;
    return p;
  }

  /**
   * The negative log-likelihood of a document, in nats: of each of its symbols, given those before it, and their mean.
   * The symbols are its characters and the end. A document longer than the block is cut if the preset does so in
   * training. Allocates the result and its view.
   * @param document from 1 to block_size - 1 characters
   * @throws InputError if it is empty, has a character outside the vocabulary, or is too long, or for a model whose
   * numbers are not finite
   */
  negativeLogLikelihood(document: Document): DocumentLoss {
    const { model, tokens, losses } = this;
    const { exp, log } = model.ops.functions;
    const rows = encodeDocument(model, document, tokens);
    forward(model, tokens, 0, rows);
    const unit = model.logitUnit;
    let total = 0;
    for (let t = 0; t < rows; t++) {
      const logits = model.logits[t];
      const largest = largestOf(logits);
      let sum = 0;
      for (let i = 0; i < logits.length; i++) sum += exp((logits[i] - largest) * unit);
      total += losses[t] = log(sum) + (largest - logits[tokens[t + 1]]) * unit;
    }
    checkFinite(total);
    return { mean: total / rows, each: losses.subarray(0, rows) };
  }
}

function largestOf(logits: ArrayLike<number>): number {
  let largest = logits[0];
  for (let i = 1; i < logits.length; i++) if (logits[i] > largest) largest = logits[i];
  return largest;
}

/** @throws InputError */
function checkFinite(sum: number): void {
  if (sum - sum !== 0)
    throw new InputError("The model's numbers are not finite: train it again, with a lower learning rate.");
}

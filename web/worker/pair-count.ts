import { PRESETS } from "../../src/gpt/model/config";
import type { Model } from "../../src/gpt/model/model";
import { loadDocument } from "../../src/gpt/training/document-length";
import type { Trainer } from "../../src/gpt/training/trainer";

/** Documents counted between two looks at the clock. */
const AT_ONCE = 256;

/**
 * A model that only counts pairs of neighbouring tokens, to compare the training with: the probability of b after a is
 * (number of pairs a b + 1) / (number of pairs that begin with a + number of tokens). BOS begins and ends each document.
 * It counts the documents that are trained on, without those held out and those that are passed over; of a document
 * that is cut, what is trained on.
 */
export class PairCount {
  private readonly counts: Float64Array;
  /** The counts, each pair with the weight that the loss of a step gives it. */
  private readonly weights: Float64Array;
  private readonly tokens: Uint8Array;
  private next = 0;

  constructor(private readonly trainer: Pick<Trainer, "dataset" | "holdout"> & { readonly model: Model }) {
    const { vocabularySize, blockSize } = trainer.model.config;
    this.counts = new Float64Array(vocabularySize ** 2);
    this.weights = new Float64Array(vocabularySize ** 2);
    this.tokens = new Uint8Array(blockSize + 1);
  }

  /**
   * Goes on counting until a time, but at least some documents; returns whether there are more.
   * @param now the clock, in milliseconds
   */
  count(until: number, now: () => number): boolean {
    const { count } = this.trainer.dataset;
    do {
      const end = Math.min(count, this.next + AT_ONCE);
      while (this.next < end) this.countDocument(this.next++);
    } while (this.next < count && now() < until);
    return this.next < count;
  }

  /**
   * Its mean loss on the documents that it has counted, in nats a token and in the measure of a step: each document has
   * the same weight or, if the preset weighs tokens, each token.
   */
  get loss(): number {
    const { counts, weights } = this;
    const size = this.trainer.model.config.vocabularySize;
    let sum = 0;
    let weight = 0;
    for (let from = 0; from < counts.length; from += size) {
      const total = counts.subarray(from, from + size).reduce((a, b) => a + b, 0);
      for (const [i, share] of weights.subarray(from, from + size).entries()) {
        sum += share * Math.log((total + size) / ((counts[from + i] ?? 0) + 1));
        weight += share;
      }
    }
    return sum / weight;
  }

  private countDocument(index: number): void {
    const { trainer, tokens, counts, weights } = this;
    const { model, dataset, holdout } = trainer;
    if (holdout?.has(index)) return;
    const { preset, vocabularySize } = model.config;
    const rows = loadDocument(model, dataset, index, tokens);
    const share = PRESETS[preset].weighs === "tokens" ? 1 : 1 / rows;
    for (let t = 0; t < rows; t++) {
      const pair = (tokens[t] ?? 0) * vocabularySize + (tokens[t + 1] ?? 0);
      counts[pair] = (counts[pair] ?? 0) + 1;
      weights[pair] = (weights[pair] ?? 0) + share;
    }
  }
}

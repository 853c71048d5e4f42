import type { DocumentSource } from "../data/document-source";
import { InputError } from "../base/errors";
import type { EvaluatedEvent } from "./events";
import { loadDocument } from "./document-length";
import { forward } from "../model/forward";
import type { Holdout } from "./holdout";
import type { Model } from "../model/model";
import type { Task } from "../base/runner";
import { BOS } from "../data/vocabulary";

/** Measures the loss over names, one for each unit of work, without training. */
export class EvaluationTask implements Task {
  /** Names looked at; of those to measure, the names that fit the block, and those that do not. */
  done = 0;
  measured = 0;
  passedOver = 0;
  /** Of the names measured: tokens to predict, and how many of these are characters. */
  tokens = 0;
  characters = 0;
  /** Sums in nats: of the mean loss of each name, and of the losses of all tokens. */
  private sum = 0;
  private tokenSum = 0;
  private readonly sequence: Uint8Array;

  /**
   * @param names indices of the names; by default the whole dataset
   * @param holdout to measure only the names that it holds out
   */
  constructor(
    private readonly model: Model,
    private readonly dataset: DocumentSource,
    private readonly names?: Uint32Array,
    private readonly holdout?: Holdout,
  ) {
    this.sequence = new Uint8Array(model.config.blockSize + 1);
  }

  get total(): number {
    return this.names?.length ?? this.dataset.count;
  }

  /** Mean over the names measured of their mean losses, in nats a token; undefined if no name fits. */
  get loss(): number | undefined {
    return this.measured > 0 ? this.sum / this.measured : undefined;
  }

  /** Mean loss over all tokens, in nats. */
  get natsPerToken(): number {
    return this.tokenSum / this.tokens;
  }

  /** The loss of all tokens, including the final BOS of each name, in bits for each character. */
  get bitsPerCharacter(): number {
    return this.tokenSum / Math.LN2 / this.characters;
  }

  /** @throws InputError if no name was measured */
  get result(): Omit<EvaluatedEvent, "written"> {
    const { loss, measured: names, passedOver, tokens, natsPerToken, bitsPerCharacter } = this;
    if (loss === undefined)
      throw new InputError(
        `None of the ${passedOver} names held out fits block_size ${this.model.config.blockSize}: hold out more of ${this.dataset.source}.`,
      );
    return { type: "evaluated", loss, names, passedOver, tokens, natsPerToken, bitsPerCharacter };
  }

  /** Starts over. */
  reset(): void {
    this.done = 0;
    this.measured = 0;
    this.passedOver = 0;
    this.tokens = 0;
    this.characters = 0;
    this.sum = 0;
    this.tokenSum = 0;
  }

  /** @throws InputError if a loss is not finite */
  work(): boolean {
    const { names, holdout } = this;
    const index = names ? names[this.done] : this.done;
    if (!holdout || holdout.has(index)) this.measure(index);
    this.done++;
    return this.done < this.total;
  }

  private measure(index: number): void {
    const { model, dataset, sequence } = this;
    const rows = loadDocument(model, dataset, index, sequence);
    if (rows === 0) {
      this.passedOver++;
      return;
    }
    const loss = sequenceLoss(model, sequence, rows);
    if (loss === "diverged")
      throw new InputError("The model gives no finite loss: it is broken, or its weights are too large.");
    this.measured++;
    this.sum += loss;
    this.tokenSum += rows * loss;
    this.tokens += rows;
    // A name that was cut does not end with BOS.
    this.characters += sequence[rows] === BOS ? rows - 1 : rows;
  }
}

function sequenceLoss(model: Model, tokens: Uint8Array, rows: number): number | "diverged" {
  forward(model, tokens, 0, rows);
  const loss = model.ops.softmaxCrossEntropy(model.activations.logits, tokens, rows, model.config.vocabularySize, 0);
  return Number.isFinite(loss) ? loss : "diverged";
}

import { createTrainer, DocumentRing, type Ops, Predictor, type Trainer, Vocabulary } from "esp32gpt";
import { SYMBOL_NAMES } from "./symbols";

/** A window: symbols that only give the context, and those behind them that are scored. The next begins FRESH later. */
export const CONTEXT = 16;
export const FRESH = 16;
export const LENGTH = CONTEXT + FRESH;

/** How many of the last windows are kept to learn from. */
export const DOCUMENTS = 256;
export const MODEL = Object.freeze({ nLayer: 1, nEmbd: 16, nHead: 4, mlpWidth: 32, blockSize: LENGTH });
const BATCH = 4;
const LEARNING_RATE = 0.03;

/** Learns what follows what in the symbols of a machine, and says how surprising a window is. */
export class Rhythm {
  private readonly last: DocumentRing;
  private readonly trainer: Trainer<DocumentRing>;
  private readonly predictor: Predictor;

  /**
   * Allocates everything.
   * @param windows to learn from: the learning rate falls to zero with the last one
   * @param seed of the weights, and of the draws from the last windows
   */
  constructor(ops: Ops, windows: number, seed = 1) {
    // Windows are cut out of a stream: that one ends says nothing about the machine.
    const vocabulary = Vocabulary.ofSymbols(SYMBOL_NAMES, { addEos: false });
    this.last = new DocumentRing(vocabulary, { documents: DOCUMENTS, length: LENGTH });
    this.trainer = createTrainer({
      dataset: this.last,
      preset: "tuned",
      model: MODEL,
      training: { steps: windows, batchSize: BATCH, learningRate: LEARNING_RATE },
      seed,
      ops,
    });
    this.predictor = new Predictor(this.trainer.model);
  }

  /** Keeps a window, and makes a step on a few of the last ones. */
  learn(window: Uint8Array): void {
    this.last.add(window);
    this.trainer.step();
  }

  /** The mean negative log-likelihood of the window's fresh symbols, in nats. */
  score(window: Uint8Array): number {
    const { each } = this.predictor.negativeLogLikelihood(window);
    let sum = 0;
    for (let i = CONTEXT; i < LENGTH; i++) sum += each[i];
    return sum / FRESH;
  }
}

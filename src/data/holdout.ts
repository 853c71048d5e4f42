import type { Dataset } from "./dataset";
import { InputError } from "../errors";

/** Names that are measured when the validation loss is asked for: enough for two digits, soon done. */
const SAMPLE_SIZE = 100;
/** The sample is chosen from so many, spread evenly, and so need not be looked for in a second pass. */
const MOST_CANDIDATES = 8 * SAMPLE_SIZE;

/**
 * The names that stay out of training, chosen by a hash of the name: the same in every run and on every
 * engine, and a name that the dataset has twice is on one side only.
 */
export class Holdout {
  /** Indices of at most 100 of them, spread evenly over the dataset. */
  readonly sample: Uint32Array;
  /** Hashes below this are held out. */
  private readonly limit: number;

  /**
   * @param percent how many of the names to hold out, above 0
   * @throws InputError when that leaves nothing to train on, or nothing to measure
   */
  constructor(
    private readonly dataset: Dataset,
    percent: number,
  ) {
    this.limit = (percent / 100) * 2 ** 32;
    const candidates = new Uint32Array(MOST_CANDIDATES);
    let stride = 1;
    let taken = 0;
    let total = 0;
    dataset.forEachHash((hash, i) => {
      if (!this.holdsOut(hash)) return;
      if (total % stride === 0 && taken === MOST_CANDIDATES) {
        for (let j = 0; j < taken; j += 2) candidates[j >> 1] = candidates[j];
        taken >>= 1;
        stride *= 2;
      }
      if (total % stride === 0) candidates[taken++] = i;
      total++;
    });
    if (total === 0 || total === dataset.count)
      throw new InputError(
        `A holdout of ${percent} % leaves no name to ${total === 0 ? "validate with" : "train on"}: ` +
          `the dataset has only ${dataset.count}.`,
      );
    const size = Math.min(taken, SAMPLE_SIZE);
    this.sample = new Uint32Array(size);
    for (let j = 0; j < size; j++) this.sample[j] = candidates[Math.floor((j * taken) / size)];
  }

  /** Whether name `i` is held out. */
  has(i: number): boolean {
    return this.holdsOut(this.dataset.hash(i));
  }

  private holdsOut(hash: number): boolean {
    return hash >>> 0 < this.limit;
  }
}

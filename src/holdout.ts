import { InputError } from "./errors";

/** Names that are measured when the validation loss is asked for: enough for two digits, soon done. */
const SAMPLE_SIZE = 100;

/** The names that stay out of training, chosen by a hash of their index, the same in every run. */
export class Holdout {
  /** Indices of at most 100 of them, spread evenly over the dataset. */
  readonly sample: Uint32Array;

  /**
   * @param count names in the dataset
   * @param percent how many of them to hold out, above 0
   * @throws InputError when that leaves nothing to train on, or nothing to measure
   */
  constructor(
    count: number,
    private readonly percent: number,
  ) {
    let total = 0;
    for (let i = 0; i < count; i++) if (this.has(i)) total++;
    if (total === 0 || total === count)
      throw new InputError(
        `A holdout of ${percent} % leaves no name to ${total === 0 ? "validate with" : "train on"}: ` +
          `the dataset has only ${count}.`,
      );
    const size = Math.min(total, SAMPLE_SIZE);
    this.sample = new Uint32Array(size);
    for (let i = 0, seen = 0, taken = 0; taken < size; i++) {
      if (!this.has(i)) continue;
      if (seen >= (taken * total) / size) this.sample[taken++] = i;
      seen++;
    }
  }

  /** Whether name `index` is held out. The hash is MurmurHash3's finalizer (Appleby, public domain). */
  has(index: number): boolean {
    let hash = index + 1; // The hash of 0 is 0.
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
    return (hash >>> 0) * 100 < this.percent * 2 ** 32;
  }
}

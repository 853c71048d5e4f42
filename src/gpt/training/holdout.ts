import type { DocumentSource } from "../data/document-source";
import { InputError } from "../base/errors";

/** Names that are measured for the validation loss: enough for two digits, and fast. */
const SAMPLE_SIZE = 100;
/** The sample is chosen from this many candidates, spread evenly, so that one pass is enough. */
const MAX_CANDIDATES = 8 * SAMPLE_SIZE;

/** Maximum distinct names that are counted, to explain why there are too few. The table of hashes is twice as large. */
const MAX_DIFFERENT = 2048;

/**
 * The names that are held out of training, chosen by a hash of the name: the same in every run and on every
 * engine, and a name that the dataset has twice is on one side only.
 */
export class Holdout {
  /** Indices of at most 100 held-out names that fit, spread evenly over the dataset; empty if all are too long. */
  readonly sample: Uint32Array;
  /** Names whose hashes are below this are held out. */
  private readonly limit: number;

  /**
   * @param percent percentage of the names to hold out, above 0
   * @param most maximum characters of a name that fits
   * @throws InputError if no name that fits is left to train on, or none is held out
   */
  constructor(
    private readonly dataset: DocumentSource,
    percent: number,
    most = Infinity,
  ) {
    this.limit = (percent / 100) * 0x100000000;
    const candidates = new Uint32Array(MAX_CANDIDATES);
    let stride = 1;
    let taken = 0;
    let total = 0;
    let rest = 0;
    let tooLong = 0;
    const allFit = dataset.longest <= most;
    dataset.forEachHash((hash, i, at) => {
      if (!allFit && dataset.lettersAt(at) > most) {
        if (this.holdsOut(hash)) tooLong++;
        return;
      }
      if (!this.holdsOut(hash)) {
        rest++;
        return;
      }
      if (total % stride === 0 && taken === MAX_CANDIDATES) {
        for (let j = 0; j < taken; j += 2) candidates[j >> 1] = candidates[j];
        taken >>= 1;
        stride *= 2;
      }
      if (total % stride === 0) candidates[taken++] = i;
      total++;
    });
    if (rest === 0 || total + tooLong === 0)
      throw new InputError(
        `A holdout of ${percent} % leaves no name to ${total === 0 ? "validate with" : "train on"}: ` +
          reasonOf(dataset, total + rest),
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

/** Why a holdout leaves no name on one side. @param fitting names of the dataset that fit the block */
function reasonOf(dataset: DocumentSource, fitting: number): string {
  const { count } = dataset;
  if (fitting < count)
    return `of ${count} names in the dataset only ${fitting} ${fitting === 1 ? "fits" : "fit"} the block_size.`;
  const different = countDifferent(dataset);
  if (different === undefined || different === count) return `the dataset has only ${count}.`;
  return (
    `the dataset has ${count} names, but only ${different} different ${different === 1 ? "one" : "ones"}, ` +
    `and equal names stay together.`
  );
}

/** The number of distinct names; undefined if there are more than MAX_DIFFERENT. */
function countDifferent(dataset: DocumentSource): number | undefined {
  const places = 2 * MAX_DIFFERENT;
  const hashes = new Int32Array(places);
  let different = 0;
  dataset.forEachHash((hash) => {
    const wanted = hash === 0 ? 1 : hash; // 0 marks a free place
    let place = wanted & (places - 1);
    while (hashes[place] !== 0 && hashes[place] !== wanted) place = (place + 1) & (places - 1);
    if (hashes[place] === wanted || different > MAX_DIFFERENT) return;
    hashes[place] = wanted;
    different++;
  });
  return different <= MAX_DIFFERENT ? different : undefined;
}

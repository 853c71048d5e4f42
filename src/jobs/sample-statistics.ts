import { limitsToTell, NO_LIMITS, PRESETS } from "../gpt/model/config";
import type { Dataset } from "../gpt/data/dataset";
import { FNV_BASIS, FNV_PRIME, mixed } from "../gpt/base/hash";
import type { WrittenNames } from "../gpt/training/events";
import type { Model } from "../gpt/model/model";
import type { Task } from "../gpt/base/runner";

/** Names that can be compared. Of so many, one in 8,000 may be taken for another as their hashes are equal. */
export const MAX_WRITTEN = 1e6;

/**
 * Takes in the names that a model writes, and then goes through the dataset, a name a bit, to compare. Names are
 * counted and forgotten; what stays of them is a hash, in a table of 18 to 36 bytes a name.
 */
export class SampleStatistics implements Task {
  private added = 0;
  /** Names of the dataset. */
  private done = 0;
  private readonly tokens: Uint8Array;
  private readonly written: Tally;
  private readonly data: Tally;
  private readonly hashes: HashTable;
  private duplicates = 0;
  private empty = 0;
  private known = 0;

  /**
   * @param dataset makes tokens by the model's vocabulary: see fit()
   * @param count names to be written, at that temperature and within those limits
   */
  constructor(
    private readonly model: Model,
    private readonly dataset: Dataset,
    private readonly count: number,
    private readonly temperature: number,
    private readonly limits = NO_LIMITS,
  ) {
    const { blockSize, vocabularySize } = model.config;
    this.tokens = new Uint8Array(blockSize + 1);
    this.written = new Tally(vocabularySize);
    this.data = new Tally(vocabularySize);
    this.hashes = new HashTable(count);
  }

  /** Takes in a name, tokens 1 to `letters`, and returns whether there are more to come. */
  add(tokens: Uint8Array, letters: number): boolean {
    this.written.add(tokens, letters);
    if (this.hashes.add(hashOf(tokens, letters)) > 1) this.duplicates++;
    if (letters === 0) this.empty++;
    this.added++;
    return this.added < this.count;
  }

  /** Goes on in the dataset, when all names have been added. */
  work(): boolean {
    const { tokens, dataset } = this;
    const { preset, blockSize } = this.model.config;
    const letters = dataset.tokens(this.done, tokens) - 2;
    // What does not fit is as the training sees it: cut, or passed over.
    if (letters < blockSize) this.data.add(tokens, letters);
    else if (PRESETS[preset].cutsLongNames) this.data.add(tokens, blockSize);
    if (letters <= blockSize) this.known += this.hashes.take(hashOf(tokens, letters));
    this.done++;
    return this.done < dataset.count;
  }

  /** What came out, once the work is done. */
  get result(): WrittenNames {
    const { count, temperature, written, data, empty } = this;
    return {
      count,
      temperature,
      ...limitsToTell(this.limits),
      newShare: (count - this.known - empty) / count,
      emptyShare: empty / count,
      duplicateShare: this.duplicates / count,
      length: { mean: written.mean, deviation: written.deviation },
      dataLength: { mean: data.mean, deviation: data.deviation },
      letterDistance: written.distanceFrom(data),
    };
  }
}

/** Lengths and characters of names. */
class Tally {
  private names = 0;
  private letters = 0;
  /** The sum of the squares of the lengths. */
  private squares = 0;
  /** How often each token occurs. */
  private readonly counts: Uint32Array;

  constructor(vocabularySize: number) {
    this.counts = new Uint32Array(vocabularySize);
  }

  /** Takes in a name: tokens 1 to `letters`. */
  add(tokens: Uint8Array, letters: number): void {
    const { counts } = this;
    for (let t = 1; t <= letters; t++) counts[tokens[t]]++;
    this.names++;
    this.letters += letters;
    this.squares += letters * letters;
  }

  get mean(): number {
    return this.letters / this.names;
  }

  get deviation(): number {
    const { names, letters, squares } = this;
    // The difference is one of whole numbers, so nothing of it is lost.
    return Math.sqrt(names * squares - letters * letters) / names;
  }

  /** The total variation distance: see WrittenNames.letterDistance. */
  distanceFrom(other: Tally): number {
    if (this.letters === 0 || other.letters === 0) return 1;
    let sum = 0;
    for (let token = 1; token < this.counts.length; token++)
      sum += Math.abs(this.counts[token] / this.letters - other.counts[token] / other.letters);
    return sum / 2;
  }
}

/** Counts equal hashes, by open addressing: at least half of the places stay free. */
class HashTable {
  private readonly hashes: Int32Array;
  /** 0 where a place is free. */
  private readonly counts: Uint32Array;
  private readonly isTaken: Uint8Array;

  /** @param most hashes */
  constructor(most: number) {
    let places = 2;
    while (places < 2 * most) places *= 2;
    this.hashes = new Int32Array(places);
    this.counts = new Uint32Array(places);
    this.isTaken = new Uint8Array(places);
  }

  /** How often the hash has been added, this time included. */
  add(hash: number): number {
    const place = this.placeOf(hash);
    this.hashes[place] = hash;
    return ++this.counts[place];
  }

  /** How often the hash was added, the first time that this is asked; then 0. */
  take(hash: number): number {
    const place = this.placeOf(hash);
    if (this.isTaken[place]) return 0;
    this.isTaken[place] = 1;
    return this.counts[place];
  }

  /** Where the hash is, or would be put. */
  private placeOf(hash: number): number {
    const { hashes, counts } = this;
    const last = hashes.length - 1;
    let place = hash & last;
    while (counts[place] > 0 && hashes[place] !== hash) place = (place + 1) & last;
    return place;
  }
}

/** Of the name of tokens 1 to `letters`. */
function hashOf(tokens: Uint8Array, letters: number): number {
  const { imul } = Math;
  let hash = FNV_BASIS;
  for (let t = 1; t <= letters; t++) hash = imul(hash ^ tokens[t], FNV_PRIME);
  return mixed(hash);
}

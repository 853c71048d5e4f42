import { limitsToTell, NO_LIMITS, PRESETS } from "../gpt/model/config";
import type { Dataset } from "../gpt/data/dataset";
import { FNV_BASIS, FNV_PRIME, mixed } from "../gpt/base/hash";
import type { WrittenNames } from "../gpt/training/events";
import type { Model } from "../gpt/model/model";
import type { Task } from "../gpt/base/runner";

/** Maximum names that can be compared. Of this many, one in 8,000 may be mistaken for another of the same hash. */
export const MAX_WRITTEN = 1e6;

/**
 * Statistics of generated names, and their comparison with the dataset, which is read one name for each unit of work.
 * Of a generated name only the counts and a hash are kept, in a table of 18 to 36 bytes for each name.
 */
export class SampleStatistics implements Task {
  private added = 0;
  /** Names of the dataset that have been read. */
  private done = 0;
  private readonly tokens: Uint8Array;
  private readonly written: Tally;
  private readonly data: Tally;
  private readonly hashes: HashTable;
  private duplicates = 0;
  private empty = 0;
  private known = 0;

  /**
   * @param dataset must use the model's vocabulary: see bindDataset()
   * @param count number of names that will be generated, with that temperature and those limits
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

  /** Adds a generated name, tokens 1 to `letters`; returns whether more will follow. */
  add(tokens: Uint8Array, letters: number): boolean {
    this.written.add(tokens, letters);
    if (this.hashes.add(hashOf(tokens, letters)) > 1) this.duplicates++;
    if (letters === 0) this.empty++;
    this.added++;
    return this.added < this.count;
  }

  /** Reads a name of the dataset. Call it when all generated names have been added. */
  work(): boolean {
    const { tokens, dataset } = this;
    const { preset, blockSize } = this.model.config;
    const letters = dataset.tokens(this.done, tokens) - 2;
    // A name that is too long is treated as in training: cut, or passed over.
    if (letters < blockSize) this.data.add(tokens, letters);
    else if (PRESETS[preset].cutsLongNames) this.data.add(tokens, blockSize);
    if (letters <= blockSize) this.known += this.hashes.take(hashOf(tokens, letters));
    this.done++;
    return this.done < dataset.count;
  }

  /** The result, once work() has returned false. */
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

  /** Adds a name: tokens 1 to `letters`. */
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
    // The difference is exact, as both numbers are whole.
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

/** Counts equal hashes in a table with open addressing, of which at least half stays free. */
class HashTable {
  private readonly hashes: Int32Array;
  /** 0 for a free place. */
  private readonly counts: Uint32Array;
  private readonly isTaken: Uint8Array;

  /** @param most maximum number of hashes */
  constructor(most: number) {
    let places = 2;
    while (places < 2 * most) places *= 2;
    this.hashes = new Int32Array(places);
    this.counts = new Uint32Array(places);
    this.isTaken = new Uint8Array(places);
  }

  /** Adds a hash; returns how often it has been added. */
  add(hash: number): number {
    const place = this.placeOf(hash);
    this.hashes[place] = hash;
    return ++this.counts[place];
  }

  /** How often a hash was added, at the first call with it; 0 at later ones. */
  take(hash: number): number {
    const place = this.placeOf(hash);
    if (this.isTaken[place]) return 0;
    this.isTaken[place] = 1;
    return this.counts[place];
  }

  /** The index at which a hash is, or would be inserted. */
  private placeOf(hash: number): number {
    const { hashes, counts } = this;
    const last = hashes.length - 1;
    let place = hash & last;
    while (counts[place] > 0 && hashes[place] !== hash) place = (place + 1) & last;
    return place;
  }
}

/** The hash of a name: tokens 1 to `letters`. */
function hashOf(tokens: Uint8Array, letters: number): number {
  const { imul } = Math;
  let hash = FNV_BASIS;
  for (let t = 1; t <= letters; t++) hash = imul(hash ^ tokens[t], FNV_PRIME);
  return mixed(hash);
}

import { crc32 } from "./base/crc32";
import { countOf, InputError } from "./base/errors";
import { FNV_BASIS, FNV_PRIME, mixed } from "./base/hash";
import type { DocumentSource } from "./data/document-source";
import { areEqual, BOS, type Vocabulary } from "./data/vocabulary";

/** What the sources of symbols share: each document is a range of one array of their numbers. */
export abstract class SymbolDocuments implements DocumentSource {
  abstract readonly count: number;
  abstract readonly longest: number;
  abstract readonly indexBytes: number;
  /** See DocumentSource. */
  readonly crc32 = crc32;
  own: undefined;
  private knownChecksum: number | undefined;

  constructor(
    readonly source: string,
    readonly vocabulary: Vocabulary,
    /** Numbers of symbols: 0 is the first of the vocabulary. */
    protected readonly symbols: Uint8Array,
  ) {}

  /** Index of the first symbol of document `i`. */
  protected abstract beginOf(i: number): number;
  /** Number of its symbols. */
  protected abstract lengthOf(i: number): number;

  get meanTokens(): number {
    const { addBos, addEos } = this.vocabulary;
    return this.meanLength - 1 + Number(addBos) + Number(addEos);
  }

  protected abstract readonly meanLength: number;

  get checksum(): number | undefined {
    return (this.knownChecksum ??= crc32(this.symbols));
  }

  use(vocabulary: Vocabulary): void {
    if (!areEqual(vocabulary, this.vocabulary))
      throw new InputError(`${this.source} has another vocabulary than the model: make it with that of the model.`);
  }

  checkLength(most: number, blockSize: number): void {
    const { shortest } = this;
    if (shortest <= most) return;
    throw new InputError(
      `${this.source} has no document that fits blockSize ${blockSize}, which takes ${countOf(most, "symbol")}: ` +
        `the shortest has ${shortest}, which fit model: { blockSize: ${shortest + blockSize - most} }.`,
    );
  }

  protected abstract readonly shortest: number;

  tokens(i: number, tokens: Uint8Array): number {
    const { symbols, vocabulary } = this;
    this.check(i);
    const begin = this.beginOf(i);
    const length = this.lengthOf(i);
    let at = 0;
    if (vocabulary.addBos) tokens[at++] = BOS;
    const last = vocabulary.size - 2;
    for (let j = 0; j < length; j++) {
      const symbol = symbols[begin + j];
      tokens[at++] = symbol <= last ? symbol + 1 : vocabulary.unknownToken;
    }
    if (vocabulary.addEos) tokens[at++] = BOS;
    return at;
  }

  hash(i: number): number {
    const { symbols } = this;
    this.check(i);
    const { imul } = Math;
    const begin = this.beginOf(i);
    const end = begin + this.lengthOf(i);
    let hash = FNV_BASIS;
    for (let at = begin; at < end; at++) hash = imul(hash ^ symbols[at], FNV_PRIME);
    return mixed(hash);
  }

  forEachHash(take: (hash: number, i: number, at: number) => void): void {
    for (let i = 0; i < this.count; i++) take(this.hash(i), i, i);
  }

  lettersAt(at: number): number {
    return this.lengthOf(at);
  }

  private check(i: number): void {
    if (this.count === 0) throw new InputError(`${this.source} has no document yet: add one before the first step.`);
    if (!(i >= 0 && i < this.count))
      throw new RangeError(`There is no document ${i}: ${this.source} has ${this.count}.`);
  }
}

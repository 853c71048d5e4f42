import { checkInteger, InputError } from "./base/errors";
import { SymbolDocuments } from "./symbol-documents";
import type { Document, Vocabulary } from "./data/vocabulary";

/** The length of a document is stored in a byte. */
const MAX_LENGTH = 255;
const MAX_DOCUMENTS = 65536;

/** The size of a ring. */
export interface RingOptions {
  /** Number of documents that are kept. */
  readonly documents: number;
  /** Maximum symbols of a document. */
  readonly length: number;
  /** Its name in messages. */
  readonly source?: string;
}

/**
 * The last documents that came, in RAM: a device trains on them while it runs. The constructor allocates
 * `documents` · (`length` + 1) bytes; add() allocates a view. A checkpoint does not have them: after a restart the ring
 * is empty.
 */
export class DocumentRing extends SymbolDocuments {
  /** Number of documents that can be drawn. */
  count = 0;
  readonly longest: number;
  private readonly lengths: Uint8Array;
  private next = 0;

  /** @throws InputError for a size that is out of range */
  constructor(vocabulary: Vocabulary, { documents, length, source = "the ring" }: RingOptions) {
    checkInteger("The number of documents", documents, 1, MAX_DOCUMENTS);
    checkInteger("The length of a document", length, 1, MAX_LENGTH);
    super(source, vocabulary, new Uint8Array(documents * length));
    this.longest = length;
    this.lengths = new Uint8Array(documents);
  }

  get indexBytes(): number {
    return this.symbols.byteLength + this.lengths.byteLength;
  }

  /** Its documents come and go. */
  override get checksum(): undefined {
    return undefined;
  }

  /**
   * Adds a document, in the place of the oldest if the ring is full. An unfinished batch may have drawn that one.
   * @throws InputError if it is empty, longer than `length`, or has a symbol outside the vocabulary; the ring is the same
   * then
   */
  add(document: Document): void {
    const { vocabulary, longest, next } = this;
    const known = typeof document === "string" ? vocabulary.respell(document) : document;
    const symbols = vocabulary.check(known);
    if (symbols < 1 || symbols > longest)
      throw new InputError(`A document of ${this.source} has 1 to ${longest} symbols, not ${symbols}.`);
    const place = this.symbols.subarray(next * longest, (next + 1) * longest);
    vocabulary.encode(known, place, 0);
    for (let i = 0; i < symbols; i++) place[i]--;
    this.lengths[next] = symbols;
    this.next = (next + 1) % this.lengths.length;
    this.count = Math.max(this.count, next + 1);
  }

  /** See DocumentSource: a document of full length must fit. */
  override checkLength(most: number, blockSize: number): void {
    const { longest } = this;
    if (longest > most)
      throw new InputError(
        `${this.source} takes documents of ${longest} symbols, and blockSize ${blockSize} takes ${most}: ` +
          `set model: { blockSize: ${longest + blockSize - most} }.`,
      );
  }

  /** A document of full length must fit. */
  protected get shortest(): number {
    return this.longest;
  }

  protected get meanLength(): number {
    return this.longest;
  }

  protected beginOf(i: number): number {
    return i * this.longest;
  }

  protected lengthOf(i: number): number {
    return this.lengths[i];
  }
}

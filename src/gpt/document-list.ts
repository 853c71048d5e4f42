import { InputError } from "./base/errors";
import { SymbolDocuments } from "./symbol-documents";
import type { Document, Vocabulary } from "./data/vocabulary";

/** A list of documents in RAM: a byte for each symbol, and four for each document. */
export class DocumentList extends SymbolDocuments {
  readonly longest: number;
  protected readonly shortest: number;

  private constructor(
    source: string,
    vocabulary: Vocabulary,
    symbols: Uint8Array,
    private readonly ends: Uint32Array,
  ) {
    super(source, vocabulary, symbols);
    const lengths = Array.from(ends, (end, i) => end - (ends[i - 1] ?? 0));
    this.longest = lengths.reduce((a, b) => Math.max(a, b));
    this.shortest = lengths.reduce((a, b) => Math.min(a, b));
  }

  /**
   * Copies the documents; empty ones are left out.
   * @param source its name in messages
   * @throws InputError if there is none, or for the first symbol outside the vocabulary
   */
  static of(vocabulary: Vocabulary, documents: readonly Document[], source = "the list"): DocumentList {
    const encoded = documents.map((document) => symbolsOf(vocabulary, document)).filter(({ length }) => length > 0);
    if (encoded.length === 0) throw new InputError(`${source} has no documents.`);
    const ends = new Uint32Array(encoded.length);
    let end = 0;
    for (const [i, { length }] of encoded.entries()) ends[i] = end += length;
    const symbols = new Uint8Array(end);
    for (const [i, document] of encoded.entries()) symbols.set(document, ends[i - 1] ?? 0);
    return new DocumentList(source, vocabulary, symbols, ends);
  }

  get count(): number {
    return this.ends.length;
  }

  get indexBytes(): number {
    return this.symbols.byteLength + this.ends.byteLength;
  }

  protected get meanLength(): number {
    return this.symbols.length / this.count;
  }

  protected beginOf(i: number): number {
    return i > 0 ? this.ends[i - 1] : 0;
  }

  protected lengthOf(i: number): number {
    return this.ends[i] - this.beginOf(i);
  }
}

function symbolsOf(vocabulary: Vocabulary, document: Document): Uint8Array {
  if (typeof document === "string") return vocabulary.symbolsOf(document);
  vocabulary.check(document);
  return document;
}

import { checkInteger, countOf, InputError } from "./base/errors";
import { SymbolDocuments } from "./symbol-documents";
import type { Vocabulary } from "./data/vocabulary";

/** Symbols of a window: more than any block has. */
const MAX_LENGTH = 4096;

/** How a stream is cut. */
export interface WindowOptions {
  /** Symbols of a window. */
  readonly length: number;
  /** Symbols that two windows in succession share; 0 by default. */
  readonly overlap?: number;
  /** Name of the stream in messages. */
  readonly source?: string;
}

/**
 * Windows over a long stream of symbols, which is read in place: from flash, for example. What is left at the end, less
 * than a window, is not used. As a window ends anywhere, its vocabulary has `addEos: false`; `addBos` says whether its
 * first symbol is predicted as well, from BOS.
 */
export class Windows extends SymbolDocuments {
  readonly count: number;
  readonly longest: number;
  private readonly stride: number;

  /**
   * @param stream numbers of symbols, which must not change while it is in use; `vocabulary.symbolsOf()` makes them of a
   * text
   * @throws InputError for a vocabulary with addEos, a length or an overlap that is out of range, a stream that is
   * shorter than a window, or a symbol outside the vocabulary
   */
  constructor(
    vocabulary: Vocabulary,
    stream: Uint8Array,
    { length, overlap = 0, source = "the stream" }: WindowOptions,
  ) {
    super(source, vocabulary, stream);
    if (vocabulary.addEos)
      throw new InputError("A window does not end where a document ends: its vocabulary needs addEos: false.");
    if (typeof stream === "string")
      throw new InputError("A stream is a Uint8Array of symbols: vocabulary.symbolsOf() makes it of a text.");
    checkInteger("The length of a window", length, 2, MAX_LENGTH);
    checkInteger("The overlap of windows", overlap, 0, length - 1);
    if (stream.length < length)
      throw new InputError(`${source} has ${countOf(stream.length, "symbol")}, and a window has ${length}.`);
    vocabulary.check(stream);
    this.longest = length;
    this.stride = length - overlap;
    this.count = Math.floor((stream.length - length) / this.stride) + 1;
  }

  readonly indexBytes = 0;

  protected get shortest(): number {
    return this.longest;
  }

  protected get meanLength(): number {
    return this.longest;
  }

  protected beginOf(i: number): number {
    return i * this.stride;
  }

  protected lengthOf(): number {
    return this.longest;
  }
}

import type { DatasetKernels } from "../base/platform";
import type { OwnWords } from "./own-words";
import type { Vocabulary } from "./vocabulary";

/** Documents to train on and to measure, as tokens: a list in a file, symbols in RAM, windows over a stream. */
export interface DocumentSource {
  /** Its name in messages. */
  readonly source: string;
  /** Number of documents; in a ring it grows. */
  readonly count: number;
  readonly vocabulary: Vocabulary;
  /** Symbols of the longest document. */
  readonly longest: number;
  /** Mean number of tokens to predict in a document. */
  readonly meanTokens: number;
  /** Memory that it takes in RAM beside the bytes of the documents, in bytes. */
  readonly indexBytes: number;
  /** CRC-32 of all documents; undefined if they come and go, and a checkpoint does not depend on them. */
  readonly checksum: number | undefined;
  /** The platform's CRC-32, which checkpoints use too. */
  readonly crc32: DatasetKernels["crc32"];
  /** The platform's encoder of texts, if it has one for them. */
  readonly encodeUtf8?: DatasetKernels["encodeUtf8"];
  /** Words of the user, which are documents as well: their indices follow those of the others. */
  own: OwnWords | undefined;
  /** Makes tokens() use another vocabulary. @throws InputError if that lacks a symbol of a document */
  use(vocabulary: Vocabulary): void;
  /**
   * @param most symbols of a document that fits the block
   * @param blockSize for the message
   * @throws InputError if no document fits
   */
  checkLength(most: number, blockSize: number): void;
  /**
   * Writes the tokens of document `i` into `tokens`, as many as fit, and returns the full number.
   * @throws RangeError if there is no such document
   */
  tokens(i: number, tokens: Uint8Array): number;
  /** A hash of document `i`, equal for equal documents. @throws RangeError if there is no such document */
  hash(i: number): number;
  /** Calls `take` for every document, in order, with its hash, its index, and what lettersAt() takes. */
  forEachHash(take: (hash: number, i: number, at: number) => void): void;
  /** Symbols of the document at a place that forEachHash() gives. */
  lettersAt(at: number): number;
}

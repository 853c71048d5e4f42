import { isLineEnd, SPACE, whiteSize } from "./characters";
import { countOf, InputError, printable, printablePath } from "../base/errors";
import { crc32 } from "../base/crc32";
import type { DocumentSource } from "./document-source";
import { foreignKind, HEAD_BYTES } from "./file-kinds";
import { FNV_BASIS, FNV_PRIME, mixed } from "../base/hash";
import { describe, hex, isDocumentEnd, lineWith, ListWalk } from "./list-walk";
import type { OwnWords } from "./own-words";
import type { Platform, DatasetKernels } from "../base/platform";
import {
  CHARACTERS,
  COUNT,
  createScanResult,
  encode,
  ENTRIES,
  LETTERS,
  LONGEST,
  MAX_CHARACTERS,
  NO_UTF8,
  PROBLEM,
  PROBLEM_AT,
  PROBLEM_LINE,
  RETURN_LINE,
  scan,
  SHORTEST,
  SHORTEST_LINE,
  skip,
  STRIDE,
  TOO_MANY,
} from "./scan";
import { decomposed, isMark } from "./canonical";
import { codePointAt, encodeUtf8, utf8Size } from "../base/utf8";
import { BOS, Vocabulary } from "./vocabulary";

/** Characters of the names of a model's symbols in a message. */
const MAX_NAMES = 40;

/**
 * Documents (names), one per line, in UTF-8, read in place: on the device, from flash. RAM holds only the
 * vocabulary and the line index: the byte offset of every 2^k-th document. Finding a document takes a look-up
 * and at most 2^k - 1 lines of reading.
 *
 * White space around a document is trimmed. Lines end with LF, CR LF or CR; a byte-order mark, blank lines and a
 * missing last newline are accepted.
 */
export class Dataset implements DocumentSource {
  /** The name of the file in messages. */
  readonly source: string;
  /** Number of documents in the file. */
  readonly count: number;
  /** Characters of all documents. */
  readonly letters: number;
  /** Characters of the shortest document, and its line: they decide whether any document fits a block. */
  readonly shortest: number;
  readonly shortestLine: number;
  /** Characters of the longest document. */
  readonly longest: number;
  /** The first line that ends with CR alone, with text after it; 0 if none does. */
  readonly returnLine: number;
  /** Words of the user, which are documents as well: their indices follow those of the file. */
  own: OwnWords | undefined;
  private readonly skip: DatasetKernels["skip"];
  private readonly encode: DatasetKernels["encode"];
  /** The platform's CRC-32. */
  readonly crc32: DatasetKernels["crc32"];
  readonly encodeUtf8: DatasetKernels["encodeUtf8"];
  private readonly index: Uint32Array;
  /** Receives tokens that are only counted. */
  private readonly scratch = new Uint8Array(1);
  /** The index has every 2^shift-th document; mask is the lowest `shift` bits. */
  private readonly shift: number;
  private readonly mask: number;
  private known: Vocabulary;
  private knownChecksum: number | undefined;
  /** See Vocabulary.byteTokens. */
  private byteTokens: Uint8Array;

  /**
   * @param bytes the file; it must not change while the dataset is in use
   * @param source its name in messages
   * @param tools the platform's kernels, which may be faster than those of scan.ts
   * @throws InputError if there is no document, or for the first line that is not valid
   */
  constructor(
    readonly bytes: Uint8Array,
    source: string,
    tools: DatasetKernels = { encode, scan, skip, crc32 },
  ) {
    this.skip = tools.skip;
    this.encode = tools.encode;
    this.crc32 = tools.crc32;
    this.encodeUtf8 = tools.encodeUtf8;
    this.source = printablePath(source);
    const kind = foreignKind(bytes.subarray(0, HEAD_BYTES), "list");
    if (kind !== undefined) throw new InputError(`${this.source} is ${kind}.`);
    if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
      throw new InputError(`${this.source} is in UTF-16: save it as UTF-8, one name a line.`);
    const result = createScanResult();
    tools.scan(bytes, result);
    const { index, characters, numbers } = result;
    if (numbers[PROBLEM] !== 0) throw problemOf(this.source, bytes, numbers[PROBLEM], numbers[PROBLEM_AT], numbers[PROBLEM_LINE]);
    if (numbers[COUNT] === 0) throw new InputError(`${this.source} has no names: it needs one a line.`);
    this.count = numbers[COUNT];
    this.letters = numbers[LETTERS];
    this.shortest = numbers[SHORTEST];
    this.shortestLine = numbers[SHORTEST_LINE];
    this.longest = numbers[LONGEST];
    this.returnLine = numbers[RETURN_LINE];
    this.mask = numbers[STRIDE] - 1;
    this.shift = 31 - Math.clz32(numbers[STRIDE]);
    this.index = index.slice(0, numbers[ENTRIES]);
    this.known = new Vocabulary(characters.slice(0, numbers[CHARACTERS]));
    this.byteTokens = this.known.byteTokens;
  }

  /**
   * A dataset of these documents, stored like a file with one a line. Blank ones are left out.
   * @param source its name in messages
   * @throws InputError as the constructor does, and for a document with a line break
   */
  static of(documents: readonly string[], source = "the list"): Dataset {
    const broken = documents.findIndex((document) => document.includes("\n") || document.includes("\r"));
    if (broken >= 0) throw new InputError(`Document ${broken + 1} of ${source} has a line break: a document is one line.`);
    return new Dataset(encodeUtf8(documents.join("\n")), source);
  }

  /** The distinct characters of the documents or, after use(), those of the model. */
  get vocabulary(): Vocabulary {
    return this.known;
  }

  /**
   * Makes tokens() use another vocabulary.
   * @throws InputError for the first character of the dataset that is not in it, or if it is not of whole texts
   */
  use(vocabulary: Vocabulary): void {
    if (vocabulary.names || !vocabulary.addBos || !vocabulary.addEos)
      throw new InputError(
        `${this.source} is a list of texts, and the model knows ${vocabulary.names ? `the symbols ${printable(vocabulary.names.join(" "), MAX_NAMES)}` : "pieces of a stream"}: only a program of your own can train it.`,
      );
    for (let token = 1; token < this.known.size; token++) {
      const codePoint = this.known.codePointOf(token);
      if (vocabulary.tokenOf(codePoint) > 0) continue;
      throw new InputError(
        `${this.source}, line ${lineWith(this.bytes, codePoint)}: ${describe(codePoint)} is not in the model's vocabulary${formAdvice(vocabulary, codePoint)}.`,
      );
    }
    this.known = vocabulary;
    this.byteTokens = vocabulary.byteTokens;
  }

  /** See DocumentSource. */
  checkLength(most: number, blockSize: number): void {
    const { shortest } = this;
    if (shortest <= most) return;
    throw new InputError(
      `${this.source} has no name that fits block_size ${blockSize}, which takes ${countOf(most, "letter")}: ` +
        `the shortest, on line ${this.shortestLine}, has ${shortest}, which fit block_size ${shortest + blockSize - most}.`,
    );
  }

  /** Mean number of tokens to predict in a document: its characters and the final BOS. */
  get meanTokens(): number {
    return 1 + this.letters / this.count;
  }

  /** CRC-32 of the whole file, which is read the first time. */
  get checksum(): number {
    return (this.knownChecksum ??= this.crc32(this.bytes));
  }

  /** Size of the line index in RAM, in bytes. */
  get indexBytes(): number {
    return this.index.byteLength;
  }

  /**
   * Writes [BOS, characters, BOS] of document `i` into `tokens`, as much of it as fits, and returns the full
   * number of tokens. From `count` on, `i` is a word of the user.
   * @throws RangeError if there is no such document
   */
  tokens(i: number, tokens: Uint8Array): number {
    let bytes = this.bytes;
    let at: number;
    if (i >= this.count && this.own !== undefined && i - this.count < this.own.count) {
      at = this.own.offset(i - this.count);
      bytes = this.own.bytes;
    } else at = this.offset(i);
    tokens[0] = BOS;
    let length = this.encode(bytes, at, this.byteTokens, tokens);
    const end = at + length - 1;
    const byte = bytes[end];
    if (byte >= 0x80 || byte === SPACE) length = this.otherTokens(bytes, end, tokens, length);
    tokens[length++] = BOS;
    return length;
  }

  /** The rest of a document, from the first space or multi-byte character on. */
  private otherTokens(bytes: Uint8Array, at: number, tokens: Uint8Array, length: number): number {
    const { known } = this;
    while (!isDocumentEnd(bytes, at)) {
      const codePoint = codePointAt(bytes, at);
      tokens[length++] = known.tokenOf(codePoint);
      at += utf8Size(codePoint);
    }
    return length;
  }

  /**
   * A hash of document `i`, equal for equal documents: a signed 32-bit integer.
   * @throws RangeError unless 0 <= i < count
   */
  hash(i: number): number {
    return hashOf(this.bytes, this.offset(i));
  }

  /**
   * Calls `take` with the hash, index and byte offset of every document of the file, in order: cheaper than hash() for
   * each.
   */
  forEachHash(take: (hash: number, i: number, at: number) => void): void {
    const { bytes, count } = this;
    for (let i = 0, at = this.first; i < count; i++) {
      if (i > 0) at = this.next(at);
      take(hashOf(bytes, at), i, at);
    }
  }

  /** Byte offset of the first document. */
  get first(): number {
    return this.index[0];
  }

  /** Byte offset of the document after the one at byte `at`. */
  next(at: number): number {
    return this.skip(this.bytes, at, 1);
  }

  /** Number of characters of the document at byte `at`. */
  lettersAt(at: number): number {
    const { bytes, scratch } = this;
    const length = this.encode(bytes, at, this.byteTokens, scratch);
    const end = at + length - 1;
    return (isDocumentEnd(bytes, end) ? length : this.otherTokens(bytes, end, scratch, length)) - 1;
  }

  /** Whether `name` is a document of the file. Reads the whole file. */
  has(name: string): boolean {
    const { bytes } = this;
    const wanted = encodeUtf8(name);
    const size = wanted.length;
    if (size === 0) return false;
    for (let at = bytes.indexOf(wanted[0]); at >= 0; at = bytes.indexOf(wanted[0], at + 1)) {
      let i = 1;
      while (i < size && bytes[at + i] === wanted[i]) i++;
      if (i === size && this.isBegin(at) && isDocumentEnd(bytes, at + size)) return true;
    }
    return false;
  }

  /** Whether a document begins at `at`: only white space or the byte-order mark is before it in its line. */
  private isBegin(at: number): boolean {
    const { bytes } = this;
    const first = this.index[0];
    if (at <= first) return at === first;
    let start = at;
    while (start > 0 && !isLineEnd(bytes[start - 1])) start--;
    return start + whiteSize(bytes, start) === at;
  }

  /** Byte offset of document `i`. */
  private offset(i: number): number {
    if (!(i >= 0 && i < this.count)) throw new RangeError(`There is no name ${i}: the dataset has ${this.count}.`);
    return this.skip(this.bytes, this.index[i >> this.shift], i & this.mask);
  }
}

/** The hash of the document at byte `at`. */
function hashOf(bytes: Uint8Array, at: number): number {
  const { imul } = Math;
  let hash = FNV_BASIS;
  for (; !isDocumentEnd(bytes, at); at++) hash = imul(hash ^ bytes[at], FNV_PRIME);
  return mixed(hash);
}

/**
 * The error for a problem that a scan has found.
 * @param kind a value of numbers[PROBLEM] in scan.ts
 */
function problemOf(source: string, bytes: Uint8Array, kind: number, at: number, line: number): InputError {
  const where = `${source}, line ${line}`;
  if (kind === TOO_MANY) {
    const found = new Set<number>();
    new ListWalk(bytes, (codePoint) => {
      found.add(codePoint);
    }).run();
    return new InputError(
      `${where}: the list has ${found.size} different characters, and a model can know ${MAX_CHARACTERS}: ` +
        `leave out the rarer ones.`,
    );
  }
  if (kind === NO_UTF8)
    return new InputError(
      `${where}: byte 0x${hex(bytes[at], 2)} is not valid UTF-8: save the list as UTF-8, one name a line.`,
    );
  return new InputError(`${where}: ${describe(codePointAt(bytes, at))} is a control character: leave it out.`);
}

/** The dataset of a platform. @throws InputError as the constructor does */
export function datasetOf({ names, namesFile, datasetKernels }: Platform): Dataset {
  return new Dataset(names, namesFile, datasetKernels);
}

/** What to do about an unknown character of a dataset that is known in another form of Unicode; else "". */
function formAdvice(vocabulary: Vocabulary, codePoint: number): string {
  const other = vocabulary.respell(String.fromCodePoint(codePoint));
  const isKnown = Array.from(other).every((character) => vocabulary.find(character.codePointAt(0) ?? 0) > 0);
  if (isKnown) return `, which has it in another form: convert the list to ${other.length > 1 ? "NFD" : "NFC"}`;
  const isPart = isMark(codePoint) && decomposed(String(vocabulary)).includes(codePoint);
  return isPart ? ", which has letters that contain it: convert the list to NFC" : "";
}

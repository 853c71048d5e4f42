import { isLineEnd, SPACE, whiteSize } from "./characters";
import { InputError, printablePath } from "../base/errors";
import { crc32 } from "../base/crc32";
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
import { codePointAt, encodeUtf8, utf8Size } from "../base/utf8";
import { BOS, Vocabulary } from "./vocabulary";

/**
 * Documents (names), one a line, in UTF-8, read where they lie: on the device that is flash. RAM holds
 * only the vocabulary and the line index, the offset of every so many-th document, a power of two, so
 * that finding one takes a look-up and a few lines of reading, wherever it stands.
 *
 * White space around a document does not belong to it; lines end with LF, CR LF or CR; a byte-order mark, blank lines
 * and a missing last newline are understood.
 */
export class Dataset {
  /** What messages call the file. */
  readonly source: string;
  /** How many names there are. */
  readonly count: number;
  /** Characters of all names. */
  readonly letters: number;
  /** Characters of the shortest name, and the line it stands on: what decides whether anything fits a block. */
  readonly shortest: number;
  readonly shortestLine: number;
  /** Characters of the longest name. */
  readonly longest: number;
  /** The first line that ends with CR alone, or 0. */
  readonly returnLine: number;
  /** Documents that join the list: their indices follow those of its own. */
  own: OwnWords | undefined;
  private readonly skip: DatasetKernels["skip"];
  private readonly encode: DatasetKernels["encode"];
  /** As fast as the place has it. */
  readonly crc32: DatasetKernels["crc32"];
  private readonly index: Uint32Array;
  /** Takes tokens that nobody wants. */
  private readonly scratch = new Uint8Array(1);
  /** The index has every 2^shift-th name; mask is the lowest `shift` bits. */
  private readonly shift: number;
  private readonly mask: number;
  private known: Vocabulary;
  private knownChecksum: number | undefined;
  /** See Vocabulary.byteTokens. */
  private byteTokens: Uint8Array;

  /**
   * @param bytes the file; it must not change while the dataset is in use
   * @param source what error messages call it
   * @param tools faster ones than those of scan.ts, where the place has them
   * @throws InputError when there is no name, or for the first line that will not do
   */
  constructor(
    readonly bytes: Uint8Array,
    source: string,
    tools: DatasetKernels = { encode, scan, skip, crc32 },
  ) {
    this.skip = tools.skip;
    this.encode = tools.encode;
    this.crc32 = tools.crc32;
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
    this.shift = Math.log2(numbers[STRIDE]);
    this.index = index.slice(0, numbers[ENTRIES]);
    this.known = new Vocabulary(characters.slice(0, numbers[CHARACTERS]));
    this.byteTokens = this.known.byteTokens;
  }

  /** The distinct characters of the names, or those of the model that the names are for. */
  get vocabulary(): Vocabulary {
    return this.known;
  }

  /**
   * Makes tokens by another vocabulary.
   * @throws InputError for the first character that is not in it
   */
  use(vocabulary: Vocabulary): void {
    for (let token = 1; token < this.known.size; token++) {
      const codePoint = this.known.codePointOf(token);
      if (vocabulary.tokenOf(codePoint) > 0) continue;
      throw new InputError(
        `${this.source}, line ${lineWith(this.bytes, codePoint)}: ${describe(codePoint)} is not in the model's vocabulary${vocabulary.formAdvice(codePoint)}.`,
      );
    }
    this.known = vocabulary;
    this.byteTokens = vocabulary.byteTokens;
  }

  /** The mean number of tokens of a name that are to be predicted: its characters and the BOS at its end. */
  get meanTokens(): number {
    return 1 + this.letters / this.count;
  }

  /** CRC-32 of the whole list, all of which is read the first time. */
  get checksum(): number {
    return (this.knownChecksum ??= this.crc32(this.bytes));
  }

  /** Bytes of RAM that the line index takes. */
  get indexBytes(): number {
    return this.index.byteLength;
  }

  /**
   * Writes [BOS, characters, BOS] of name `i` into `tokens`, as much of it as fits, and returns the full
   * number of tokens. From `count` on they are one's own.
   * @throws RangeError unless there is such a name
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

  /** The rest of a name, from a character on that is a space or has more than one byte. */
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
   * A hash of name `i`, the same for the same name: a signed 32-bit integer.
   * @throws RangeError unless 0 <= i < count
   */
  hash(i: number): number {
    return hashOf(this.bytes, this.offset(i));
  }

  /**
   * Calls `take` with the hash of every name and its place in the file, in order: cheaper than asking for one after
   * the other.
   */
  forEachHash(take: (hash: number, i: number, at: number) => void): void {
    const { bytes, count } = this;
    for (let i = 0, at = this.first; i < count; i++) {
      if (i > 0) at = this.next(at);
      take(hashOf(bytes, at), i, at);
    }
  }

  /** Where the first name begins in the file. */
  get first(): number {
    return this.index[0];
  }

  /** Where the name begins behind the one that begins at `at`. */
  next(at: number): number {
    return this.skip(this.bytes, at, 1);
  }

  /** How many characters the name has that begins at `at`. */
  lettersAt(at: number): number {
    const { bytes, scratch } = this;
    const length = this.encode(bytes, at, this.byteTokens, scratch);
    const end = at + length - 1;
    return (isDocumentEnd(bytes, end) ? length : this.otherTokens(bytes, end, scratch, length)) - 1;
  }

  /** Whether `name` is one of the names. Reads the whole file. */
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

  /** Whether a name begins at `at`: only white space, or the byte-order mark, stands before it in its line. */
  private isBegin(at: number): boolean {
    const { bytes } = this;
    const first = this.index[0];
    if (at <= first) return at === first;
    let start = at;
    while (start > 0 && !isLineEnd(bytes[start - 1])) start--;
    return start + whiteSize(bytes, start) === at;
  }

  /** Where name `i` begins. */
  private offset(i: number): number {
    if (!(i >= 0 && i < this.count)) throw new RangeError(`There is no name ${i}: the dataset has ${this.count}.`);
    return this.skip(this.bytes, this.index[i >> this.shift], i & this.mask);
  }
}

/** Of the name that begins at `at`. */
function hashOf(bytes: Uint8Array, at: number): number {
  const { imul } = Math;
  let hash = FNV_BASIS;
  for (; !isDocumentEnd(bytes, at); at++) hash = imul(hash ^ bytes[at], FNV_PRIME);
  return mixed(hash);
}

/**
 * What a scan has found to be wrong, in words.
 * @param kind see scan.ts
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
      `${where}: byte 0x${hex(bytes[at], 2)} is no UTF-8: save the list as UTF-8, one name a line.`,
    );
  return new InputError(`${where}: ${describe(codePointAt(bytes, at))} is a control character: leave it out.`);
}

/** The list that a platform has. */
export function datasetOf({ names, namesFile, datasetKernels }: Platform): Dataset {
  return new Dataset(names, namesFile, datasetKernels);
}

import { isAdmissible, NEWLINE, SPACE, whiteSize } from "./characters";
import { InputError, isVisible, printablePath } from "../errors";
import { crc32 } from "./crc32";
import { FNV_BASIS, FNV_PRIME, mixed } from "./hash";
import type { OwnWords } from "./own-words";
import type { TextTools } from "../platform";
import {
  beginOf,
  CHARACTERS,
  COUNT,
  createFindings,
  encode,
  ENTRIES,
  LETTERS,
  MOST_CHARACTERS,
  NO_UTF8,
  PROBLEM,
  PROBLEM_AT,
  PROBLEM_LINE,
  scan,
  SHORTEST,
  SHORTEST_LINE,
  skip,
  STRIDE,
  TOO_MANY,
} from "./scan";
import { codePointAt, encodeUtf8, utf8Size } from "./utf8";
import { BOS, Vocabulary } from "./vocabulary";

/**
 * Documents (names), one a line, in UTF-8, read where they lie: on the device that is flash. RAM holds
 * only the vocabulary and the line index, the offset of every so many-th document, a power of two, so
 * that finding one takes a look-up and a few lines of reading, wherever it stands.
 *
 * White space around a document does not belong to it; Windows line ends, a byte-order mark, blank lines
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
  /** Documents that join the list: their indices follow those of its own. */
  own: OwnWords | undefined;
  private readonly skip: TextTools["skip"];
  private readonly encode: TextTools["encode"];
  /** As fast as the place has it. */
  readonly crc32: TextTools["crc32"];
  private readonly index: Uint32Array;
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
    private readonly bytes: Uint8Array,
    source: string,
    tools: TextTools = { encode, scan, skip, crc32 },
  ) {
    this.skip = tools.skip;
    this.encode = tools.encode;
    this.crc32 = tools.crc32;
    this.source = printablePath(source);
    if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
      throw new InputError(`${this.source} is in UTF-16: save it as UTF-8, one name a line.`);
    const findings = createFindings();
    tools.scan(bytes, findings);
    const { index, characters, numbers } = findings;
    if (numbers[PROBLEM] !== 0) throw this.problem(numbers[PROBLEM], numbers[PROBLEM_AT], numbers[PROBLEM_LINE]);
    if (numbers[COUNT] === 0) throw new InputError(`${this.source} has no names: it needs one a line.`);
    this.count = numbers[COUNT];
    this.letters = numbers[LETTERS];
    this.shortest = numbers[SHORTEST];
    this.shortestLine = numbers[SHORTEST_LINE];
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
        `${this.source}, line ${this.lineWith(codePoint)}: ${describe(codePoint)} is not in the model's vocabulary.`,
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
    while (!isNameEnd(bytes, at)) {
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

  /** Calls `take` with the hash of every name, in order: cheaper than asking for one after the other. */
  forEachHash(take: (hash: number, i: number) => void): void {
    const { bytes, count } = this;
    for (let i = 0, at = this.offset(0); i < count; i++) {
      if (i > 0) at = this.skip(bytes, at, 1);
      take(hashOf(bytes, at), i);
    }
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
      if (i === size && this.isBegin(at) && isNameEnd(bytes, at + size)) return true;
    }
    return false;
  }

  /** Whether a name begins at `at`: only white space, or the byte-order mark, stands before it in its line. */
  private isBegin(at: number): boolean {
    const { bytes } = this;
    const first = this.index[0];
    if (at <= first) return at === first;
    const start = bytes.lastIndexOf(NEWLINE, at - 1) + 1;
    return start + whiteSize(bytes, start) === at;
  }

  /** Where name `i` begins. */
  private offset(i: number): number {
    if (!(i >= 0 && i < this.count)) throw new RangeError(`There is no name ${i}: the dataset has ${this.count}.`);
    return this.skip(this.bytes, this.index[i >> this.shift], i & this.mask);
  }

  private problem(kind: number, at: number, line: number): InputError {
    const where = `${this.source}, line ${line}`;
    if (kind === TOO_MANY)
      return new InputError(
        `${where}: the list has ${this.countCharacters()} different characters, and a model can know ${MOST_CHARACTERS}: ` +
          `leave out the rarer ones.`,
      );
    const { bytes } = this;
    if (kind === NO_UTF8)
      return new InputError(
        `${where}: byte 0x${hex(bytes[at], 2)} is no UTF-8: save the list as UTF-8, one name a line.`,
      );
    return new InputError(`${where}: ${describe(codePointAt(bytes, at))} is a control character: leave it out.`);
  }

  /** Of a list with too many of them. */
  private countCharacters(): number {
    const found = new Set<number>();
    this.walk((codePoint) => void found.add(codePoint));
    return found.size;
  }

  private lineWith(wanted: number): number {
    let first = 0;
    this.walk((codePoint, line) => {
      if (first === 0 && codePoint === wanted) first = line;
    });
    return first;
  }

  /** Passes over all characters of all names: for messages, where it need not be fast. */
  private walk(take: (codePoint: number, line: number) => void): void {
    const { bytes } = this;
    for (let at = beginOf(bytes), line = 1; at < bytes.length; at++, line++) {
      at += whiteSize(bytes, at);
      while (!isNameEnd(bytes, at)) {
        const codePoint = codePointAt(bytes, at);
        if (isAdmissible(codePoint)) take(codePoint, line);
        at += codePoint < 0 ? 1 : utf8Size(codePoint);
      }
      at += whiteSize(bytes, at);
    }
  }
}

/** Whether nothing but white space stands from `at` on in its line. */
function isNameEnd(bytes: Uint8Array, at: number): boolean {
  const byte = bytes[at];
  if (byte > SPACE && byte < 0x80) return false;
  return isLineEnd(bytes, at + whiteSize(bytes, at));
}

function isLineEnd(bytes: Uint8Array, at: number): boolean {
  return at >= bytes.length || bytes[at] === NEWLINE;
}

/** Of the name that begins at `at`. */
function hashOf(bytes: Uint8Array, at: number): number {
  const { imul } = Math;
  let hash = FNV_BASIS;
  for (; !isNameEnd(bytes, at); at++) hash = imul(hash ^ bytes[at], FNV_PRIME);
  return mixed(hash);
}

/** A character for a message: what cannot be seen as its code. */
function describe(codePoint: number): string {
  if (codePoint === SPACE) return "a space";
  return isVisible(codePoint) ? `"${String.fromCodePoint(codePoint)}"` : `U+${hex(codePoint, 4).toUpperCase()}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

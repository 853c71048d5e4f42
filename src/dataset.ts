import { InputError } from "./errors";
import { isVisible, printablePath } from "./text";
import { BEFORE_A, BOS, tokenOf, VOCABULARY_SIZE } from "./tokenizer";
import { codePointAt } from "./utf8";

const NEWLINE = 10;
const RETURN = 13;
const BYTE_ORDER_MARK = Object.freeze([0xef, 0xbb, 0xbf]);

/** FNV-1a, 32 bits. */
const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** The line index never has more entries than this: 5 KB. */
const MOST_ENTRIES = 1280;

/**
 * Names, one a line, read where they lie: on the device that is flash. RAM holds only the line index,
 * the offset of every `stride`-th name, so that finding a name takes a look-up and at most
 * stride - 1 lines of reading, wherever it stands.
 *
 * Windows line ends, a byte-order mark, blank lines and a missing last newline are understood.
 */
export class Dataset {
  /** How many names there are. */
  readonly count: number;
  /** What error messages call the file. */
  readonly source: string;
  /** Letters of the shortest name, and the line it stands on: what decides whether anything fits a block. */
  readonly shortest: number;
  readonly shortestLine: number;
  private readonly index: Uint32Array;
  private readonly stride: number;

  /**
   * @param bytes the file; it must not change while the dataset is in use
   * @param source its name
   * @param skip a faster skipLines, where the engine has one
   * @throws InputError when there is no name, or for the first character that is not in the vocabulary
   */
  constructor(
    private readonly bytes: Uint8Array,
    source: string,
    private readonly skip: SkipLines = skipLines,
  ) {
    this.source = source = printablePath(source);
    if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
      throw new InputError(`${source} is in UTF-16: save it as UTF-8, one name a line, in the letters a to z.`);
    let index = new Uint32Array(Math.min(MOST_ENTRIES, 1 + (bytes.length >> 1)));
    let stride = 1;
    let entries = 0;
    let count = 0;
    let line = 1;
    let shortest = Infinity;
    let shortestLine = 0;
    const end = bytes.length;
    let at = BYTE_ORDER_MARK.every((byte, i) => bytes[i] === byte) ? BYTE_ORDER_MARK.length : 0;
    for (; at < end; line++) {
      const start = at;
      let byte: number;
      while ((byte = bytes[at]) >= 97 && byte <= 122) at++;
      const letters = at - start;
      if (byte === RETURN && (at + 1 === end || bytes[at + 1] === NEWLINE)) at++;
      else if (byte !== NEWLINE && at < end) throw foreignCharacter(bytes, at, source, line);
      at++;
      if (letters === 0) continue;
      if (letters < shortest) {
        shortest = letters;
        shortestLine = line;
      }
      if (count % stride === 0) {
        if (entries === index.length) {
          for (let i = 0; i < entries; i += 2) index[i >> 1] = index[i];
          entries = (entries + 1) >> 1;
          stride *= 2;
        }
        if (count % stride === 0) index[entries++] = start;
      }
      count++;
    }
    if (count === 0) throw new InputError(`${source} has no names: it needs one a line, in the letters a to z.`);
    index = index.slice(0, entries);
    this.index = index;
    this.stride = stride;
    this.count = count;
    this.shortest = shortest;
    this.shortestLine = shortestLine;
  }

  /** Bytes of RAM that the line index takes. */
  get indexBytes(): number {
    return this.index.byteLength;
  }

  /**
   * Writes [BOS, letters, BOS] of name `i` into `tokens`, as much of it as fits, and returns the full
   * number of tokens.
   * @throws RangeError unless 0 <= i < count
   */
  tokens(i: number, tokens: Uint8Array): number {
    const bytes = this.bytes;
    let at = this.offset(i);
    let length = 1;
    tokens[0] = BOS;
    // tokenOf, written out: this runs in every step.
    let token: number;
    while ((token = bytes[at++] - BEFORE_A) >= 1 && token < VOCABULARY_SIZE) tokens[length++] = token;
    tokens[length++] = BOS;
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
    const bytes = this.bytes;
    const length = name.length;
    if (length === 0) return false;
    for (let i = 0; i < length; i++) if (tokenOf(name.charCodeAt(i)) < 0) return false;
    const first = name.charCodeAt(0);
    for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
      if (at > 0 && tokenOf(bytes[at - 1]) > 0) continue;
      let i = 1;
      while (i < length && bytes[at + i] === name.charCodeAt(i)) i++;
      if (i === length && !(tokenOf(bytes[at + i]) > 0)) return true;
    }
    return false;
  }

  /** Where name `i` begins. */
  private offset(i: number): number {
    if (!(i >= 0 && i < this.count)) throw new RangeError(`There is no name ${i}: the dataset has ${this.count}.`);
    return this.skip(this.bytes, this.index[Math.floor(i / this.stride)], i % this.stride);
  }
}

/** Where the name begins that stands so many names behind the one that begins at `at`. */
export type SkipLines = (bytes: Uint8Array, at: number, names: number) => number;

const skipLines: SkipLines = (bytes, at, names) => {
  for (; names > 0; names--) {
    at = bytes.indexOf(NEWLINE, at) + 1;
    while (bytes[at] === NEWLINE || bytes[at] === RETURN) at++;
  }
  return at;
};

/**
 * Of the letters from `at` on: FNV-1a (Fowler, Noll, Vo), and MurmurHash3's finalizer (Appleby), as FNV alone
 * leaves the upper bits of short names poor. Both are in the public domain.
 */
function hashOf(bytes: Uint8Array, at: number): number {
  const { imul } = Math;
  let hash = FNV_BASIS;
  let byte: number;
  while ((byte = bytes[at++]) >= 97) hash = imul(hash ^ byte, FNV_PRIME);
  hash = imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function foreignCharacter(bytes: Uint8Array, at: number, source: string, line: number): InputError {
  return new InputError(
    `${source}, line ${line}: ${describeCharacter(bytes, at)} is not in the vocabulary: names are in the letters a to z, one a line.`,
  );
}

/** The UTF-8 character at `at`, for a message: what cannot be seen as its code, broken UTF-8 as a byte. */
function describeCharacter(bytes: Uint8Array, at: number): string {
  const codePoint = codePointAt(bytes, at);
  if (codePoint < 0) return `byte 0x${hex(bytes[at], 2)}, which is no UTF-8,`;
  if (codePoint < 0x20) return `byte 0x${hex(codePoint, 2)}`;
  if (codePoint === 0x20) return "a space";
  return isVisible(codePoint) ? `"${String.fromCodePoint(codePoint)}"` : `U+${hex(codePoint, 4).toUpperCase()}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

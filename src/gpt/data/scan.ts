import { beginOf, isAdmissible, isLineEnd, isWhite, NEWLINE, RETURN, whiteSize } from "./characters";
import type { ScanResult, DatasetKernels } from "../base/platform";
import { codePointAt, utf8Size } from "../base/utf8";

/** Maximum characters of a vocabulary: a token is one byte, and BOS is a token. */
export const MAX_CHARACTERS = 255;
/** Maximum entries of the line index: 5 KB. */
const MAX_ENTRIES = 1280;

/** Indices of ScanResult.numbers. */
export const COUNT = 0;
export const ENTRIES = 1;
export const STRIDE = 2;
export const SHORTEST = 3;
export const SHORTEST_LINE = 4;
export const LETTERS = 5;
export const CHARACTERS = 6;
export const PROBLEM = 7;
export const PROBLEM_AT = 8;
export const PROBLEM_LINE = 9;
/** The first line that ends with CR alone, with text after it; 0 if none does. */
export const RETURN_LINE = 10;
/** Characters of the longest document. */
export const LONGEST = 11;
const NUMBERS = 12;

/** Values of numbers[PROBLEM]; 0 if there is no problem. */
export const NO_UTF8 = 1;
export const NOT_ADMISSIBLE = 2;
export const TOO_MANY = 3;

/** Allocates the buffers for the result of a scan: 6.2 KB. */
export function createScanResult(): ScanResult {
  return {
    index: new Uint32Array(MAX_ENTRIES),
    characters: new Uint32Array(MAX_CHARACTERS),
    numbers: new Uint32Array(NUMBERS),
  };
}

/**
 * One pass over a dataset: where its documents begin, and which characters they have. It ends at the first
 * problem. In C: gpt_scan() in src/gpt/native/gpt_text.c; tests compare the two.
 */
export const scan: DatasetKernels["scan"] = (bytes, { index, characters, numbers }) => {
  const end = bytes.length;
  const found = new CharacterSet(characters);
  let count = 0;
  let entries = 0;
  let stride = 1;
  let shortest = 0;
  let shortestLine = 0;
  let longest = 0;
  let letters = 0;
  let line = 1;
  let returnLine = 0;
  let at = beginOf(bytes);

  while (at < end && !found.hasProblem()) {
    at += whiteSize(bytes, at);
    const start = at;
    let length = 0;
    while (at < end && !isLineEnd(bytes[at])) {
      let codePoint = codePointAt(bytes, at);
      if (isWhite(codePoint)) {
        // White space inside a document belongs to it; after it, it does not.
        const behind = at + whiteSize(bytes, at);
        if (behind >= end || isLineEnd(bytes[behind])) {
          at = behind;
          break;
        }
        while (at < behind && found.take((codePoint = codePointAt(bytes, at)))) {
          at += utf8Size(codePoint);
          length++;
        }
        if (found.hasProblem()) break;
      } else {
        if (!found.take(codePoint)) break;
        at += utf8Size(codePoint);
        length++;
      }
    }
    if (found.hasProblem()) break;
    if (bytes[at] === RETURN) {
      if (bytes[at + 1] === NEWLINE) at++;
      else if (returnLine === 0 && at + 1 < end && bytes[at + 1] !== RETURN) returnLine = line;
    }
    if (at < end) at++;
    if (length > 0) {
      letters += length;
      if (length > longest) longest = length;
      if (count === 0 || length < shortest) {
        shortest = length;
        shortestLine = line;
      }
      if (count % stride === 0 && entries === MAX_ENTRIES) {
        for (let i = 0; i < entries; i += 2) index[i >> 1] = index[i];
        entries >>= 1;
        stride *= 2;
      }
      if (count % stride === 0) index[entries++] = start;
      count++;
    }
    line++;
  }

  found.finish();
  numbers[COUNT] = count;
  numbers[ENTRIES] = entries;
  numbers[STRIDE] = stride;
  numbers[SHORTEST] = shortest;
  numbers[SHORTEST_LINE] = shortestLine;
  numbers[LETTERS] = letters;
  numbers[CHARACTERS] = found.size;
  numbers[PROBLEM] = found.problem;
  numbers[PROBLEM_AT] = at;
  numbers[PROBLEM_LINE] = line;
  numbers[RETURN_LINE] = returnLine;
  numbers[LONGEST] = longest;
};

/** Collects the distinct characters of a dataset. */
class CharacterSet {
  /** Number of characters. */
  size = 0;
  /** What is wrong with the character that take() has refused; 0 if none was. */
  problem = 0;
  private readonly isSeen = new Uint8Array(0x80);
  /** Number of multi-byte characters: the first ones of `characters`, sorted. */
  private wide = 0;

  constructor(private readonly characters: Uint32Array) {}

  /** Adds a character; false if a dataset cannot have it. */
  take(codePoint: number): boolean {
    if (codePoint < 0) this.problem = NO_UTF8;
    else if (!isAdmissible(codePoint)) this.problem = NOT_ADMISSIBLE;
    else if (codePoint >= 0x80) this.takeWide(codePoint);
    else if (this.isSeen[codePoint] === 0 && this.canWrite()) this.isSeen[codePoint] = 1;
    return this.problem === 0;
  }

  hasProblem(): boolean {
    return this.problem !== 0;
  }

  /** Puts the one-byte characters before the others. */
  finish(): void {
    const { characters, isSeen, wide } = this;
    const narrow = this.size - wide;
    characters.copyWithin(narrow, 0, wide);
    for (let codePoint = 0, i = 0; i < narrow; codePoint++) if (isSeen[codePoint]) characters[i++] = codePoint;
  }

  private takeWide(codePoint: number): void {
    const { characters } = this;
    let place = 0;
    for (let size = this.wide; size > 0;) {
      const half = size >> 1;
      if (characters[place + half] < codePoint) {
        place += half + 1;
        size -= half + 1;
      } else size = half;
    }
    if ((place < this.wide && characters[place] === codePoint) || !this.canWrite()) return;
    characters.copyWithin(place + 1, place, this.wide++);
    characters[place] = codePoint;
  }

  /** Counts one more character; false if there are too many. */
  private canWrite(): boolean {
    if (this.size === MAX_CHARACTERS) this.problem = TOO_MANY;
    else this.size++;
    return this.problem === 0;
  }
}

/** See DatasetKernels. Runs in every step. */
export const encode: DatasetKernels["encode"] = (bytes, at, byteTokens, tokens) => {
  let length = 1;
  let token: number;
  // After the last byte, bytes[at] is undefined, which as an index would be converted to a string.
  while ((token = byteTokens[bytes[at++] | 0]) > 0) tokens[length++] = token;
  return length;
};

/** See DatasetKernels. */
export const skip: DatasetKernels["skip"] = (bytes, at, documents) => {
  const end = bytes.length;
  for (; documents > 0; documents--) {
    while (at < end && !isLineEnd(bytes[at])) at++;
    do at += 1 + whiteSize(bytes, at + 1);
    while (isLineEnd(bytes[at]));
  }
  return at;
};

import type { Random } from "../../src/gpt/model/random";
import { NOT_ADMISSIBLE, NO_UTF8, TOO_MANY } from "../../src/gpt/data/scan";
import { utf8 } from "../helpers";
import { pick } from "./fuzz";

/** What a scan must find, each figure by the shortest way, however slow. */
export interface Expected {
  /** Where the documents begin. */
  readonly offsets: number[];
  /** In ascending order. */
  readonly characters: number[];
  readonly shortest: number;
  readonly shortestLine: number;
  readonly longest: number;
  readonly letters: number;
  /** The first line that ends with CR alone, with something behind it. */
  readonly returnLine: number;
  readonly problem?: { readonly kind: number; readonly at: number; readonly line: number };
}

const [NEWLINE, RETURN] = [10, 13];
/** What Python's str.isspace() is true for. */
const WHITE = "[\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]*";
const LEADING = new RegExp(`^${WHITE}`, "u");
const TRAILING = new RegExp(`(?<!${WHITE.slice(0, -1)})${WHITE}$`, "u");
const REFUSED = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u;
const MOST = 255;

/** The text of bytes in UTF-8, or undefined. */
function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** As much of a line as is UTF-8. */
function soundPart(line: Uint8Array): string {
  for (let size = line.length; ; size--) {
    const text = decoded(line.subarray(0, size));
    if (text !== undefined) return text;
  }
}

/** Reads a list with the decoder and the tables of the engine. */
export function expectedOf(bytes: Uint8Array): Expected {
  const characters = new Set<string>();
  const offsets: number[] = [];
  let [letters, shortest, shortestLine, longest, returnLine] = [0, 0, 0, 0, 0];
  const found = (problem?: Expected["problem"]): Expected => {
    const sorted = [...characters].map((character) => Number(character.codePointAt(0))).sort((a, b) => a - b);
    return {
      offsets,
      characters: sorted,
      letters,
      shortest,
      shortestLine,
      longest,
      returnLine,
      ...(problem && { problem }),
    };
  };
  const first = decoded(bytes.subarray(0, 3)) === "\ufeff" ? 3 : 0;
  for (let start = first, end, next, line = 1; start < bytes.length; start = next, line++) {
    end = start;
    while (end < bytes.length && bytes[end] !== NEWLINE && bytes[end] !== RETURN) end++;
    next = bytes[end] === RETURN && bytes[end + 1] === NEWLINE ? end + 2 : end + 1;
    const all = bytes.subarray(start, end);
    const whole = decoded(all);
    const text = whole ?? soundPart(all);
    const white = LEADING.exec(text)?.[0] ?? "";
    const document = Array.from(text.slice(white.length).replace(whole === undefined ? "" : TRAILING, ""));
    let at = start + utf8(white).length;
    if (document.length > 0 && whole !== undefined) offsets.push(at);
    for (const character of document) {
      const isRefused = REFUSED.test(character);
      const isTooMany = characters.size === MOST && !characters.has(character);
      if (isRefused || isTooMany) {
        if (whole !== undefined) offsets.pop();
        return found({ kind: isRefused ? NOT_ADMISSIBLE : TOO_MANY, at, line });
      }
      characters.add(character);
      at += utf8(character).length;
    }
    if (whole === undefined) return found({ kind: NO_UTF8, at, line });
    const isAlone = bytes[end] === RETURN && next === end + 1 && next < bytes.length && bytes[next] !== RETURN;
    if (isAlone && returnLine === 0) returnLine = line;
    if (document.length === 0) continue;
    letters += document.length;
    longest = Math.max(longest, document.length);
    if (offsets.length === 1 || document.length < shortest) [shortest, shortestLine] = [document.length, line];
  }
  return found();
}

const WORDS = [
  "a",
  "b",
  "ab",
  "anna",
  "zoë",
  "é",
  "ÿ",
  "\u07ff",
  "\u0800",
  "\uffff",
  "さくら",
  "東",
  "😀",
  "\u{10ffff}",
];
const JOINED = [
  "می‌خواهم",
  "❤️",
  "👩‍🚀",
  "e\u0301",
  "\ufeff",
  "\u061b",
  "\u061d",
  "\u200b",
  "\u200d",
  "\u2065",
  "\u206a",
];
const BETWEEN = [" ", "  ", "\u00a0", "\u3000", "\u2003", "\u1680", "\u202f", "\u205f", "\u200a", "\u2000"];
const AROUND = ["\t", "\r", "\v", "\f", "\x1c", "\x1f", "\u0085", "\u2028", "\u2029", " \t\u00a0", "\u3000\r"];
const ENDS = ["\n", "\n", "\n", "\r\n", "\r", "\r\r\n", "\r \n", "\n\n", "\r\n\r\n", " \n\t\n", "\n\u3000\n\u00a0\n"];
const WRONG = [
  "\0",
  "\x08",
  "\x0e",
  "\x1b",
  "\x7f",
  "\u0080",
  "\u009f",
  "\u061c",
  "\u200e",
  "\u200f",
  "\u202a",
  "\u202e",
];
const WRONG_TOO = ["\u2066", "\u2069"];
/** Overlong forms, surrogates, what is beyond U+10FFFF, cut off or no beginning; and neighbours that are sound. */
const BROKEN = [
  ..."80 bf c0 c1 c2 c080 c1bf c27f c2c0 df e0 e080 e08080 e09fbf e0a080 e180 e18080 ed9fbf eda080 edbfbf ee8080".split(
    " ",
  ),
  ..."e280 e280a8 e2803f e38080 e380 e19a80 efbbbf efbb ef f0 f08080 f0808080 f08fbfbf f0908080 f09f98".split(" "),
  ..."f3bfbfbf f48fbfbf f4908080 f5808080 f8 fc fe ff fffe feff".split(" "),
].map((hex) => Uint8Array.from(Buffer.from(hex, "hex")));

/** Bytes that decide something somewhere. */
const TELLING = Uint8Array.from(
  Buffer.from(
    "090a0a0a0d1c1f2020616162637a7e7f80828485898a8e8fa0a6a8aeafbbbfc0c2c3dfe0e1e2e2e3edefeff0f4f5ff9a9f",
    "hex",
  ),
);

/** A list, sound or not, with much in it that decides something. */
export function randomList(random: Random): Uint8Array {
  const kind = random.index(12);
  if (kind === 0) return Uint8Array.from({ length: random.index(60) }, () => pick(random, [...TELLING]));
  if (kind === 1) return Uint8Array.from({ length: random.index(300) }, () => random.index(256));
  const pieces: Uint8Array[] = [];
  const put = (text: string): void => void pieces.push(utf8(text));
  if (random.index(4) === 0) put("\ufeff");
  const words = kind === 2 ? manyCharacters(random) : [...WORDS, ...JOINED];
  const lines = kind === 2 ? 260 : kind === 3 && random.index(8) === 0 ? 1200 + random.index(4200) : random.index(12);
  // Most lists are sound: a problem ends the scan.
  const wrongs = kind < 8 ? 0 : 40;
  for (let line = 0; line < lines; line++) {
    if (random.index(4) === 0) put(pick(random, [...BETWEEN, ...AROUND]));
    for (let n = 1 + random.index(4); n > 0; n--) {
      put(kind === 2 ? words[(line * 4 + n) % words.length] : pick(random, words));
      if (random.index(4) === 0) put(pick(random, BETWEEN));
      if (random.index(1000) >= wrongs) continue;
      if (random.index(2) === 0) put(pick(random, [...WRONG, ...WRONG_TOO, ...AROUND]));
      else pieces.push(pick(random, BROKEN));
    }
    if (random.index(4) === 0) put(pick(random, [...BETWEEN, ...AROUND]));
    if (line < lines - 1 || random.index(2) === 0) put(pick(random, ENDS));
  }
  const list = Uint8Array.from(Buffer.concat(pieces));
  return random.index(10) === 0 ? list.slice(0, random.index(list.length + 1)) : list;
}

/** 250 to 259 of them, in any order, of one to four bytes. */
function manyCharacters(random: Random): string[] {
  const from = pick(random, [0x41, 0xc0, 0x700, 0x4e00, 0xff80, 0x10000]);
  const count = 250 + random.index(10);
  const all = Array.from({ length: 2 * count }, (_, i) => String.fromCodePoint(from + i));
  const some = all.filter((character) => !REFUSED.test(character) && !LEADING.exec(character)?.[0]).slice(0, count);
  for (let i = some.length - 1; i > 0; i--) {
    const j = random.index(i + 1);
    [some[i], some[j]] = [some[j], some[i]];
  }
  return some;
}

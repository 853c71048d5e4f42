import { compositions } from "./compositions";

/*
 * Unicode's canonical equivalence: "é" may be one character, or e and U+0301, with the same meaning. XS may be
 * built without String.prototype.normalize, so this file does not use it.
 */

/** The first combining mark; NFC leaves every text of lower code points unchanged. */
const FIRST_MARK = 0x300;
/** The first composed character. */
const FIRST_COMPOSED = 0xc0;
/** The second part of a singleton: a character that is equivalent to its first part alone. */
const SPACE = 32;
const ENTRY = 3;

/** Hangul (The Unicode Standard, 3.12): a syllable is a leading consonant, a vowel and perhaps a trailing consonant. */
const SYLLABLES = 0xac00;
const LEADING = 0x1100;
const VOWELS = 0x1161;
const TRAILING = 0x11a7;
const LEADING_COUNT = 19;
const VOWEL_COUNT = 21;
const TRAILING_COUNT = 28;
const SYLLABLE_COUNT = LEADING_COUNT * VOWEL_COUNT * TRAILING_COUNT;

/** Index of the entry that has `wanted` from its character number `place` on; -1 if none has. */
function entryWith(wanted: string, place: number): number {
  const { entries } = compositions();
  let at = entries.indexOf(wanted);
  while (at >= 0 && at % ENTRY !== place) at = entries.indexOf(wanted, at + 1);
  return at < 0 ? at : at - place;
}

/** Index of the entry of a composed character; -1 if it is not composed. */
function entryOf(codePoint: number): number {
  return codePoint < FIRST_COMPOSED || codePoint > 0xffff ? -1 : entryWith(String.fromCharCode(codePoint), 0);
}

function isSyllable(codePoint: number): boolean {
  return codePoint >= SYLLABLES && codePoint < SYLLABLES + SYLLABLE_COUNT;
}

/** Whether NFD decomposes a character, and NFC composes it again. */
export function isComposed(codePoint: number): boolean {
  const entry = entryOf(codePoint);
  return (entry >= 0 && entry < compositions().primary) || isSyllable(codePoint);
}

/** Orders the combining classes: a larger number for a larger class; 0 for class 0, that of nearly all characters. */
function classOf(codePoint: number): number {
  if (codePoint < FIRST_MARK || codePoint > 0xffff) return 0;
  const { marks } = compositions();
  const at = marks.indexOf(String.fromCharCode(codePoint));
  return at < 0 ? 0 : 1 + marks.lastIndexOf(" ", at);
}

/** Whether a character may compose with the one before it, or be reordered after it. */
export function isMark(codePoint: number): boolean {
  if (codePoint < FIRST_MARK || codePoint > 0xffff) return false;
  if (codePoint >= VOWELS && codePoint < TRAILING + TRAILING_COUNT) return true;
  return classOf(codePoint) > 0 || compositions().joiners.includes(String.fromCharCode(codePoint));
}

/** What two characters compose to, in NFC or, for some, in no normal form; -1 if they do not compose. */
export function composition(first: number, second: number): number {
  if (second < FIRST_MARK || second > 0xffff || first > 0xffff) return -1;
  const [l, v, t] = [first - LEADING, second - VOWELS, second - TRAILING];
  if (l >= 0 && l < LEADING_COUNT && v >= 0 && v < VOWEL_COUNT)
    return SYLLABLES + (l * VOWEL_COUNT + v) * TRAILING_COUNT;
  if (isSyllable(first) && (first - SYLLABLES) % TRAILING_COUNT === 0 && t > 0 && t < TRAILING_COUNT) return first + t;
  const entry = entryWith(String.fromCharCode(first, second), 1);
  return entry >= 0 ? compositions().entries.charCodeAt(entry) : -1;
}

/** Appends the canonical decomposition of a character. */
function decompose(codePoint: number, into: number[]): void {
  // No mark of a class decomposes, and each occurs so often in the entries that the search would take long.
  const entry = classOf(codePoint) > 0 ? -1 : entryOf(codePoint);
  if (entry >= 0) {
    decompose(compositions().entries.charCodeAt(entry + 1), into);
    const second = compositions().entries.charCodeAt(entry + 2);
    if (second !== SPACE) decompose(second, into);
    return;
  }
  if (isSyllable(codePoint)) {
    const index = codePoint - SYLLABLES;
    const lv = Math.floor(index / TRAILING_COUNT);
    into.push(LEADING + Math.floor(lv / VOWEL_COUNT), VOWELS + (lv % VOWEL_COUNT));
    if (index % TRAILING_COUNT > 0) into.push(TRAILING + (index % TRAILING_COUNT));
    return;
  }
  into.push(codePoint);
}

/** The code points of a text in NFD. */
export function decomposed(text: string): number[] {
  const points: number[] = [];
  for (const character of text) decompose(codePointOf(character), points);
  // Canonical ordering: a stable sort of marks by their classes.
  const orders = points.map(classOf);
  for (let i = 1; i < points.length; i++) {
    const [point, order] = [points[i], orders[i]];
    let at = i;
    for (; order > 0 && at > 0 && orders[at - 1] > order; at--) {
      points[at] = points[at - 1];
      orders[at] = orders[at - 1];
    }
    points[at] = point;
    orders[at] = order;
  }
  return points;
}

/** Composes as NFC does, each mark with the last starter before it, where the result is allowed. */
function compose(points: readonly number[], isAllowed: (composed: number) => boolean): number[] {
  const result: number[] = [];
  let starter = -1;
  /** The class of the last mark after the starter that has not composed with it. */
  let before = 0;
  for (const point of points) {
    const order = classOf(point);
    if (starter >= 0 && (starter === result.length - 1 || before < order)) {
      const composed = composition(result[starter], point);
      if (composed >= 0 && isAllowed(composed)) {
        result[starter] = composed;
        continue;
      }
    }
    if (order === 0) starter = result.length;
    before = order;
    result.push(point);
  }
  return result;
}

/**
 * Rewrites a text with known characters where it has equivalent unknown ones: composed characters if these are
 * known, else decomposed ones. What is not known in any form is composed.
 */
export function respell(text: string, isKnown: (codePoint: number) => boolean): string {
  const areKnown = (characters: string): boolean => Array.from(characters, codePointOf).every(isKnown);
  if (areKnown(text) && Array.from(text, codePointOf).every((codePoint) => codePoint < FIRST_MARK)) return text;
  const points = decomposed(text);
  let result = "";
  for (let from = 0, to; from < points.length; from = to) {
    to = from + 1;
    while (to < points.length && isMark(points[to])) to++;
    for (const codePoint of respellOne(points.slice(from, to), isKnown)) result += String.fromCodePoint(codePoint);
  }
  // A dataset need not be in a normal form.
  return !areKnown(result) && areKnown(text) ? text : result;
}

function codePointOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}

/** Does so for one character and the marks after it, given decomposed. */
function respellOne(points: readonly number[], isKnown: (codePoint: number) => boolean): readonly number[] {
  const known = (codePoint: number): number => {
    if (isKnown(codePoint) || codePoint > 0xffff) return codePoint;
    const entry = entryWith(String.fromCharCode(codePoint, SPACE), 1);
    const other = entry < 0 ? -1 : compositions().entries.charCodeAt(entry);
    return other >= 0 && isKnown(other) ? other : codePoint;
  };
  // Some datasets have composed characters that NFC does not produce.
  const composed = compose(points, (codePoint) => isComposed(codePoint) || isKnown(codePoint)).map(known);
  if (composed.every(isKnown)) return composed;
  const apart = points.map(known);
  if (apart.every(isKnown)) return apart;
  // As some keyboards write Vietnamese: the vowel composed, its tone mark not.
  const half = compose(points, isKnown).map(known);
  return half.every(isKnown) ? half : composed;
}

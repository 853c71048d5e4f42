import { utf8Size } from "./utf8";

/*
 * InputError, and text sanitizing for messages to the user. Everything that can fail imports this file, so it
 * imports only utf8.ts.
 */

/**
 * Ranges of code points, first and last, that have no glyph of their own: controls, white space other than
 * the space, joiners, variation selectors, bidirectional controls, surrogates, private use. They are in ascending order.
 */
const INVISIBLE = Object.freeze([
  0x00, 0x1f, 0x7f, 0xa0, 0xad, 0xad, 0x34f, 0x34f, 0x61c, 0x61c, 0x115f, 0x1160, 0x1680, 0x1680, 0x17b4, 0x17b5,
  0x180b, 0x180f, 0x2000, 0x200f, 0x2028, 0x202f, 0x205f, 0x206f, 0x3000, 0x3000, 0x3164, 0x3164, 0xd800, 0xf8ff,
  0xfe00, 0xfe0f, 0xfeff, 0xfeff, 0xffa0, 0xffa0, 0xfff0, 0xfffb, 0xfffe, 0xffff, 0x1d173, 0x1d17a, 0xe0000, 0x10ffff,
]);

/** Maximum characters of foreign text in a message. */
const QUOTED = 60;

/** Maximum characters of a file name in a message. */
const QUOTED_PATH = 200;

/** Whether a character has a glyph that tells it from others. */
export function isVisible(codePoint: number): boolean {
  for (let i = 0; codePoint >= INVISIBLE[i]; i += 2) if (codePoint <= INVISIBLE[i + 1]) return false;
  return true;
}

/**
 * Sanitizes text from a file, a board or a command line for a message: characters that are invisible, or would
 * move the cursor of a terminal, become their code (\u{1b}); the result is cut to `most` characters.
 */
export function printable(text: string, most = QUOTED): string {
  let result = "";
  let count = 0;
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0;
    const shown = isVisible(codePoint) ? character : `\\u{${codePoint.toString(16)}}`;
    count += shown.length;
    if (count > most) return `${result}…`;
    result += shown;
  }
  return result;
}

/** Sanitizes the name of a file, which may be longer than other quoted text. */
export function printablePath(path: string): string {
  return printable(path, QUOTED_PATH);
}

/** A count and its noun: 1 letter, 2 letters. */
export function countOf(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}

/** Maximum size of a message, in UTF-8 bytes. */
const LONGEST_MESSAGE = 500;

/**
 * Something is wrong with what the user gave: an option, a file, a name. The message is one sentence
 * for the user: what, where, and what to do. Every other exception is a bug.
 *
 * Callers make the foreign text that they quote printable. As a safeguard the constructor does so with the
 * whole message, and cuts it to 500 bytes.
 */
export class InputError extends Error {
  override name = "InputError";

  constructor(message: string) {
    super(cut(printable(message, Infinity)));
  }
}

function cut(text: string): string {
  const mark = "…";
  let size = 0;
  /** Where to cut so that the mark still fits. */
  let end = 0;
  let at = 0;
  for (const character of text) {
    size += utf8Size(character.codePointAt(0) ?? 0);
    if (size > LONGEST_MESSAGE) return text.slice(0, end) + mark;
    at += character.length;
    if (size <= LONGEST_MESSAGE - utf8Size(mark.charCodeAt(0))) end = at;
  }
  return text;
}

/** @throws InputError unless `value` is a whole number in the range */
export function checkInteger(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new InputError(`${name} must be a whole number from ${least} to ${most}, not ${value}.`);
}

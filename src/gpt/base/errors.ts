import { utf8Size } from "./utf8";

/*
 * What a message to the user may show, and the error that is one. It stands on the ground: everything that
 * can fail imports it.
 */

/**
 * First and last of the ranges of code points that do not show what they are: controls, white space
 * other than the space, joiners, variation selectors, bidirectional controls, surrogates, private use.
 */
const INVISIBLE = Object.freeze([
  0x00, 0x1f, 0x7f, 0xa0, 0xad, 0xad, 0x34f, 0x34f, 0x61c, 0x61c, 0x115f, 0x1160, 0x1680, 0x1680, 0x17b4, 0x17b5,
  0x180b, 0x180f, 0x2000, 0x200f, 0x2028, 0x202f, 0x205f, 0x206f, 0x3000, 0x3000, 0x3164, 0x3164, 0xd800, 0xf8ff,
  0xfe00, 0xfe0f, 0xfeff, 0xfeff, 0xffa0, 0xffa0, 0xfff0, 0xfffb, 0xfffe, 0xffff, 0x1d173, 0x1d17a, 0xe0000, 0x10ffff,
]);

/** Characters of a foreign text that a message quotes. */
const QUOTED = 60;

/** Characters of a file's name that a message shows. */
const QUOTED_PATH = 200;

/** Whether a character can be told from others by looking at it. */
export function isVisible(codePoint: number): boolean {
  for (let i = 0; i < INVISIBLE.length; i += 2)
    if (codePoint >= INVISIBLE[i] && codePoint <= INVISIBLE[i + 1]) return false;
  return true;
}

/**
 * Text from a file, a board or a command line as a message may show it: what is invisible, or would move
 * the cursor of a terminal, as its code (\u{1b}), and cut to `most` characters.
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

/** The name of a file, likewise. */
export function printablePath(path: string): string {
  return printable(path, QUOTED_PATH);
}

/** A number of things, as a sentence has it: 1 letter, 2 letters. */
export function countOf(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}

/** Bytes of a message, in UTF-8. */
const LONGEST_MESSAGE = 500;

/**
 * Something is wrong with what the user gave: an option, a file, a name. The message is one sentence
 * for the user: what, where, and what to do. Every other exception is a mistake in the program.
 *
 * Whoever quotes foreign text makes it printable; where that was forgotten the message is made so here,
 * and cut to 500 bytes.
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
  /** Where the text would be cut, so that the mark fits behind it. */
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

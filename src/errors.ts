import { printable } from "./text";
import { utf8Size } from "./data/utf8";

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

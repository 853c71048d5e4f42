import { InputError } from "./errors";
import { printable } from "./text";

/** The token that begins and ends every name. */
export const BOS = 0;

/** BOS and the letters a to z. */
export const VOCABULARY_SIZE = 27;

/** The character code of a token 1…26 is this much more. */
export const BEFORE_A = 96;

/** The token of a letter's character code, or -1 when it is not one of a to z. */
export function tokenOf(charCode: number): number {
  const token = charCode - BEFORE_A;
  return token >= 1 && token < VOCABULARY_SIZE ? token : -1;
}

/** The letter of a token 1…26. */
export function letterOf(token: number): string {
  return String.fromCharCode(BEFORE_A + token);
}

/**
 * Writes the tokens of `text` into `tokens` from position `at` on and returns the position behind them.
 * @throws InputError for a character outside the vocabulary, RangeError when `tokens` is too short.
 */
export function encode(text: string, tokens: Uint8Array, at: number): number {
  if (at + text.length > tokens.length)
    throw new RangeError(`${text.length} letters do not fit ${tokens.length - at} tokens`);
  for (const character of text) {
    const token = tokenOf(character.codePointAt(0) ?? 0);
    if (token < 0)
      throw new InputError(`"${printable(character)}" in "${printable(text)}" is not one of the letters a to z.`);
    tokens[at++] = token;
  }
  return at;
}

import { decomposed, isMark, respell } from "./canonical";
import { isAdmissible, SPACE } from "./characters";
import { InputError, printable } from "../base/errors";

/** The token at both ends of a document. */
export const BOS = 0;

/** Limits of the number of tokens: BOS and 1 to 255 characters. */
export const SMALLEST_VOCABULARY = 2;
export const LARGEST_VOCABULARY = 256;

const BYTES = 0x80;

/** The characters that a model knows: token 0 is BOS; tokens from 1 on are the code points in ascending order. */
export class Vocabulary {
  /** Number of tokens, including BOS. */
  readonly size: number;
  /** The token of each one-byte character except the space; 0 if it has none. */
  readonly byteTokens = new Uint8Array(BYTES);

  /**
   * @param characters code points
   * @throws InputError unless they are 1 to 255, in ascending order, and allowed in a document
   */
  constructor(private readonly characters: Uint32Array) {
    this.size = characters.length + 1;
    if (this.size < SMALLEST_VOCABULARY || this.size > LARGEST_VOCABULARY)
      throw new InputError(`A vocabulary has 1 to ${LARGEST_VOCABULARY - 1} characters, not ${characters.length}.`);
    for (let i = 0; i < characters.length; i++) {
      const codePoint = characters[i];
      if (!isAdmissible(codePoint) || (i > 0 && codePoint <= characters[i - 1]))
        throw new InputError(
          `A vocabulary has characters in ascending order, without controls: U+${codePoint.toString(16)} is out of place.`,
        );
      if (codePoint < BYTES && codePoint !== SPACE) this.byteTokens[codePoint] = i + 1;
    }
  }

  /** The vocabulary whose characters are those of `text`. @throws InputError as the constructor does */
  static of(text: string): Vocabulary {
    // A much longer text would take more memory than a device has.
    if (text.length > 2 * LARGEST_VOCABULARY)
      throw new InputError(`A vocabulary has 1 to ${LARGEST_VOCABULARY - 1} characters, not ${text.length}.`);
    return new Vocabulary(Uint32Array.from(text, (character) => character.codePointAt(0) ?? 0));
  }

  /** The token of a code point; 0 if it has none. */
  tokenOf(codePoint: number): number {
    if (codePoint < BYTES && codePoint !== SPACE) return this.byteTokens[codePoint];
    const { characters } = this;
    let low = 0;
    let high = characters.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (characters[middle] === codePoint) return middle + 1;
      if (characters[middle] < codePoint) low = middle + 1;
      else high = middle - 1;
    }
    return 0;
  }

  /** The code point of a token from 1 on. */
  codePointOf(token: number): number {
    return this.characters[token - 1];
  }

  /** The character of a token from 1 on. */
  characterOf(token: number): string {
    return String.fromCodePoint(this.codePointOf(token));
  }

  /** All characters in token order, without BOS. */
  toString(): string {
    let text = "";
    for (let token = 1; token < this.size; token++) text += this.characterOf(token);
    return text;
  }

  /** Whether all characters are within a to z. */
  get isLowercaseAscii(): boolean {
    const { characters } = this;
    return characters[0] >= 97 && characters[characters.length - 1] <= 122;
  }

  /**
   * Rewrites a text with characters of the vocabulary where it has them in another form of Unicode: "é" is one
   * character or two. Unknown characters stay unknown.
   */
  respell(text: string): string {
    return respell(text, (codePoint) => this.tokenOf(codePoint) > 0);
  }

  /** What to do about an unknown character of a dataset that is known in another form of Unicode; else "". */
  formAdvice(codePoint: number): string {
    const other = this.respell(String.fromCodePoint(codePoint));
    const isKnown = Array.from(other).every((character) => this.tokenOf(character.codePointAt(0) ?? 0) > 0);
    if (isKnown) return `, which has it in another form: convert the list to ${other.length > 1 ? "NFD" : "NFC"}`;
    const isPart = isMark(codePoint) && decomposed(String(this)).includes(codePoint);
    return isPart ? ", which has letters that contain it: convert the list to NFC" : "";
  }

  /**
   * Writes the tokens of `text` into `tokens` from index `at` on and returns the index after them.
   * @throws InputError for a character outside the vocabulary, RangeError if `tokens` is too short
   */
  encode(text: string, tokens: Uint8Array, at: number): number {
    for (const character of text) {
      const token = this.known(character, text);
      if (at >= tokens.length) throw new RangeError(`The text does not fit ${tokens.length} tokens.`);
      tokens[at++] = token;
    }
    return at;
  }

  /**
   * The number of tokens of a text.
   * @throws InputError for a character outside the vocabulary
   */
  check(text: string): number {
    let count = 0;
    for (const character of text) if (this.known(character, text) > 0) count++;
    return count;
  }

  private known(character: string, text: string): number {
    const codePoint = character.codePointAt(0) ?? 0;
    const token = this.tokenOf(codePoint);
    if (token === 0) {
      // A mark would combine with the quotation mark before it.
      const shown = isMark(codePoint) ? `\\u{${codePoint.toString(16)}}` : printable(character);
      throw new InputError(`"${shown}" in "${printable(text)}" is not in the model's vocabulary.`);
    }
    return token;
  }
}

/** Bytes of a vocabulary of `size` tokens: the tokens of one-byte characters, and all code points. */
export function vocabularyBytes(size: number): number {
  return BYTES + (size - 1) * Uint32Array.BYTES_PER_ELEMENT;
}

/** The vocabulary of the published programs: a to z. */
export function lowercaseVocabulary(): Vocabulary {
  return Vocabulary.of("abcdefghijklmnopqrstuvwxyz");
}

import { isMark, respell } from "./canonical";
import { isAdmissible, SPACE } from "./characters";
import { InputError, printable } from "../base/errors";
import { checkNames, namesIn } from "./symbol-names";

/** The token at both ends of a document. */
export const BOS = 0;

/** Limits of the number of tokens: BOS and 1 to 255 characters. */
export const SMALLEST_VOCABULARY = 2;
export const LARGEST_VOCABULARY = 256;

const BYTES = 0x80;

/** A document or a prefix: a text, or the numbers of its symbols: 0 is the first of the vocabulary. */
export type Document = string | Uint8Array;

/** How documents become tokens, where not as by default. */
export interface VocabularyOptions {
  /** Whether BOS comes before the first symbol: false for pieces of a stream that begin anywhere. Default: true. */
  readonly addBos?: boolean;
  /** Whether BOS comes after the last symbol, so that the model learns where documents end. Default: true. */
  readonly addEos?: boolean;
  /** A symbol of the vocabulary that stands for every unknown one. Without it, an unknown symbol is an InputError. */
  readonly unknown?: string;
}

/** Named symbols have code points from the private use area, which no list of texts needs. */
const FIRST_SYMBOL = 0xe000;

interface Special extends Required<Omit<VocabularyOptions, "unknown">> {
  readonly unknownToken: number;
  readonly names: readonly string[] | undefined;
}

/**
 * The symbols that a model knows, characters or names: token 0 is BOS, then come the characters in ascending order, or
 * the names in the order given.
 */
export class Vocabulary {
  /** Number of tokens, including BOS. */
  readonly size: number;
  /** The token of each one-byte character except the space; 0 if it has none. */
  readonly byteTokens = new Uint8Array(BYTES);
  /** What is not as by default. Declared only, so that most vocabularies have no slot for it: memory is scarce. */
  private declare readonly special?: Special;

  /**
   * @param characters code points
   * @param names the names of the symbols; Vocabulary.ofSymbols() makes both
   * @throws InputError unless the characters are 1 to 255, in ascending order, and allowed in a document, or if
   * `unknown` is not one of the symbols
   */
  constructor(
    private readonly characters: Uint32Array,
    { addBos = true, addEos = true, unknown }: VocabularyOptions = {},
    names?: readonly string[],
  ) {
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
    if (addBos && addEos && unknown === undefined && names === undefined) return;
    const unknownToken = unknown === undefined ? 0 : this.tokenNamed(unknown, names);
    this.special = { addBos, addEos, unknownToken, names };
    if (unknownToken > 0) this.mapUnknownBytes(unknownToken);
  }

  /** Whether BOS comes before the first symbol of a document. */
  get addBos(): boolean {
    return this.special?.addBos ?? true;
  }

  /** Whether BOS comes after the last. */
  get addEos(): boolean {
    return this.special?.addEos ?? true;
  }

  /** The token of every unknown symbol; 0 if these are refused. */
  get unknownToken(): number {
    return this.special?.unknownToken ?? 0;
  }

  /** The names of the symbols in the order of their tokens; undefined if they are characters. */
  get names(): readonly string[] | undefined {
    return this.special?.names;
  }

  /** The vocabulary whose characters are those of `text`. @throws InputError as the constructor does */
  static of(text: string, options?: VocabularyOptions): Vocabulary {
    // A much longer text would take more memory than a device has.
    if (text.length > 2 * LARGEST_VOCABULARY)
      throw new InputError(`A vocabulary has 1 to ${LARGEST_VOCABULARY - 1} characters, not ${text.length}.`);
    return new Vocabulary(
      Uint32Array.from(text, (character) => character.codePointAt(0) ?? 0),
      options,
    );
  }

  /**
   * A vocabulary of symbols that have names: the levels of a sensor, the commands of a user, notes. In a text they are
   * separated by spaces.
   * @param names 1 to 255 different ones without white space, at most 3,072 bytes of UTF-8 together
   * @throws InputError for other names, or if `unknown` is not one of them
   */
  static ofSymbols(names: readonly string[], options?: VocabularyOptions): Vocabulary {
    checkNames(names, LARGEST_VOCABULARY - 1);
    const characters = Uint32Array.from(names, (_, i) => FIRST_SYMBOL + i);
    return new Vocabulary(characters, options, Object.freeze(Array.from(names)));
  }

  /** The token of a code point; of an unknown one `unknownToken`. */
  tokenOf(codePoint: number): number {
    if (codePoint < BYTES && codePoint !== SPACE) return this.byteTokens[codePoint];
    return this.find(codePoint) || this.unknownToken;
  }

  /** The token of a code point; 0 if it is unknown. */
  find(codePoint: number): number {
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

  /** @throws InputError unless the vocabulary has this symbol */
  private tokenNamed(symbol: string, names: readonly string[] | undefined): number {
    const codePoint = symbol.codePointAt(0) ?? 0;
    const isOne = symbol.length === (codePoint > 0xffff ? 2 : 1);
    const token = names ? names.indexOf(symbol) + 1 : isOne ? this.find(codePoint) : 0;
    if (token === 0) throw new InputError(`"${printable(symbol)}", for unknown symbols, is not in the vocabulary.`);
    return token;
  }

  private mapUnknownBytes(unknownToken: number): void {
    const { byteTokens } = this;
    for (let byte = SPACE + 1; byte < BYTES; byte++)
      if (byteTokens[byte] === 0 && isAdmissible(byte)) byteTokens[byte] = unknownToken;
  }

  /** The code point of a token from 1 on. */
  codePointOf(token: number): number {
    return this.characters[token - 1];
  }

  /** The character or the name of a token from 1 on. */
  characterOf(token: number): string {
    return this.names ? this.names[token - 1] : String.fromCodePoint(this.codePointOf(token));
  }

  /** `text` with the symbol of a token behind it; names are separated by spaces. */
  append(text: string, token: number): string {
    const symbol = this.characterOf(token);
    return this.names && text !== "" ? `${text} ${symbol}` : text + symbol;
  }

  /** All characters in token order, without BOS. */
  toString(): string {
    let text = "";
    for (let token = 1; token < this.size; token++) text += this.characterOf(token);
    return text;
  }

  /**
   * Rewrites a text with characters of the vocabulary where it has them in another form of Unicode: "é" is one
   * character or two. Unknown characters stay unknown.
   */
  respell(text: string): string {
    return this.names ? text : respell(text, (codePoint) => this.find(codePoint) > 0);
  }

  /**
   * Writes the tokens of a document's symbols into `tokens`, from index `at` on, and returns the index after them.
   * @param document a text must be in the vocabulary's own form of Unicode: see respell()
   * @throws InputError for a symbol outside the vocabulary, RangeError if `tokens` is too short
   */
  encode(document: Document, tokens: Uint8Array, at: number): number {
    const end = this.tryEncode(document, tokens, at);
    if (end < 0) throw this.unknownIn(document);
    if (end > tokens.length) throw new RangeError(`The document does not fit ${tokens.length} tokens.`);
    return end;
  }

  /**
   * As encode(), but writes as much as fits and returns the index as if all had fitted; -1 for a symbol outside the
   * vocabulary. Allocates nothing, but a string for each name.
   */
  tryEncode(document: Document, tokens: Uint8Array, at: number): number {
    if (typeof document === "string")
      return this.names ? this.tryNames(document, tokens, at) : this.tryText(document, tokens, at);
    if (!ArrayBuffer.isView(document)) throw new InputError("A document is a text or a Uint8Array of symbols.");
    for (let i = 0; i < document.length; i++) {
      const symbol = document[i];
      const token = symbol < this.size - 1 ? symbol + 1 : this.unknownToken;
      if (token === 0) return -1;
      tokens[at++] = token;
    }
    return at;
  }

  /** By index, because a loop over characters allocates an iterator and a string for each. */
  private tryText(text: string, tokens: Uint8Array, at: number): number {
    for (let i = 0; i < text.length; i++) {
      const codePoint = text.codePointAt(i) ?? 0;
      if (codePoint > 0xffff) i++;
      const token = this.tokenOf(codePoint);
      if (token === 0) return -1;
      tokens[at++] = token;
    }
    return at;
  }

  private tryNames(text: string, tokens: Uint8Array, at: number): number {
    for (const name of namesIn(text)) {
      const token = (this.names?.indexOf(name) ?? -1) + 1 || this.unknownToken;
      if (token === 0) return -1;
      tokens[at++] = token;
    }
    return at;
  }

  /** The number of symbols of a document. @throws InputError for a symbol outside the vocabulary */
  check(document: Document): number {
    const count = this.tryEncode(document, new Uint8Array(0), 0);
    if (count < 0) throw this.unknownIn(document);
    return count;
  }

  /**
   * The numbers of a text's symbols, from 0 on: what a Uint8Array as a document has. Allocates it.
   * @throws InputError for a symbol outside the vocabulary
   */
  symbolsOf(text: string): Uint8Array {
    const known = this.respell(text);
    const symbols = new Uint8Array(this.check(known));
    this.encode(known, symbols, 0);
    for (let i = 0; i < symbols.length; i++) symbols[i]--;
    return symbols;
  }

  private unknownIn(document: Document): InputError {
    if (typeof document !== "string") {
      const at = document.findIndex((symbol) => symbol >= this.size - 1);
      return new InputError(
        `Symbol ${document[at]}, at index ${at}, is not in the model's vocabulary, which has 0 to ${this.size - 2}.`,
      );
    }
    const symbols = this.names ? namesIn(document) : Array.from(document);
    const symbol = symbols.find((each) => this.tryEncode(each, this.byteTokens.subarray(0, 0), 0) < 0) ?? "";
    // A mark would combine with the quotation mark before it.
    const codePoint = symbol.codePointAt(0) ?? 0;
    const shown = isMark(codePoint) ? `\\u{${codePoint.toString(16)}}` : printable(symbol);
    return new InputError(`"${shown}" in "${printable(document)}" is not in the model's vocabulary.`);
  }
}

/** Whether documents have the same tokens in both. */
export function areEqual(a: Vocabulary, b: Vocabulary): boolean {
  return (
    String(a) === String(b) &&
    String(a.names) === String(b.names) &&
    a.addBos === b.addBos &&
    a.addEos === b.addEos &&
    a.unknownToken === b.unknownToken
  );
}

/** Whether all characters are within a to z. */
export function isLowercaseAscii(vocabulary: Vocabulary): boolean {
  return vocabulary.codePointOf(1) >= 97 && vocabulary.codePointOf(vocabulary.size - 1) <= 122;
}

/** Bytes of a vocabulary of `size` tokens: the tokens of one-byte characters, and all code points. */
export function vocabularyBytes(size: number): number {
  return BYTES + (size - 1) * Uint32Array.BYTES_PER_ELEMENT;
}

/** The vocabulary of the published programs: a to z. */
export function lowercaseVocabulary(): Vocabulary {
  return Vocabulary.of("abcdefghijklmnopqrstuvwxyz");
}

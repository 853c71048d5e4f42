import { BOS } from "../../src/gpt/data/vocabulary";

/** Signs and names of common characters that leave no ink. */
const UNSEEN: Readonly<Record<string, readonly [sign: string, name: string]>> = {
  " ": ["␣", "space"],
  "\u00a0": ["NBSP", "no-break space"],
  "\u00ad": ["SHY", "soft hyphen"],
  "\u200b": ["ZWSP", "zero-width space"],
  "\u200c": ["ZWNJ", "zero-width non-joiner"],
  "\u200d": ["ZWJ", "zero-width joiner"],
  "\u202f": ["NNBSP", "narrow no-break space"],
  "\u2060": ["WJ", "word joiner"],
  "\u3000": ["IDSP", "ideographic space"],
  "\ufeff": ["BOM", "byte-order mark"],
};

/** Marks that combine with the letter before them; not variation selectors, which cannot be seen. */
const MARK = /^(?!\p{Default_Ignorable_Code_Point})\p{M}$/u;
/** Other spaces, formatting characters, what no font has, fillers, and the empty cell of Braille. */
const INVISIBLE = /^[\p{Z}\p{C}\p{Default_Ignorable_Code_Point}\u2800]$/u;
/** Letters that are written from the right: of the scripts that have a list of words. */
const RIGHT_TO_LEFT =
  /^[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]$/u;

/** The characters of a model, as shown and as read by screen readers. */
export class Characters {
  /** Whether words are read from the right: most of the letters are of such scripts. */
  readonly isRightToLeft: boolean;
  private readonly characters: readonly string[];

  constructor(vocabulary: string) {
    this.characters = Array.from(vocabulary);
    const letters = this.characters.filter((character) => /\p{L}/u.test(character));
    this.isRightToLeft = 2 * letters.filter((letter) => RIGHT_TO_LEFT.test(letter)).length > letters.length;
  }

  /** Number of tokens, including BOS. */
  get size(): number {
    return this.characters.length + 1;
  }

  /** The direction of words, as in HTML. */
  get direction(): "ltr" | "rtl" {
    return this.isRightToLeft ? "rtl" : "ltr";
  }

  /** Whether all characters are a to z, for which the vowels are known. */
  get isLowercaseAscii(): boolean {
    return this.characters.every((character) => /[a-z]/.test(character));
  }

  /** A token within a word; BOS is the start of the word, an arrow in its direction. */
  symbolOf(token: number): string {
    if (token === BOS) return this.isRightToLeft ? "◂" : "▸";
    return visible(this.characterOf(token));
  }

  /** The name of a token. */
  nameOf(token: number): string {
    return token === BOS ? "start of the word" : spoken(this.characterOf(token));
  }

  /** The sign of a token as the next one; BOS ends the word. */
  nextOf(token: number): string {
    return token === BOS ? "end of the word" : visible(this.characterOf(token));
  }

  /** Its name. */
  nextNameOf(token: number): string {
    return token === BOS ? "end of the word" : this.nameOf(token);
  }

  isVowel(token: number): boolean {
    return "aeiou".includes(this.characterOf(token));
  }

  /** The characters of tokens, as a text. */
  textOf(tokens: readonly number[]): string {
    return tokens.map((token) => this.characterOf(token)).join("");
  }

  private characterOf(token: number): string {
    const character = this.characters[token - 1];
    if (character === undefined) throw new RangeError(`Token ${token} is no character of the vocabulary`);
    return character;
  }
}

/** A character as a sign: a mark on a dotted circle, an invisible one by its abbreviation or its code point. */
function visible(character: string): string {
  if (MARK.test(character)) return `◌${character}`;
  return UNSEEN[character]?.[0] ?? (INVISIBLE.test(character) ? codePointOf(character) : character);
}

function spoken(character: string): string {
  if (MARK.test(character)) return `mark ${codePointOf(character)}`;
  const name = UNSEEN[character]?.[1];
  if (name !== undefined) return name === "space" ? name : `${name}, ${codePointOf(character)}`;
  return INVISIBLE.test(character) ? codePointOf(character) : character;
}

function codePointOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** A share from 0 to 1 as a percentage. */
export function percent(share: number): string {
  if (Number.isNaN(share)) return "–";
  return share > 0 && share < 0.0005 ? "<0.1%" : `${(100 * share).toFixed(1)}%`;
}

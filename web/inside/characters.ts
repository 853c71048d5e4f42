import { BOS } from "../../src/gpt/data/vocabulary";

/** The characters of a model, as shown and as read by screen readers. */
export class Characters {
  private readonly characters: readonly string[];

  constructor(vocabulary: string) {
    this.characters = Array.from(vocabulary);
  }

  /** Number of tokens, including BOS. */
  get size(): number {
    return this.characters.length + 1;
  }

  /** Whether all characters are a to z, for which the vowels are known. */
  get isLowercaseAscii(): boolean {
    return this.characters.every((character) => /[a-z]/.test(character));
  }

  /** A token within a word; BOS is the start of the word. */
  symbolOf(token: number): string {
    return token === BOS ? "▸" : visible(this.characterOf(token));
  }

  /** The name of a token. */
  nameOf(token: number): string {
    return token === BOS ? "start of the word" : spoken(this.characterOf(token));
  }

  /** The name of a token as the next one; BOS ends the word. */
  nextOf(token: number): string {
    return token === BOS ? "end of the word" : visible(this.characterOf(token));
  }

  isVowel(token: number): boolean {
    return "aeiou".includes(this.characterOf(token));
  }

  private characterOf(token: number): string {
    const character = this.characters[token - 1];
    if (character === undefined) throw new RangeError(`Token ${token} is no character of the vocabulary`);
    return character;
  }
}

function visible(character: string): string {
  return character === " " ? "␣" : character;
}

function spoken(character: string): string {
  return character === " " ? "space" : character;
}

/** A share from 0 to 1 as a percentage. */
export function percent(share: number): string {
  if (Number.isNaN(share)) return "–";
  return share > 0 && share < 0.0005 ? "<0.1%" : `${(100 * share).toFixed(1)}%`;
}

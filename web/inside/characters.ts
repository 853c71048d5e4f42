import { BOS } from "../../src/gpt/data/vocabulary";

/** The letters of a model, for those who read them and those who listen. */
export class Characters {
  private readonly characters: readonly string[];

  constructor(vocabulary: string) {
    this.characters = Array.from(vocabulary);
  }

  /** Tokens, BOS included. */
  get size(): number {
    return this.characters.length + 1;
  }

  /** Whether they are letters of which it is known which are vowels. */
  get isLowercaseAscii(): boolean {
    return this.characters.every((character) => /[a-z]/.test(character));
  }

  /** A token as it stands in a word: BOS begins it. */
  symbolOf(token: number): string {
    return token === BOS ? "▸" : visible(this.characters[token - 1]);
  }

  /** What it is called. */
  nameOf(token: number): string {
    return token === BOS ? "start of the word" : spoken(this.characters[token - 1]);
  }

  /** A token that comes next: BOS ends the word. */
  nextOf(token: number): string {
    return token === BOS ? "end of the word" : visible(this.characters[token - 1]);
  }

  isVowel(token: number): boolean {
    return "aeiou".includes(this.characters[token - 1]);
  }
}

function visible(character: string): string {
  return character === " " ? "␣" : character;
}

function spoken(character: string): string {
  return character === " " ? "space" : character;
}

/** A share of 1. */
export function percent(share: number): string {
  if (Number.isNaN(share)) return "–";
  return share > 0 && share < 0.0005 ? "<0.1%" : `${(100 * share).toFixed(1)}%`;
}

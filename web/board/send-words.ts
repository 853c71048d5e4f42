import { InputError, printable } from "../../src/gpt/base/errors";

/** Refusals in a row after which the rest is not tried. */
const MAX_IN_A_ROW = 10;
/** Refusals that are told with their words. */
const MAX_TOLD = 3;

/** What teaching needs of a board. */
export interface WordReceiver {
  /** Rejects with an InputError for a word that is refused. */
  add(word: string): Promise<void>;
  progress(done: number, total: number): void;
  /** Whether an error is no refusal, but the end of it all. */
  isOver(error: unknown): boolean;
}

/**
 * Teaches the words of a text, one a line.
 * @returns how many were taken, in a sentence
 * @throws InputError with how many were taken, and why the others were not
 */
export async function sendWords(text: string, pupil: WordReceiver): Promise<string> {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim());
  const words = [...new Set(lines)].filter((word) => word !== "");
  if (words.length === 0) throw new InputError("There are no words to teach: write or paste some, one a line.");
  const refusals: string[] = [];
  let [taken, tried, inARow] = [0, 0, 0];
  for (const word of words) {
    if (inARow === MAX_IN_A_ROW) break;
    try {
      await pupil.add(word);
      taken++;
      inARow = 0;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      if (pupil.isOver(error)) throw new InputError(`${countOf(taken, words.length)} ${error.message}`);
      refusals.push(`${printable(word, 30)}: ${error.message}`);
      inARow++;
    }
    pupil.progress(++tried, words.length);
  }
  if (refusals.length === 0) return countOf(taken, words.length);
  const more = words.length - taken - Math.min(MAX_TOLD, refusals.length);
  const told = refusals.slice(0, MAX_TOLD).join(" ") + (more > 0 ? ` And ${more} more.` : "");
  throw new InputError(`${countOf(taken, words.length)} ${told}`);
}

function countOf(taken: number, count: number): string {
  return `${taken} of ${count} ${count === 1 ? "word was" : "words were"} taken.`;
}

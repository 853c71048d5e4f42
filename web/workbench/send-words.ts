import { InputError, printable } from "../../src/gpt/base/errors";

/** Consecutive refusals after which the rest is skipped. */
const MAX_IN_A_ROW = 10;
/** Refusals that are listed with their reason. */
const MAX_TOLD = 3;

/** Receives the words. */
export interface WordReceiver {
  /** Adds a word; rejects with an InputError when it is refused. */
  add(word: string): Promise<void>;
  progress(done: number, total: number): void;
  /** Whether an error ends the transfer, instead of refusing one word. */
  isOver(error: unknown): boolean;
}

/**
 * Sends the words of a text, one per line, skipping duplicates.
 * @returns a sentence with the number of words that were taken
 * @throws InputError with the number that were taken, and the reasons of the refusals
 */
export async function sendWords(text: string, pupil: WordReceiver): Promise<string> {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim());
  const words = [...new Set(lines)].filter((word) => word !== "");
  if (words.length === 0) throw new InputError("There are no words to teach: write or paste some, one per line.");
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

import type { Checkpoint } from "./reader";
import type { TrainingRecord } from "./record";
import type { Dataset } from "../data/dataset";
import { checkWord } from "../training/document-length";
import { DEFAULT_SHARE, MAX_OWN_BYTES, OwnWords } from "../data/own-words";
import { InputError, printable } from "../base/errors";
import type { Model } from "../model/model";

/** Maximum words that a remark names. */
const MAX_NAMED_WORDS = 8;
const QUOTED = 40;

/** Words that a model cannot take. */
export interface LostWords {
  /** The first of them. */
  readonly words: readonly string[];
  readonly count: number;
}

/**
 * Copies the words of the user and their share from a checkpoint that this training cannot resume from.
 * @returns the words that the model cannot take; undefined if they cannot be read
 */
export async function inheritWords(
  open: () => Promise<Checkpoint | undefined>,
  model: Model,
  dataset: Dataset,
): Promise<LostWords | undefined> {
  let checkpoint: Checkpoint | undefined;
  try {
    checkpoint = await open();
    return checkpoint ? takeWords(checkpoint, model, dataset) : { words: [], count: 0 };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return undefined;
  } finally {
    checkpoint?.close();
  }
}

/** A sentence about the words that the model cannot take. */
export function lostWords({ words, count }: LostWords): string {
  const named = words.slice(0, MAX_NAMED_WORDS).map((word) => `"${printable(word, QUOTED)}"`);
  if (count > named.length) named.push(`${count - named.length} more`);
  return `This model cannot take your words ${named.join(", ")}.`;
}

/** Gives the dataset the words that the model can take, and returns the others. */
function takeWords(checkpoint: Checkpoint, model: Model, dataset: Dataset): LostWords {
  const { text, share } = checkpoint.ownWords();
  const own = new OwnWords();
  // A file may have a thousand of them: an array of all would not fit a board.
  const words: string[] = [];
  let count = 0;
  own.share = share;
  forEachWord(checkpoint, text, (word) => {
    try {
      checkWord(model, word);
      own.add(word);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      count++;
      if (words.length < MAX_NAMED_WORDS) words.push(word);
    }
  });
  dataset.own = own.count > 0 || share !== DEFAULT_SHARE ? own : undefined;
  return { words, count };
}

/**
 * The words of the user in a training that resumes from a checkpoint.
 * @throws InputError if the model cannot take one of them
 */
export function ownWordsOf(
  checkpoint: Checkpoint,
  { ownWords, ownShare }: TrainingRecord,
  model: Model,
): OwnWords | undefined {
  if (ownWords === "" && ownShare === DEFAULT_SHARE) return undefined;
  const own = new OwnWords();
  own.share = ownShare;
  forEachWord(checkpoint, ownWords, (word) => {
    checkWord(model, word);
    own.add(word);
  });
  return own;
}

/** Calls `take` with each word: an array of all would take several times their bytes. */
function forEachWord(checkpoint: Checkpoint, text: string, take: (word: string) => void): void {
  if (text.length > MAX_OWN_BYTES) throw checkpoint.bad(`its own_words have more than ${MAX_OWN_BYTES} bytes`);
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\n", at);
    if (end < 0) throw checkpoint.bad("its own_words are cut off");
    take(text.slice(at, end));
    at = end + 1;
  }
}

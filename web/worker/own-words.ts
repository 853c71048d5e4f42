import type { Device } from "../../src/device/device";
import { InputError } from "../../src/gpt/base/errors";
import { lostWords } from "../../src/gpt/checkpoint/stored-words";
import { OwnWords } from "../../src/gpt/data/own-words";
import { Predictor } from "../../src/gpt/predictor";
import { checkWord } from "../../src/gpt/training/document-length";
import type { OwnWord } from "./messages";

/** Words that are measured: each takes a forward pass. */
const MAX_MEASURED = 60;

/** The words of the user with their losses. Call between two training steps. */
export function measureOwnWords({ trainer }: Device): readonly OwnWord[] {
  const words = trainer.dataset.own?.text.split("\n").slice(0, -1) ?? [];
  const predictor = new Predictor(trainer.model);
  return words.map((word, i) => ({ word, loss: i < MAX_MEASURED ? lossOf(predictor, word) : undefined }));
}

/**
 * Gives a training that has no words of the user those of another one; the caller saves it.
 * @returns a sentence about those that its model cannot take; "" if it takes all
 */
export function inheritOwnWords({ trainer }: Device, words: readonly string[]): string {
  const { model, dataset } = trainer;
  if (dataset.own || words.length === 0) return "";
  const own = new OwnWords();
  const lost = words.filter((word) => {
    try {
      checkWord(model, word);
      own.add(word);
      return false;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return true;
    }
  });
  if (own.count > 0) dataset.own = own;
  return lost.length > 0 ? lostWords({ words: lost, count: lost.length }) : "";
}

/** Undefined for a model whose numbers are not finite. */
function lossOf(predictor: Predictor, word: string): number | undefined {
  try {
    return predictor.negativeLogLikelihood(word).mean;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return undefined;
  }
}

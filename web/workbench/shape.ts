import { DEFAULT_MODEL, type ModelConfig } from "../../src/gpt/model/config";
import { type Choice, settingsOf } from "./address";

/**
 * The shape of a model.
 * @param vocabulary the characters of tokens 1, 2, …
 */
export function shapeOf(choice: Choice, vocabulary: string): ModelConfig {
  return {
    ...DEFAULT_MODEL,
    ...settingsOf(choice).model,
    vocabularySize: Array.from(vocabulary).length + 1,
  };
}

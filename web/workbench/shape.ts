import { DEFAULT_MODEL, type ModelConfig } from "../../src/gpt/model/config";
import { drawParameters } from "../../src/gpt/model/parameters";
import { Random } from "../../src/gpt/model/random";
import { typescriptOps } from "../../src/gpt/model/typescript-ops";
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

/** The initial parameters that a seed draws. */
export function drawnWeights(config: ModelConfig, seed: number, length: number): Float32Array {
  const parameters = new Float32Array(length);
  drawParameters(parameters, new Random(seed), config, typescriptOps("f32"));
  return parameters;
}

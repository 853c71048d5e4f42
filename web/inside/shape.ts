import { DEFAULT_MODEL, type ModelConfig } from "../../src/config";
import { drawParameters } from "../../src/model/parameters";
import { Random } from "../../src/model/random";
import { settingsOf } from "../address";
import type { Run } from "../learner/run";

/** The shape of the model that a run trains. */
export function shapeOf({ choice, ready }: Run): ModelConfig {
  return {
    ...DEFAULT_MODEL,
    ...settingsOf(choice).model,
    vocabularySize: Array.from(ready.vocabulary).length + 1,
  };
}

/** The parameters that a seed draws, before any training. */
export function drawnWeights(config: ModelConfig, seed: number, length: number): Float32Array {
  const parameters = new Float32Array(length);
  drawParameters(parameters, new Random(seed), config);
  return parameters;
}

import { activationLayout } from "./model/activations";
import { checkModelConfig, type ModelConfig } from "./model/config";
import { parameterLayout } from "./model/parameters";
import { type ResourceDtype, resourceHeaderBytes } from "./resource";
import { lowercaseVocabulary, type Vocabulary, vocabularyBytes } from "./data/vocabulary";
import type { PlannedBuffer } from "./plan";

/** What a model takes that is no longer trained, in bytes. */
export interface InferencePlan {
  /** The resource, which stays in flash. */
  readonly flash: number;
  /** The buffers in RAM, each one contiguous block: those of the model, of a Generator and of a Predictor. */
  readonly buffers: readonly PlannedBuffer[];
  /** Total bytes of the buffers. */
  readonly bufferBytes: number;
}

const NUMBER_BYTES = 4;

/**
 * The flash and the RAM that modelFromFlash(), a Generator and a Predictor take, without the objects of the engine.
 * @param vocabulary is named in the resource; by default a to z
 * @throws InputError for an invalid configuration
 */
export function planInference(
  config: ModelConfig,
  dtype: ResourceDtype,
  vocabulary: Vocabulary = lowercaseVocabulary(),
): InferencePlan {
  checkModelConfig(config);
  const { blockSize, vocabularySize } = config;
  const buffers = [
    { name: "activations", bytes: activationLayout(config, dtype, "inference").length * NUMBER_BYTES },
    { name: "vocabulary", bytes: vocabularyBytes(vocabularySize) },
    { name: "generator", bytes: blockSize + 1 + 5 * vocabularySize },
    { name: "predictor", bytes: blockSize + 1 + 8 * (blockSize + vocabularySize) },
  ];
  return {
    flash: resourceHeaderBytes(config, vocabulary, dtype) + parameterLayout(config).length * NUMBER_BYTES,
    buffers,
    bufferBytes: buffers.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

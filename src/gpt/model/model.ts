import { activationLayout, type Activations, viewActivations } from "./activations";
import { checkModelConfig, mlpWidthOf, type ModelConfig, PRESETS } from "./config";
import { allocate } from "./layout";
import type { Floats, Ops } from "./ops";
import { parameterLayout, viewWeights, type Weights } from "./parameters";
import { lowercaseVocabulary, type Vocabulary } from "../data/vocabulary";

/** The sizes that the forward and backward passes need, derived once from a configuration. */
export interface Shape {
  /** Width of the embedding. */
  readonly n: number;
  readonly heads: number;
  /** Maximum positions of a sequence. */
  readonly block: number;
  /** Units of the MLP. */
  readonly hidden: number;
  /** Number of tokens. */
  readonly vocabulary: number;
  readonly rmsNorm: boolean;
}

/** The parameters of a model, and buffers for the activations of one sequence. */
export class Model {
  /** All parameters, flat, in the order of parameterLayout; zero at first. */
  readonly parameters: Floats;
  readonly weights: Weights;
  readonly activations: Activations;
  readonly shape: Shape;
  /** The logits of each position: block_size rows of vocabularySize floats. */
  readonly logits: readonly Floats[];

  /** @throws InputError for an invalid configuration, or if there is not enough memory */
  constructor(
    readonly config: ModelConfig,
    readonly ops: Ops,
    /** The characters of its tokens. */
    readonly vocabulary: Vocabulary = lowercaseVocabulary(),
  ) {
    checkModelConfig(config);
    const { blockSize, vocabularySize } = config;
    if (vocabulary.size !== vocabularySize)
      throw new RangeError(`The vocabulary has ${vocabulary.size} tokens, not ${vocabularySize}.`);
    this.shape = {
      n: config.nEmbd,
      heads: config.nHead,
      block: blockSize,
      hidden: mlpWidthOf(config),
      vocabulary: vocabularySize,
      rmsNorm: PRESETS[config.preset].rmsNorm,
    };
    this.parameters = allocate(ops.dtype, parameterLayout(config).length);
    this.weights = viewWeights(ops, this.parameters, config);
    const activations = allocate(ops.dtype, activationLayout(config).length);
    this.activations = viewActivations(ops, activations, config);
    const first = activations.length - blockSize * vocabularySize;
    this.logits = Array.from({ length: blockSize }, (_, t) =>
      activations.subarray(first + t * vocabularySize, first + (t + 1) * vocabularySize),
    );
  }
}

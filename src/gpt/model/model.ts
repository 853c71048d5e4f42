import { activationLayout, type Activations, viewActivations } from "./activations";
import { checkModelConfig, mlpWidthOf, type ModelConfig, PRESETS } from "./config";
import { allocate } from "./layout";
import { powerOfTwo } from "../base/elementary";
import { InputError } from "../base/errors";
import { MAX_ROW, WEIGHT_EXPONENT } from "./i32-arithmetic";
import type { InferenceOps, Numbers, Ops } from "./ops";
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
export class Model<O extends InferenceOps = Ops> {
  /** All parameters, flat, in the order of parameterLayout; zero at first. */
  readonly parameters: Numbers;
  readonly weights: Weights;
  readonly activations: Activations;
  readonly shape: Shape;
  /** The logits of each position, in units of `logitUnit`: block_size rows of vocabularySize numbers. */
  readonly logits: readonly Numbers[];
  /** In i32, the exponent of the logits. */
  private readonly logitExponent: Numbers | undefined;

  /** @throws InputError for an invalid configuration, or if there is not enough memory */
  constructor(
    readonly config: ModelConfig,
    readonly ops: O,
    /** The characters of its tokens. */
    readonly vocabulary: Vocabulary = lowercaseVocabulary(),
    /**
     * Parameters that are stored elsewhere, such as in flash, and are only read. The model is then for inference alone:
     * its layers share their activations.
     */
    parameters?: Numbers,
  ) {
    checkModelConfig(config);
    const { blockSize, vocabularySize } = config;
    if (ops.dtype === "i32" && blockSize > MAX_ROW)
      throw new InputError(`block_size must be at most ${MAX_ROW} in i32, not ${blockSize}.`);
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
    const use = parameters ? "inference" : "training";
    this.parameters = parameters ?? allocate(ops.dtype, parameterLayout(config).length);
    this.weights = viewWeights(ops, this.parameters, config);
    const layout = activationLayout(config, ops.dtype, use);
    const activations = allocate(ops.dtype, layout.length);
    this.activations = viewActivations(ops, activations, config, layout, use);
    const { offset, rows, format } = layout.part("logits");
    this.logits = Array.from({ length: rows }, (_, t) =>
      activations.subarray(offset + t * vocabularySize, offset + (t + 1) * vocabularySize),
    );
    const end = offset + rows * vocabularySize;
    this.logitExponent = format && activations.subarray(end, end + 1);
  }

  /** The value of 1 in `parameters`: 1 but in i32. */
  get parameterUnit(): number {
    return this.ops.dtype === "i32" ? powerOfTwo(-WEIGHT_EXPONENT) : 1;
  }

  /** The value of 1 in `logits` after a forward pass: 1 but in i32. */
  get logitUnit(): number {
    return this.logitExponent ? powerOfTwo(-this.logitExponent[0]) : 1;
  }
}

/** A model that is not trained: as modelFromFlash() makes it. A trained one is one as well. */
export type InferenceModel = Model<InferenceOps>;

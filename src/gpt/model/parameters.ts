import { hasRelativeBias, mlpWidthOf, type ModelConfig, type Moments, PRESETS, type TrainingConfig } from "./config";
import { log2Ceiling } from "./i32-arithmetic";
import { Layout } from "./layout";
import type { Codec, Dtype, Floats, InferenceOps, Numbers, Ops, Stored, Tensor } from "./ops";
import { fillGaussian, type Random } from "./random";

/** The matrices of a layer, or their gradients. */
export interface LayerWeights {
  /** wq, wk and wv, concatenated. */
  readonly wqkv: Tensor;
  readonly wo: Tensor;
  readonly w1: Tensor;
  readonly w2: Tensor;
  /** heads×B, if the model has it. */
  readonly bias: Tensor | undefined;
}

/** The matrices of a model, or their gradients, as the ops take them. */
export interface Weights {
  readonly wte: Tensor;
  readonly wpe: Tensor;
  readonly layers: readonly LayerWeights[];
  readonly wout: Tensor;
}

/** The layout of all parameters in one flat buffer; a weight is [in × out]. Biases, which start at zero, come last. */
export function parameterLayout(config: ModelConfig): Layout {
  return weightLayout(config);
}

/**
 * The layout of their gradients: the same, but in i32 those of a matrix have exponents.
 * @param batchSize number of documents whose gradients are summed
 */
export function gradientLayout(config: ModelConfig, dtype: Dtype, batchSize: number): Layout {
  return dtype === "i32" ? weightLayout(config, log2Ceiling(batchSize)) : weightLayout(config);
}

/** Whether both of Adam's moments of a parameter are in a word of 32 bits. */
export function areMomentsInWords(dtype: Dtype, moments: Moments | undefined): boolean {
  return dtype === "i32" || (dtype === "f32" && moments === "bf16");
}

/**
 * Whether a training updates each weight right behind its gradient, so that it needs no buffer of gradients: with a batch
 * of one, moments in words, and ops that can.
 */
export function canUpdateAtOnce(
  config: ModelConfig,
  { dtype, canUpdate }: Pick<Ops, "dtype" | "canUpdate">,
  { batchSize, moments }: Pick<TrainingConfig, "batchSize" | "moments">,
): boolean {
  return (
    areMomentsInWords(dtype, moments) &&
    batchSize === 1 &&
    canUpdate(config.nEmbd, hasRelativeBias(config) ? config.nHead * config.blockSize : 0)
  );
}

/** @param documents ceil(log2) of the documents summed, for gradients in i32 */
function weightLayout(config: ModelConfig, documents?: number): Layout {
  const format = documents === undefined ? undefined : { exponents: 1, bits: documents };
  const { nLayer, nEmbd, nHead, blockSize, vocabularySize } = config;
  const layout = new Layout();
  const hidden = mlpWidthOf(config);
  layout.add("wte", vocabularySize, nEmbd, format);
  layout.add("wpe", blockSize, nEmbd, format);
  for (let layer = 0; layer < nLayer; layer++) {
    for (const name of ["wq", "wk"]) layout.add(`layers.${layer}.${name}`, nEmbd, nEmbd);
    layout.add(`layers.${layer}.wv`, nEmbd, nEmbd, format && { ...format, exponents: 3 });
    layout.add(`layers.${layer}.wo`, nEmbd, nEmbd, format);
    layout.add(`layers.${layer}.w1`, nEmbd, hidden, format);
    layout.add(`layers.${layer}.w2`, hidden, nEmbd, format);
  }
  layout.add("wout", nEmbd, vocabularySize, format);
  if (hasRelativeBias(config))
    for (let layer = 0; layer < nLayer; layer++) layout.add(`layers.${layer}.bias`, nHead, blockSize, format);
  return layout;
}

/** Views of the matrices in a flat buffer of parameters or gradients, which has this layout. */
export function viewWeights(
  ops: InferenceOps,
  numbers: Numbers,
  config: ModelConfig,
  layout = parameterLayout(config),
): Weights {
  const hasBias = hasRelativeBias(config);
  const layers: LayerWeights[] = [];
  for (let i = 0; i < config.nLayer; i++) {
    layers.push({
      wqkv: layout.view(ops, numbers, `layers.${i}.wq`, `layers.${i}.wv`),
      wo: layout.view(ops, numbers, `layers.${i}.wo`),
      w1: layout.view(ops, numbers, `layers.${i}.w1`),
      w2: layout.view(ops, numbers, `layers.${i}.w2`),
      bias: hasBias ? layout.view(ops, numbers, `layers.${i}.bias`) : undefined,
    });
  }
  return {
    wte: layout.view(ops, numbers, "wte"),
    wpe: layout.view(ops, numbers, "wpe"),
    layers,
    wout: layout.view(ops, numbers, "wout"),
  };
}

/** Numbers that are drawn and then stored together. */
const DRAWN = 64;

/**
 * Draws the parameters of a new model, in buffer order, from a normal distribution with mean 0 and the
 * preset's standard deviation; a bias stays zero.
 */
export function drawParameters(parameters: Numbers, random: Random, config: ModelConfig, ops: Ops): void {
  const { initStd } = PRESETS[config.preset];
  const { offset, rows, columns } = parameterLayout(config).part("wout");
  const end = offset + rows * columns;
  const drawn = ops.dtype === "f64" ? new Float64Array(DRAWN) : new Float32Array(DRAWN);
  for (let at = 0; at < end; at += DRAWN) {
    const some = drawn.subarray(0, end - at);
    fillGaussian(random, some, initStd, ops.functions);
    storeNumbers(ops, parameters, at, some, "weights");
  }
}

/** Stores floats in a buffer of a model or of Adam, whose codec it is, from index `from` on. */
export function storeNumbers(
  { codec }: { readonly codec: Codec | undefined },
  numbers: Numbers,
  from: number,
  floats: Floats,
  what: Stored,
): void {
  if (codec && numbers instanceof Int32Array)
    codec.encode(numbers, from, floats instanceof Float32Array ? floats : Float32Array.from(floats), what);
  else numbers.set(floats, from);
}

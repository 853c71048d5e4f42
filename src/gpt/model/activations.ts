import { mlpWidthOf, type ModelConfig, PRESETS } from "./config";
import { Layout } from "./layout";
import { mantissaBits } from "./i32-format";
import type { BlockFormat, Dtype, InferenceOps, Numbers, Ops, Tensor } from "./ops";

/** What a layer computes and its backward pass reads; T×n unless stated otherwise. */
export interface LayerActivations {
  /** The residual stream as it enters the layer. */
  readonly x: Tensor;
  /** x, normalized if the preset uses RMSNorm; else x itself. */
  readonly attentionInput: Tensor;
  /** Queries, keys and values, B×n each, concatenated. */
  readonly qkv: Tensor;
  /** Attention probabilities: a lower triangle for each head. */
  readonly p: Tensor;
  /** The outputs of the heads, side by side. */
  readonly attention: Tensor;
  /** The residual stream between attention and MLP. */
  readonly middle: Tensor;
  /** middle, normalized if the preset uses RMSNorm; else middle itself. */
  readonly mlpInput: Tensor;
  /** T×hidden: mlpInput·w1 after the ReLU; the backward pass replaces it with its gradient. */
  readonly hidden: Tensor;
  /** The residual stream as it leaves the layer: x of the next layer, or the output of the last. */
  readonly output: Tensor;
}

export interface Activations {
  /** wte[token] + wpe[t]; without normalization the first layer's x. */
  readonly embedding: Tensor;
  readonly layers: readonly LayerActivations[];
  /** The residual stream after the last layer. */
  readonly output: Tensor;
  /** T×V; Ops.softmaxCrossEntropy replaces them with the gradient of the loss. */
  readonly logits: Tensor;
}

/**
 * What a model is for. A backward pass reads the activations of every layer. Without one, all layers can use the same
 * buffers; in floats each keeps its queries, keys and values, which the next positions need.
 */
export type Use = "training" | "inference";

/** The layout of all activations of a sequence of block_size positions in one flat buffer. */
export function activationLayout(config: ModelConfig, dtype: Dtype, use: Use = "training"): Layout {
  const { preset, nEmbd, nHead, blockSize, vocabularySize } = config;
  const nLayer = use === "training" ? config.nLayer : 1;
  const { rmsNorm } = PRESETS[preset];
  const { stream, hidden, logits } = mantissaBits(config, mlpWidthOf(config));
  const format = formatsOf(dtype);
  const layout = new Layout();
  if (rmsNorm) layout.add("embedding", blockSize, nEmbd, format(stream));
  for (let i = 0; i < nLayer; i++) {
    layout.add(`layers.${i}.x`, blockSize, nEmbd, format(stream));
    if (rmsNorm) layout.add(`layers.${i}.attentionInput`, blockSize, nEmbd, format(stream));
    layout.add(`layers.${i}.qkv`, 3 * blockSize, nEmbd, format(stream, 3));
    layout.add(`layers.${i}.p`, nHead, (blockSize * (blockSize + 1)) / 2);
    layout.add(`layers.${i}.attention`, blockSize, nEmbd, format(stream));
    layout.add(`layers.${i}.middle`, blockSize, nEmbd, format(stream));
    if (rmsNorm) layout.add(`layers.${i}.mlpInput`, blockSize, nEmbd, format(stream));
    layout.add(`layers.${i}.hidden`, blockSize, mlpWidthOf(config), format(hidden));
  }
  if (use === "training") layout.add("output", blockSize, nEmbd, format(stream));
  else if (hasCache(dtype)) for (let i = 1; i < config.nLayer; i++) layout.add(`layers.${i}.qkv`, 3 * blockSize, nEmbd);
  layout.add("logits", blockSize, vocabularySize, format(logits));
  return layout;
}

/** Whether keys and values stay valid when positions are added: in i32, all positions share an exponent. */
export function hasCache(dtype: Dtype): boolean {
  return dtype !== "i32";
}

/** Makes the formats of tensors: undefined for floats. */
function formatsOf(dtype: Dtype): (bits: number, exponents?: number) => BlockFormat | undefined {
  return (bits, exponents = 1) => (dtype === "i32" ? { exponents, bits } : undefined);
}

/** Views of the activations in a buffer of that layout. */
export function viewActivations(
  ops: InferenceOps,
  numbers: Numbers,
  config: ModelConfig,
  layout: Layout,
  use: Use,
): Activations {
  const { rmsNorm } = PRESETS[config.preset];
  const layers: LayerActivations[] = [];
  for (let i = 0; i < config.nLayer; i++) {
    const of = (name: string): Tensor => layout.view(ops, numbers, `layers.${i}.${name}`);
    if (use === "inference" && i > 0) {
      layers.push(hasCache(ops.dtype) ? { ...layers[0], qkv: of("qkv") } : layers[0]);
      continue;
    }
    const next = i + 1 < config.nLayer ? `layers.${i + 1}.x` : "output";
    const x = of("x");
    const middle = of("middle");
    layers.push({
      x,
      attentionInput: rmsNorm ? of("attentionInput") : x,
      qkv: of("qkv"),
      p: of("p"),
      attention: of("attention"),
      middle,
      mlpInput: rmsNorm ? of("mlpInput") : middle,
      hidden: of("hidden"),
      output: use === "inference" ? x : layout.view(ops, numbers, next),
    });
  }
  return {
    embedding: rmsNorm ? layout.view(ops, numbers, "embedding") : layers[0].x,
    layers,
    output: layers[layers.length - 1].output,
    logits: layout.view(ops, numbers, "logits"),
  };
}

/** The gradients passed between the operations of the backward pass; all layers share these buffers. */
export interface ActivationGradients {
  /** Gradient of the residual stream, from the loss back to the embeddings; T×n. */
  readonly dx: Tensor;
  /** Gradient of RMSNorm's output, T×n, if the preset uses it; else dx itself. */
  readonly dNorm: Tensor;
  /** Gradient of the outputs of the heads; T×n. */
  readonly dAttention: Tensor;
  /** Gradients of queries, keys and values, B×n each. */
  readonly dqkv: Tensor;
}

/** The layout of these gradients in one flat buffer. */
export function activationGradientsLayout(config: ModelConfig, dtype: Dtype): Layout {
  const { preset, nEmbd, blockSize } = config;
  const { flow } = mantissaBits(config, mlpWidthOf(config));
  const format = formatsOf(dtype);
  const layout = new Layout();
  layout.add("dx", blockSize, nEmbd, format(flow));
  if (PRESETS[preset].rmsNorm) layout.add("dNorm", blockSize, nEmbd, format(flow));
  layout.add("dAttention", blockSize, nEmbd, format(flow));
  layout.add("dqkv", 3 * blockSize, nEmbd, format(flow, 3));
  return layout;
}

/** Views of these gradients in a buffer of that layout. */
export function viewActivationGradients(ops: Ops, numbers: Numbers, config: ModelConfig): ActivationGradients {
  const layout = activationGradientsLayout(config, ops.dtype);
  const dx = layout.view(ops, numbers, "dx");
  return {
    dx,
    dNorm: PRESETS[config.preset].rmsNorm ? layout.view(ops, numbers, "dNorm") : dx,
    dAttention: layout.view(ops, numbers, "dAttention"),
    dqkv: layout.view(ops, numbers, "dqkv"),
  };
}

import { mlpWidthOf, type ModelConfig, PRESETS } from "./config";
import { Layout } from "./layout";
import type { Floats, Ops, Tensor } from "./ops";

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

/** The layout of all activations of a sequence of block_size positions in one flat buffer. */
export function activationLayout(config: ModelConfig): Layout {
  const { preset, nLayer, nEmbd, nHead, blockSize, vocabularySize } = config;
  const { rmsNorm } = PRESETS[preset];
  const layout = new Layout();
  if (rmsNorm) layout.add("embedding", blockSize, nEmbd);
  for (let i = 0; i < nLayer; i++) {
    layout.add(`layers.${i}.x`, blockSize, nEmbd);
    if (rmsNorm) layout.add(`layers.${i}.attentionInput`, blockSize, nEmbd);
    layout.add(`layers.${i}.qkv`, 3 * blockSize, nEmbd);
    layout.add(`layers.${i}.p`, nHead, (blockSize * (blockSize + 1)) / 2);
    layout.add(`layers.${i}.attention`, blockSize, nEmbd);
    layout.add(`layers.${i}.middle`, blockSize, nEmbd);
    if (rmsNorm) layout.add(`layers.${i}.mlpInput`, blockSize, nEmbd);
    layout.add(`layers.${i}.hidden`, blockSize, mlpWidthOf(config));
  }
  layout.add("output", blockSize, nEmbd);
  layout.add("logits", blockSize, vocabularySize);
  return layout;
}

/** Views of the activations in a buffer of that layout. */
export function viewActivations(ops: Ops, floats: Floats, config: ModelConfig): Activations {
  const layout = activationLayout(config);
  const { rmsNorm } = PRESETS[config.preset];
  const layers: LayerActivations[] = [];
  for (let i = 0; i < config.nLayer; i++) {
    const of = (name: string): Tensor => layout.view(ops, floats, `layers.${i}.${name}`);
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
      output: layout.view(ops, floats, next),
    });
  }
  return {
    embedding: rmsNorm ? layout.view(ops, floats, "embedding") : layers[0].x,
    layers,
    output: layout.view(ops, floats, "output"),
    logits: layout.view(ops, floats, "logits"),
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
export function activationGradientsLayout({ preset, nEmbd, blockSize }: ModelConfig): Layout {
  const layout = new Layout();
  layout.add("dx", blockSize, nEmbd);
  if (PRESETS[preset].rmsNorm) layout.add("dNorm", blockSize, nEmbd);
  layout.add("dAttention", blockSize, nEmbd);
  layout.add("dqkv", 3 * blockSize, nEmbd);
  return layout;
}

/** Views of these gradients in a buffer of that layout. */
export function viewActivationGradients(ops: Ops, floats: Floats, config: ModelConfig): ActivationGradients {
  const layout = activationGradientsLayout(config);
  const dx = layout.view(ops, floats, "dx");
  return {
    dx,
    dNorm: PRESETS[config.preset].rmsNorm ? layout.view(ops, floats, "dNorm") : dx,
    dAttention: layout.view(ops, floats, "dAttention"),
    dqkv: layout.view(ops, floats, "dqkv"),
  };
}

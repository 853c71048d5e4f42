import { type ModelConfig, PRESETS } from "./config";
import { Layout, part } from "./layout";
import type { Floats, Ops, Tensor } from "./ops";
import { MLP_RATIO } from "./parameters";
import { VOCABULARY_SIZE } from "./tokenizer";

/** What a layer computes and its backward pass reads again; T×n unless said otherwise. */
export interface LayerActivations {
  /** The residual stream as it enters the layer. */
  readonly x: Tensor;
  /** x, normalized where the preset does so; else x itself. */
  readonly attentionInput: Tensor;
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  /** Attention probabilities: a lower triangle a head. */
  readonly p: Tensor;
  /** The heads' outputs side by side. */
  readonly attention: Tensor;
  /** The residual stream between attention and MLP. */
  readonly middle: Tensor;
  /** middle, normalized where the preset does so; else middle itself. */
  readonly mlpInput: Tensor;
  /** T×4n: x·w1, after the ReLU; the backward pass leaves its gradient here. */
  readonly hidden: Tensor;
}

export interface Activations {
  /** wte[token] + wpe[t]; without normalization the first layer's x. */
  readonly embedding: Tensor;
  readonly layers: readonly LayerActivations[];
  /** The residual stream behind the last layer. */
  readonly output: Tensor;
  /** T×V; training leaves the loss's gradient here. */
  readonly logits: Tensor;
}

export function activationLayout({ preset, nLayer, nEmbd, nHead, blockSize }: ModelConfig): Layout {
  const { rmsNorm } = PRESETS[preset];
  const layout = new Layout();
  if (rmsNorm) layout.add("embedding", blockSize, nEmbd);
  for (let i = 0; i < nLayer; i++) {
    const names = rmsNorm
      ? ["x", "attentionInput", "q", "k", "v", "attention", "middle", "mlpInput"]
      : ["x", "q", "k", "v", "attention", "middle"];
    for (const name of names) layout.add(`layers.${i}.${name}`, blockSize, nEmbd);
    layout.add(`layers.${i}.p`, nHead, (blockSize * (blockSize + 1)) / 2);
    layout.add(`layers.${i}.hidden`, blockSize, MLP_RATIO * nEmbd);
  }
  layout.add("output", blockSize, nEmbd);
  layout.add("logits", blockSize, VOCABULARY_SIZE);
  return layout;
}

export function viewActivations(ops: Ops, floats: Floats, config: ModelConfig): Activations {
  const views = activationLayout(config).views(ops, floats);
  const { rmsNorm } = PRESETS[config.preset];
  const layers: LayerActivations[] = [];
  for (let i = 0; i < config.nLayer; i++) {
    const of = (name: string): Tensor => part(views, `layers.${i}.${name}`);
    layers.push({
      x: of("x"),
      attentionInput: of(rmsNorm ? "attentionInput" : "x"),
      q: of("q"),
      k: of("k"),
      v: of("v"),
      p: of("p"),
      attention: of("attention"),
      middle: of("middle"),
      mlpInput: of(rmsNorm ? "mlpInput" : "middle"),
      hidden: of("hidden"),
    });
  }
  return {
    embedding: part(views, rmsNorm ? "embedding" : "layers.0.x"),
    layers,
    output: part(views, "output"),
    logits: part(views, "logits"),
  };
}

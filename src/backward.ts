import { type ModelConfig, PRESETS } from "./config";
import { allocate, Layout } from "./layout";
import type { Model } from "./model";
import type { Ops, Tensor } from "./ops";
import { MLP_RATIO, type Weights } from "./parameters";
import { VOCABULARY_SIZE } from "./tokenizer";

/** The gradients that flow between the operations; every layer uses the same room. */
export interface Flow {
  /** Of the residual stream, from the loss back to the embeddings; T×n. */
  readonly dx: Tensor;
  /** Of what RMSNorm put out, where the preset has it; else dx itself. */
  readonly dNorm: Tensor;
  /** Of the heads' outputs; T×n. */
  readonly dAttention: Tensor;
  /** Of queries, keys and values, B×n each. */
  readonly dqkv: Tensor;
}

export function flowLayout({ preset, nEmbd, blockSize }: ModelConfig): Layout {
  const layout = new Layout();
  layout.add("dx", blockSize, nEmbd);
  if (PRESETS[preset].rmsNorm) layout.add("dNorm", blockSize, nEmbd);
  layout.add("dAttention", blockSize, nEmbd);
  layout.add("dqkv", 3 * blockSize, nEmbd);
  return layout;
}

export function createFlow(ops: Ops, config: ModelConfig): Flow {
  const layout = flowLayout(config);
  const floats = allocate(ops.dtype, layout.length);
  const dx = layout.view(ops, floats, "dx");
  return {
    dx,
    dNorm: PRESETS[config.preset].rmsNorm ? layout.view(ops, floats, "dNorm") : dx,
    dAttention: layout.view(ops, floats, "dAttention"),
    dqkv: layout.view(ops, floats, "dqkv"),
  };
}

/**
 * Sets `gradients` to the gradient of the loss, given that the logits of `rows` positions hold theirs
 * (as Ops.softmaxCrossEntropy leaves it): the forward pass read from its end to its beginning.
 *
 * dx is the residual stream's gradient. A residual connection passes it on as it is, and every branch
 * adds its own share to it, so one buffer travels from the loss to the embeddings.
 */
export function backward(model: Model, gradients: Weights, flow: Flow, tokens: Uint8Array, rows: number): void {
  const { ops, weights, activations, config } = model;
  const { nEmbd: n, nHead, blockSize, nLayer } = config;
  const { rmsNorm } = PRESETS[config.preset];
  const { dx, dNorm, dAttention, dqkv } = flow;
  const { output, logits, layers } = activations;

  ops.linearBackward(dx, gradients.wout, logits, output, weights.wout, rows, n, VOCABULARY_SIZE);

  for (let i = nLayer - 1; i >= 0; i--) {
    const w = weights.layers[i];
    const dw = gradients.layers[i];
    const { x, attentionInput, qkv, p, attention, middle, mlpInput, hidden } = layers[i];

    if (rmsNorm) ops.zero(dNorm);
    ops.mlpBackward(dNorm, dw.w1, dw.w2, dx, hidden, mlpInput, w.w1, w.w2, rows, n, MLP_RATIO * n);
    if (rmsNorm) ops.rmsNormBackward(dx, dNorm, middle, rows, n);

    ops.linearBackward(dAttention, dw.wo, dx, attention, w.wo, rows, n, n);
    ops.attentionBackward(dqkv, dAttention, attention, p, qkv, rows, n, nHead, blockSize);
    if (rmsNorm) ops.zero(dNorm);
    ops.qkvBackward(dNorm, dw.wqkv, dqkv, attentionInput, w.wqkv, rows, n, blockSize);
    if (rmsNorm) ops.rmsNormBackward(dx, dNorm, x, rows, n);
  }

  if (rmsNorm) {
    ops.zero(dNorm);
    ops.rmsNormBackward(dNorm, dx, activations.embedding, rows, n);
  }
  ops.embeddingBackward(gradients.wte, gradients.wpe, dNorm, tokens, rows, n);
}

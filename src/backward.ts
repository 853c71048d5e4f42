import { type ModelConfig, PRESETS } from "./config";
import { allocate, Layout, part } from "./layout";
import type { Model } from "./model";
import type { Ops, Tensor } from "./ops";
import { MLP_RATIO, type Weights } from "./parameters";
import { VOCABULARY_SIZE } from "./tokenizer";

/** The gradients that flow between the operations; every layer uses the same room, T×n each. */
export interface Flow {
  /** Of the residual stream, from the loss back to the embeddings. */
  readonly dx: Tensor;
  /** Of what RMSNorm put out. */
  readonly dNorm: Tensor;
  /** Of the heads' outputs. */
  readonly dAttention: Tensor;
  readonly dq: Tensor;
  readonly dk: Tensor;
  readonly dv: Tensor;
  /** dAttention, dq, dk and dv, which a layer needs zeroed together. */
  readonly attentionGradients: Tensor;
}

export function flowLayout({ preset, nEmbd, blockSize }: ModelConfig): Layout {
  const layout = new Layout();
  layout.add("dx", blockSize, nEmbd);
  if (PRESETS[preset].rmsNorm) layout.add("dNorm", blockSize, nEmbd);
  for (const name of ["dAttention", "dq", "dk", "dv"]) layout.add(name, blockSize, nEmbd);
  return layout;
}

export function createFlow(ops: Ops, config: ModelConfig): Flow {
  const layout = flowLayout(config);
  const floats = allocate(ops.dtype, layout.length);
  const views = layout.views(ops, floats);
  const quarter = config.blockSize * config.nEmbd;
  return {
    dx: part(views, "dx"),
    dNorm: part(views, PRESETS[config.preset].rmsNorm ? "dNorm" : "dx"),
    dAttention: part(views, "dAttention"),
    dq: part(views, "dq"),
    dk: part(views, "dk"),
    dv: part(views, "dv"),
    attentionGradients: ops.view(floats, floats.length - 4 * quarter, 4 * quarter),
  };
}

/**
 * Adds to `gradients` the gradient of the loss, given that the logits of `rows` positions hold theirs
 * (as Ops.softmaxCrossEntropy leaves it): the forward pass read from its end to its beginning.
 *
 * dx is the residual stream's gradient. A residual connection passes it on as it is, and every branch
 * adds its own share to it, so one buffer travels from the loss to the embeddings.
 */
export function backward(model: Model, gradients: Weights, flow: Flow, tokens: Uint8Array, rows: number): void {
  const { ops, weights, activations, config } = model;
  const { nEmbd: n, nHead, blockSize, nLayer } = config;
  const { rmsNorm } = PRESETS[config.preset];
  const { dx, dNorm, dAttention, dq, dk, dv } = flow;

  ops.zero(dx);
  ops.linearBackward(
    dx,
    gradients.wout,
    activations.logits,
    activations.output,
    weights.wout,
    rows,
    n,
    VOCABULARY_SIZE,
  );

  for (let i = nLayer - 1; i >= 0; i--) {
    const w = weights.layers[i];
    const dw = gradients.layers[i];
    const { x, attentionInput, q, k, v, p, attention, middle, mlpInput, hidden } = activations.layers[i];

    if (rmsNorm) ops.zero(dNorm);
    ops.mlpBackward(dNorm, dw.w1, dw.w2, dx, hidden, mlpInput, w.w1, w.w2, rows, n, MLP_RATIO * n);
    if (rmsNorm) ops.rmsNormBackward(dx, dNorm, middle, rows, n);

    ops.zero(flow.attentionGradients);
    ops.linearBackward(dAttention, dw.wo, dx, attention, w.wo, rows, n, n);
    ops.attentionBackward(dq, dk, dv, dAttention, attention, p, q, k, v, rows, n, nHead, blockSize);
    if (rmsNorm) ops.zero(dNorm);
    ops.linearBackward(dNorm, dw.wq, dq, attentionInput, w.wq, rows, n, n);
    ops.linearBackward(dNorm, dw.wk, dk, attentionInput, w.wk, rows, n, n);
    ops.linearBackward(dNorm, dw.wv, dv, attentionInput, w.wv, rows, n, n);
    if (rmsNorm) ops.rmsNormBackward(dx, dNorm, x, rows, n);
  }

  if (rmsNorm) {
    ops.zero(dNorm);
    ops.rmsNormBackward(dNorm, dx, activations.embedding, rows, n);
  }
  ops.embeddingBackward(gradients.wte, gradients.wpe, dNorm, tokens, rows, n);
}

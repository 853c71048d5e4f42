import type { ActivationGradients } from "./activations";
import type { Model } from "./model";
import type { Accumulate } from "./ops";
import type { Weights } from "./parameters";

/**
 * The backward pass: sets `gradients` to the gradient of the loss or, with `accumulate`, adds it to them. With an update
 * (see Accumulate) each weight changes right behind its gradient, when nothing needs its old value any more, and
 * `gradients` are views of the moments. The logits of `rows` positions must hold their own gradient, as
 * Ops.softmaxCrossEntropy leaves it. The operations are those of forward() in reverse order.
 *
 * dx is the gradient of the residual stream. A residual connection passes it on unchanged, and every branch
 * adds its own contribution, so one buffer serves from the loss to the embeddings.
 */
export function backward(
  model: Model,
  gradients: Weights,
  flow: ActivationGradients,
  tokens: Uint8Array,
  rows: number,
  accumulate: Accumulate,
): void {
  const ops = model.ops;
  const weights = model.weights;
  const activations = model.activations;
  const shape = model.shape;
  const n = shape.n;
  const block = shape.block;
  const rmsNorm = shape.rmsNorm;
  const dx = flow.dx;
  const dNorm = flow.dNorm;

  ops.linearBackward(
    dx,
    gradients.wout,
    activations.logits,
    activations.output,
    weights.wout,
    rows,
    n,
    shape.vocabulary,
    accumulate,
  );

  for (let i = activations.layers.length - 1; i >= 0; i--) {
    const w = weights.layers[i];
    const dw = gradients.layers[i];
    const a = activations.layers[i];

    if (rmsNorm) ops.zero(dNorm);
    ops.mlpBackward(dNorm, dw.w1, dw.w2, dx, a.hidden, a.mlpInput, w.w1, w.w2, rows, n, shape.hidden, accumulate);
    if (rmsNorm) ops.rmsNormBackward(dx, dNorm, a.middle, rows, n);

    const dAttention = flow.dAttention;
    const dqkv = flow.dqkv;
    ops.linearBackward(dAttention, dw.wo, dx, a.attention, w.wo, rows, n, n, accumulate);
    ops.attentionBackward(
      dqkv,
      dw.bias,
      dAttention,
      a.attention,
      a.p,
      a.qkv,
      rows,
      n,
      shape.heads,
      block,
      accumulate,
      w.bias,
    );
    if (rmsNorm) ops.zero(dNorm);
    ops.qkvBackward(dNorm, dw.wqkv, dqkv, a.attentionInput, w.wqkv, rows, n, block, accumulate, dAttention);
    if (rmsNorm) ops.rmsNormBackward(dx, dNorm, a.x, rows, n);
  }

  if (rmsNorm) {
    ops.zero(dNorm);
    ops.rmsNormBackward(dNorm, dx, activations.embedding, rows, n);
  }
  ops.embeddingBackward(gradients.wte, gradients.wpe, dNorm, tokens, rows, n, accumulate, weights.wte, weights.wpe);
}

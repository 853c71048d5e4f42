import type { Flow } from "./activations";
import { MLP_RATIO, PRESETS } from "../config";
import type { Model } from "./model";
import type { Weights } from "./parameters";

/**
 * Sets `gradients` to the gradient of the loss, given that the logits of `rows` positions hold theirs
 * (as Ops.softmaxCrossEntropy leaves it): the forward pass read from its end to its beginning.
 *
 * dx is the residual stream's gradient. A residual connection passes it on as it is, and every branch
 * adds its own share to it, so one buffer travels from the loss to the embeddings.
 */
export function backward(model: Model, gradients: Weights, flow: Flow, tokens: Uint8Array, rows: number): void {
  const { ops, weights, activations, config } = model;
  const { nEmbd: n, nHead, blockSize, nLayer, vocabularySize } = config;
  const { rmsNorm } = PRESETS[config.preset];
  const { dx, dNorm, dAttention, dqkv } = flow;
  const { output, logits, layers } = activations;

  ops.linearBackward(dx, gradients.wout, logits, output, weights.wout, rows, n, vocabularySize);

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

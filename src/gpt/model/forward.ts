import type { InferenceModel } from "./model";

/**
 * The forward pass: computes the logits of positions `from` to `to` - 1 from their tokens. The activations
 * of the positions before `from` must be in place: their keys and values are the KV cache, with which a new
 * character costs one position. Training calls it with 0 and T. In i32, `from` is always 0: all positions share an
 * exponent, so what was computed for fewer of them is of no use.
 */
export function forward(model: InferenceModel, tokens: Uint8Array, from: number, to: number): void {
  const ops = model.ops;
  const weights = model.weights;
  const activations = model.activations;
  const shape = model.shape;
  const n = shape.n;
  const block = shape.block;
  const rmsNorm = shape.rmsNorm;
  const layers = activations.layers;

  ops.embeddingForward(activations.embedding, weights.wte, weights.wpe, tokens, from, to, n);
  if (rmsNorm) ops.rmsNormForward(layers[0].x, activations.embedding, from, to, n);

  for (let i = 0; i < layers.length; i++) {
    const w = weights.layers[i];
    const a = layers[i];

    if (rmsNorm) ops.rmsNormForward(a.attentionInput, a.x, from, to, n);
    ops.qkvForward(a.qkv, a.attentionInput, w.wqkv, from, to, n, block);
    ops.attentionForward(a.attention, a.p, a.qkv, w.bias, from, to, n, shape.heads, block);
    ops.linearResidualForward(a.middle, a.x, a.attention, w.wo, from, to, n, n);

    if (rmsNorm) ops.rmsNormForward(a.mlpInput, a.middle, from, to, n);
    ops.mlpForward(a.output, a.middle, a.hidden, a.mlpInput, w.w1, w.w2, from, to, n, shape.hidden);
  }

  ops.linearForward(activations.logits, activations.output, weights.wout, from, to, n, shape.vocabulary);
}

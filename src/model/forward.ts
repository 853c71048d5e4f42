import { MLP_RATIO, PRESETS } from "../config";
import type { Model } from "./model";

/**
 * Computes the logits of positions `from` to `to` - 1, given their tokens. The activations of the
 * positions before `from` must be in place: their keys and values are the cache that makes a new
 * character cost one position. Training calls it with 0 and T.
 */
export function forward(model: Model, tokens: Uint8Array, from: number, to: number): void {
  const { ops, weights, activations, config } = model;
  const { nEmbd: n, nHead, blockSize, nLayer, vocabularySize } = config;
  const { rmsNorm } = PRESETS[config.preset];

  ops.embeddingForward(activations.embedding, weights.wte, weights.wpe, tokens, from, to, n);
  if (rmsNorm) ops.rmsNormForward(activations.layers[0].x, activations.embedding, from, to, n);

  for (let i = 0; i < nLayer; i++) {
    const { wqkv, wo, w1, w2 } = weights.layers[i];
    const { x, attentionInput, qkv, p, attention, middle, mlpInput, hidden } = activations.layers[i];
    const output = i + 1 < nLayer ? activations.layers[i + 1].x : activations.output;

    if (rmsNorm) ops.rmsNormForward(attentionInput, x, from, to, n);
    ops.qkvForward(qkv, attentionInput, wqkv, from, to, n, blockSize);
    ops.attentionForward(attention, p, qkv, from, to, n, nHead, blockSize);
    ops.linearResidualForward(middle, x, attention, wo, from, to, n, n);

    if (rmsNorm) ops.rmsNormForward(mlpInput, middle, from, to, n);
    ops.mlpForward(output, middle, hidden, mlpInput, w1, w2, from, to, n, MLP_RATIO * n);
  }

  ops.linearForward(activations.logits, activations.output, weights.wout, from, to, n, vocabularySize);
}

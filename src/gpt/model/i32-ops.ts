import { areFinite } from "./are-finite";
import { portableFunctions } from "../base/portable-functions";
import { i32Codec } from "./i32-codec";
import { embeddingForward } from "./i32-forward";
import { beginGradient, excess, shiftOf, view, zero } from "./i32-tensor";
import { linearBackward, linearForward, linearResidualForward, qkvBackward, qkvForward } from "./i32-products";
import { softmaxCrossEntropy } from "./i32-softmax";
import { attentionBackward, attentionForward } from "./i32-attention";
import { mlpBackward, mlpForward } from "./i32-mlp";
import { rmsNormBackward, rmsNormForward } from "./i32-rms-norm";
import { adam } from "./i32-adam";
import type { IntegerTensor, Ops } from "./ops";

/*
 * The ops in block floating point with integers of 32 bits: for processors without an FPU, and with the same bits on
 * all. This and the files that it imports are the specification; the ops in C are held to their bits. Integer sums do
 * not depend on their order, so C may compute them in blocks.
 *
 * A tensor has mantissas and an exponent: value = mantissa · 2^-exponent. Weights have the fixed exponent 27. A product
 * of a mantissa and a weight is the high half of their 64 bits, rounded down; half the number of terms is added to
 * each sum, which takes away the mean of these roundings.
 *
 * No sum can wrap, whatever the weights are. A tensor's `bits` are few enough that the sum of a product, K·2^bits·2^31
 * / 2^32, is at most 2^30, and so is what it is added to (see mantissaBits() in i32-format.ts). Where an op sets a
 * tensor, it shifts the mantissas until the largest has exactly so many bits (settle).
 */

export const i32Ops: Ops = Object.freeze({
  name: "typescript",
  dtype: "i32",
  functions: portableFunctions,
  codec: i32Codec,
  words: undefined,
  canUpdate: () => false,
  view,
  zero,
  areFinite,
  embeddingForward,
  embeddingBackward,
  rmsNormForward,
  rmsNormBackward,
  linearForward,
  linearResidualForward,
  linearBackward,
  qkvForward,
  qkvBackward,
  attentionForward,
  attentionBackward,
  mlpForward,
  mlpBackward,
  softmaxCrossEntropy,
  adam,
});

function embeddingBackward(
  dwte: IntegerTensor,
  dwpe: IntegerTensor,
  dx: IntegerTensor,
  tokens: Uint8Array,
  rows: number,
  n: number,
  accumulate: boolean,
): void {
  const exponent = dx.exponents[0];
  const aligned = exponent - excess(dx.bits, rows, dwte.bits);
  beginGradient(dwte, aligned, accumulate);
  beginGradient(dwpe, aligned, accumulate);
  const shift = shiftOf(exponent - dwte.exponents[0]);
  for (let t = 0; t < rows; t++) {
    const at = t * n;
    const token = tokens[t] * n;
    for (let i = 0; i < n; i++) {
      const g = dx.mantissas[at + i] >> shift;
      dwte.mantissas[token + i] += g;
      dwpe.mantissas[at + i] += g;
    }
  }
}

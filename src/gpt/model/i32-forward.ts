import { portableFunctions } from "../base/portable-functions";
import { magnitude, WEIGHT_EXPONENT } from "./i32-arithmetic";
import { attentionForward } from "./i32-attention";
import { mlpForward } from "./i32-mlp";
import { linearForward, linearResidualForward, qkvForward } from "./i32-products";
import { rmsNormForward } from "./i32-rms-norm";
import { checkFrom, settle, view } from "./i32-tensor";
import type { InferenceOps, IntegerTensor } from "./ops";

/* i32: what a model needs that is no longer trained, with the bits of i32Ops. */

export const i32InferenceOps: InferenceOps = Object.freeze({
  name: "typescript",
  dtype: "i32",
  functions: portableFunctions,
  view,
  embeddingForward,
  rmsNormForward,
  linearForward,
  linearResidualForward,
  qkvForward,
  attentionForward,
  mlpForward,
});

export function embeddingForward(
  x: IntegerTensor,
  wte: IntegerTensor,
  wpe: IntegerTensor,
  tokens: Uint8Array,
  from: number,
  to: number,
  n: number,
): void {
  checkFrom(from);
  const y = x.mantissas;
  let mask = 0;
  for (let t = 0; t < to; t++) {
    const at = t * n;
    const token = tokens[t] * n;
    for (let i = 0; i < n; i++) {
      const sum = (wte.mantissas[token + i] >> 1) + (wpe.mantissas[at + i] >> 1);
      y[at + i] = sum;
      mask |= magnitude(sum);
    }
  }
  x.exponents[0] = WEIGHT_EXPONENT - 1;
  settle(x, 0, 0, to * n, mask);
}

import { powerOfTwo } from "../../src/gpt/base/elementary";
import { WEIGHT_EXPONENT } from "../../src/gpt/model/i32-arithmetic";
import type { Floats, Tensor } from "../../src/gpt/model/ops";

/* Numbers of a tensor as floats, whatever its dtype is: in i32, value = mantissa · 2^-exponent. */

/**
 * A copy of `length` numbers from `from` on; float64 for the integers of i32.
 * @param exponent of a tensor of integers that has none of its own: a weight, or the probabilities of attention
 */
export function copyOf(x: Tensor, from: number, length: number, exponent = WEIGHT_EXPONENT): Floats {
  if (!("mantissas" in x)) return (x as Floats).slice(from, from + length);
  const { mantissas, exponents } = x;
  const size = mantissas.length / Math.max(1, exponents.length);
  const copy = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const own = exponents[Math.floor((from + i) / size)] ?? exponent;
    copy[i] = (mantissas[from + i] ?? NaN) * powerOfTwo(-own);
  }
  return copy;
}

/** The Euclidean norm of `length` numbers from `from` on. */
export function normOf(x: ArrayLike<number>, from: number, length: number): number {
  let squares = 0;
  for (let i = from; i < from + length; i++) squares += (x[i] ?? NaN) ** 2;
  return Math.sqrt(squares);
}

/** -log softmax(logits[t])[tokens[t + 1]] of each row, in nats. */
export function lossesOf(logits: Tensor, tokens: Uint8Array, rows: number, vocabulary: number): Float64Array {
  return Float64Array.from({ length: rows }, (_, t) => {
    const row = copyOf(logits, t * vocabulary, vocabulary);
    let largest = -Infinity;
    for (const logit of row) largest = Math.max(largest, logit);
    let sum = 0;
    for (const logit of row) sum += Math.exp(logit - largest);
    return Math.log(sum) - ((row[tokens[t + 1] ?? NaN] ?? NaN) - largest);
  });
}

import { bitsOf, LN_2, magnitude, mantissaExponent, mantissaOf, mulh, mulhu } from "./i32-arithmetic";
import { settle, shiftOf } from "./i32-tensor";
import { EXP2, LOG2 } from "./i32-tables";
import type { IntegerTensor } from "./ops";

/* i32: the softmax, in units of log2, and the loss. */

/** Scores and logits inside a softmax are in units of log2, 2^-20; their exponentials are 2^-30. */
export const LOG2_BITS = 20;
const EXP_BITS = 30;
/** log2 e for the logits, 2^-30. */
const LOG2_E_30 = 0x5c551d95;

/** x·factor >> shift, or << -shift, which saturates at ±(2^30 - 1). */
export function scaled(x: number, factor: number, shift: number): number {
  const value = mulh(x, factor);
  if (shift >= 0) return value >> shiftOf(shift);
  const up = Math.min(-shift, 30);
  const most = 0x3fffffff;
  const limit = most >> up;
  return value > limit ? most : value < -limit ? -most : value << up;
}

/** 2^-t, 2^-30, of t = z·2^-20: table for the upper six bits of its fraction, a Taylor polynomial for the others. */
function exponential(z: number): number {
  if (z >= EXP_BITS << LOG2_BITS) return 0;
  const t = (z << 4) >>> 0;
  // The others times ln 2, 2^-38; then 1 - a + a²/2, 2^-31.
  const a = mulhu((t & 0x3ffff) * 0x100, 2977044472);
  const q = 0x80000000 - (a >>> 1) + (mulhu(a, a) >>> 2);
  return mulhu(EXP2[(t >>> 18) & 63], q) >>> (t >>> 24);
}

/**
 * Replaces x, in units of log2, by 2^(x - largest), 2^-30. Returns the sum, 2^-23, which 256 elements cannot make wrap.
 */
export function exponentials(x: Int32Array, start: number, end: number, largest: number): number {
  let sum = 0;
  for (let i = start; i < end; i++) {
    const e = exponential(largest - x[i]);
    x[i] = e;
    sum += e >>> 7;
  }
  return sum;
}

/** 2^63 / s for s from 2^31 to 2^32: a quotient of 17 bits, and a step of Newton's method. */
function reciprocal(s: number): number {
  const r = Math.floor(0xffffffff / (s >>> 15)) * 0x10000;
  return r + mulh(r >>> 1, 0x80000000 - mulhu(s, r)) * 4;
}

/** Divides exponentials by their sum, which gives probabilities, 2^-30. */
export function normalize(x: Int32Array, start: number, end: number, sum: number): void {
  const bits = bitsOf(sum);
  const inverse = reciprocal((sum << (32 - bits)) >>> 0);
  const shift = bits - 24;
  const half = (1 << shift) >> 1;
  for (let i = start; i < end; i++) x[i] = (mulhu(x[i], inverse) + half) >>> shift;
}

/** log2 of s·2^-23, 2^-20, for s >= 2^23: linear between the entries of the table. */
function log2(s: number): number {
  const bits = bitsOf(s);
  const fraction = (s << (33 - bits)) >>> 0;
  const i = fraction >>> 26;
  const rest = ((fraction << 6) >>> 0) >>> 16;
  const entry = LOG2[i];
  const value = entry + ((((LOG2[i + 1] - entry) >>> 8) * (rest >>> 4)) >>> 4);
  return (bits - 24) * (1 << LOG2_BITS) + (value >>> 8);
}

/** The loss is summed as log2, 2^-20, and converted at the end. */
export function softmaxCrossEntropy(
  logits: IntegerTensor,
  tokens: Uint8Array,
  rows: number,
  vocabulary: number,
  weight: number,
): number {
  const x = logits.mantissas;
  const shift = logits.exponents[0] + 30 - 32 - LOG2_BITS;
  const share = Math.fround(weight);
  const mantissa = share > 0 ? mantissaOf(share) : 0;
  let loss = 0;
  let mask = 0;
  for (let t = 0; t < rows; t++) {
    const start = t * vocabulary;
    const end = start + vocabulary;
    const target = start + tokens[t + 1];
    let largest = -0x80000000;
    for (let i = start; i < end; i++) {
      const logit = scaled(x[i], LOG2_E_30, shift);
      x[i] = logit;
      if (logit > largest) largest = logit;
    }
    const surplus = largest - x[target];
    const sum = exponentials(x, start, end, largest);
    loss += log2(sum) + surplus;
    normalize(x, start, end, sum);
    x[target] -= 1 << EXP_BITS;
    for (let i = start; i < end; i++) {
      const g = mulh(x[i], mantissa);
      x[i] = g;
      mask |= magnitude(g);
    }
  }
  logits.exponents[0] = EXP_BITS + (share > 0 ? mantissaExponent(share) : 0) - 32;
  settle(logits, 0, 0, rows * vocabulary, mask);
  return ((loss / (1 << LOG2_BITS)) * LN_2) / rows;
}

import { powerOfTwo } from "../base/elementary";

/*
 * The arithmetic of i32: products by their high halves, and numbers as a mantissa and an exponent. C has the same
 * in src/gpt/native/gpt_i32_arithmetic.h. All numbers are integers; `2^-n` after a name is the value of 1 unit.
 */

/** The exponent of weights: 2^-27, a range of ±16. */
export const WEIGHT_EXPONENT = 27;
/** Weights are multiples of this: they have 24 bits, which float32 can hold. */
export const WEIGHT_STEP = 128;
/** The largest weight: 13. */
export const MAX_WEIGHT = 0x68000000;
/** Numbers in the row of a softmax: the sum of their exponentials has 32 bits. */
export const MAX_ROW = 256;
/** The exponent of a tensor of zeros: adding to it shifts every bit of it out. */
export const EXPONENT_OF_ZERO = 200;
/** The exponent of attention's probabilities. */
export const PROBABILITY_EXPONENT = 30;

const SIXTEEN_BITS = 0x10000;
export const LN_2 = 0.6931471805599453;
export const LOG2_E = 1.4426950408889634;

/** ⌊a·b / 2^32⌋ of signed 32-bit integers. */
export function mulh(a: number, b: number): number {
  // Both partial products have at most 48 bits, which a double holds exactly.
  return Math.floor((a * (b >> 16) + Math.floor((a * (b & 0xffff)) / SIXTEEN_BITS)) / SIXTEEN_BITS);
}

/** ⌊a·b / 2^32⌋ of unsigned 32-bit integers. */
export function mulhu(a: number, b: number): number {
  return Math.floor((a * (b >>> 16) + Math.floor((a * (b & 0xffff)) / SIXTEEN_BITS)) / SIXTEEN_BITS);
}

/** Number of bits of an unsigned integer: 0 for 0. */
export function bitsOf(x: number): number {
  return 32 - Math.clz32(x);
}

/** ⌈log2 n⌉ for n >= 1. */
export function log2Ceiling(n: number): number {
  return bitsOf(n - 1);
}

/** x as the bits of its magnitude: the OR of these over a tensor has as many bits as its largest element. */
export function magnitude(x: number): number {
  return x ^ (x >> 31);
}

/** The exponent e with which x = m·2^-e has a mantissa m from 2^30 to 2^31; x > 0. */
export function mantissaExponent(x: number): number {
  let exponent = 31;
  let scaled = x;
  for (; scaled >= 1; scaled /= 2) exponent--;
  for (; scaled < 0.5; scaled *= 2) exponent++;
  return exponent;
}

/** That mantissa. */
export function mantissaOf(x: number): number {
  return Math.min(Math.floor(x * powerOfTwo(mantissaExponent(x)) + 0.5), 0x7fffffff);
}

/** Adam's rate with both bias corrections, rate / sqrt(vScale), in 2^-32; at most a half. */
export function stepOf(rate: number, vScale: number): number {
  return Math.min(Math.floor((rate / Math.sqrt(vScale)) * 0x100000000 + 0.5), 0x7fffffff);
}

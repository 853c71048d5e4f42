import { powerOfTwo } from "../base/elementary";
import { bitsOf, log2Ceiling, magnitude, mantissaExponent, mantissaOf, mulh, mulhu } from "./i32-arithmetic";
import { checkFrom, maskOf, settle, shiftOf, shifted } from "./i32-tensor";
import { FIRST_ROOT, INVERSE_ROOT } from "./i32-tables";
import type { IntegerTensor } from "./ops";

/* i32: RMSNorm, with a table and Newton's method for the root. */

/** ε, 1e-5, 2^-32. */
const EPSILON_32 = 42950;

/** The distance by which RMSNorm shifts a row left, so that its squares can be summed. */
function rowShift(x: IntegerTensor, start: number, n: number): number {
  return Math.min(30, (64 - log2Ceiling(n)) >> 1) - bitsOf(maskOf(x.mantissas, start, n));
}

/** 2^47 / sqrt(s) for s from 2^30 to 2^32: a table, and two steps of Newton's method. */
function inverseRoot(s: number): number {
  // sqrt(2^7) = 2^3.5, 2^-13
  let r = Math.max(INVERSE_ROOT[(s >>> 23) - FIRST_ROOT] * 92682, 0x80000000);
  for (let step = 0; step < 2; step++) {
    const error = 0x40000000 - mulhu(mulhu(r, r), s);
    r = Math.min(r + mulh(r >>> 1, error) * 4, 0xffffffff);
  }
  return r;
}

/** A mantissa of 31 bits and its exponent as a double, which holds them exactly. */
function pair(mantissa: number, exponent: number): number {
  let m = mantissa;
  let e = exponent;
  for (; m >= 0x100000000; m = Math.floor(m / 2)) e--;
  for (; m < 0x80000000; m *= 2) e++;
  return (m >>> 1) * powerOfTwo(1 - e);
}

/** sqrt(n), with a mantissa of 31 bits. */
function rootOf(n: number): number {
  const up = (32 - bitsOf(n)) & ~1;
  return pair(inverseRoot(n * powerOfTwo(up)) * n, 47 - up / 2);
}

/** RMSNorm's factor of a row, 1 / sqrt(mean(x²) + ε), with a mantissa of 31 bits. */
function rmsFactor(x: IntegerTensor, start: number, n: number): number {
  const shift = rowShift(x, start, n);
  let sum = 0;
  for (let i = start; i < start + n; i++) {
    const value = shifted(x.mantissas[i], shift);
    sum += mulh(value, value);
  }
  // It is 2^32 if all of them are the same negative power of two.
  sum = Math.min(sum, 0xffffffff);
  // Σ x² + n·ε with the same exponent; the sum of squares is 0, or the larger of both where bits are lost.
  let exponent = 2 * (x.exponents[0] + shift) - 32;
  let epsilon = n * EPSILON_32;
  if (sum === 0) exponent = 32;
  else if (exponent <= 32) epsilon >>>= shiftOf(32 - exponent);
  else {
    const room = Math.min(exponent - 32, 31 - bitsOf(epsilon));
    epsilon <<= room;
    sum >>>= shiftOf(exponent - 32 - room);
    exponent = 32 + room;
  }
  if (sum + epsilon > 0xffffffff) {
    sum >>>= 1;
    epsilon >>>= 1;
    exponent--;
  }
  sum += epsilon;
  // From 2^30 to 2^32, with an even exponent.
  let up = 32 - bitsOf(sum);
  if (((exponent + up) & 1) !== 0) up--;
  sum = up >= 0 ? (sum << up) >>> 0 : sum >>> 1;
  const root = rootOf(n);
  return pair(
    mulhu(inverseRoot(sum), mantissaOf(root) * 2),
    47 - (exponent + up) / 2 + mantissaExponent(root) + 1 - 32,
  );
}

/** A normalized row has the fixed exponent with which sqrt(n), its largest value, has y.bits. */
export function rmsNormForward(y: IntegerTensor, x: IntegerTensor, from: number, to: number, n: number): void {
  checkFrom(from);
  const yExponent = normalizedExponent(y.bits, n);
  for (let start = 0; start < to * n; start += n) {
    const factor = rmsFactor(x, start, n);
    const mantissa = mantissaOf(factor);
    const shift = rowShift(x, start, n);
    const down = x.exponents[0] + shift + mantissaExponent(factor) - 32 - yExponent;
    for (let i = start; i < start + n; i++)
      y.mantissas[i] = shifted(mulh(shifted(x.mantissas[i], shift), mantissa), -down);
  }
  y.exponents[0] = yExponent;
}

function normalizedExponent(bits: number, n: number): number {
  return bits - ((log2Ceiling(n) + 1) >> 1);
}

/** With y = r·x: dx += r·(dy - y·Σ(y·dy)/n). */
export function rmsNormBackward(dx: IntegerTensor, dy: IntegerTensor, x: IntegerTensor, rows: number, n: number): void {
  const share = 1 / n;
  const mantissaOfShare = mantissaOf(share);
  const yExponent = normalizedExponent(x.bits, n);
  // The bracket is held at half, as it may be larger than dy.
  const half = dy.exponents[0] - 1;
  // All rows get the smallest of their exponents.
  let exponent = dx.exponents[0] - 1;
  for (let start = 0; start < rows * n; start += n)
    exponent = Math.min(exponent, half + mantissaExponent(rmsFactor(x, start, n)) - 32);
  const before = shiftOf(dx.exponents[0] - exponent);
  let mask = 0;
  for (let start = 0; start < rows * n; start += n) {
    const factor = rmsFactor(x, start, n);
    const mantissa = mantissaOf(factor);
    const shift = rowShift(x, start, n);
    const down = x.exponents[0] + shift + mantissaExponent(factor) - 32 - yExponent;
    const added = half + mantissaExponent(factor) - 32 - exponent;
    let dot = 0;
    for (let i = start; i < start + n; i++) {
      const y = shifted(mulh(shifted(x.mantissas[i], shift), mantissa), -down);
      dot += mulh(y, dy.mantissas[i]);
    }
    let mean = mulh(dot, mantissaOfShare);
    let meanExponent = yExponent + dy.exponents[0] - 32 + mantissaExponent(share) - 32;
    if (mean !== 0) {
      const up = Math.min(20, Math.max(0, 30 - bitsOf(magnitude(mean))));
      mean <<= up;
      meanExponent += up;
    }
    for (let i = start; i < start + n; i++) {
      const y = shifted(mulh(shifted(x.mantissas[i], shift), mantissa), -down);
      const pull = shifted(mulh(y, mean), half - (yExponent + meanExponent - 32));
      const sum = (dx.mantissas[i] >> before) + (mulh((dy.mantissas[i] >> 1) - pull, mantissa) >> shiftOf(added));
      dx.mantissas[i] = sum;
      mask |= magnitude(sum);
    }
  }
  dx.exponents[0] = exponent;
  settle(dx, 0, 0, rows * n, mask);
}

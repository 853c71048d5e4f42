import { bitsOf, EXPONENT_OF_ZERO, log2Ceiling, magnitude, WEIGHT_EXPONENT } from "./i32-arithmetic";
import type { BlockFormat, IntegerTensor, Numbers, Tensor } from "./ops";

/* i32: tensors in block floating point. How they are viewed, shifted, and aligned for a sum; i32-ops.ts has the idea. */

export function view(numbers: Numbers, offset: number, length: number, format?: BlockFormat): Tensor {
  if (!(numbers instanceof Int32Array)) throw new TypeError("i32 needs integers.");
  if (!format)
    return { mantissas: numbers.subarray(offset, offset + length), exponents: numbers.subarray(0, 0), bits: 0 };
  const { exponents, bits } = format;
  const end = offset + length - 1;
  const first = end - exponents;
  // For the ops in C, which take the memory alone.
  numbers[end] = bits;
  return { mantissas: numbers.subarray(offset, first), exponents: numbers.subarray(first, end), bits };
}

export function zero({ mantissas, exponents }: IntegerTensor): void {
  mantissas.fill(0);
  exponents.fill(EXPONENT_OF_ZERO);
}

/** Shifts a block of a tensor so that its largest element has exactly `bits` bits; `mask` is the OR of magnitudes. */
export function settle(x: IntegerTensor, block: number, start: number, length: number, mask: number): void {
  if (mask === 0) return;
  const shift = x.bits - bitsOf(mask);
  x.exponents[block] += shift;
  shiftAll(x.mantissas, start, length, shift);
}

/** x·2^shift, rounded down. */
export function shifted(x: number, shift: number): number {
  return shift >= 0 ? x << shift : x >> shiftOf(-shift);
}

/** Multiplies by 2^shift, rounded down. */
function shiftAll(x: Int32Array, start: number, length: number, shift: number): void {
  if (shift > 0) for (let i = start; i < start + length; i++) x[i] <<= shift;
  else if (shift < 0) for (let i = start; i < start + length; i++) x[i] >>= shiftOf(-shift);
}

/** A distance that an integer of 32 bits can be shifted by: 31 leaves only the sign. */
export function shiftOf(distance: number): number {
  return Math.min(Math.max(distance, 0), 31);
}

export function maskOf(x: Int32Array, start: number, length: number): number {
  let mask = 0;
  for (let i = start; i < start + length; i++) mask |= magnitude(x[i]);
  return mask;
}

/**
 * Prepares the sum of a residual and a product with x: if the product's exponent leaves no room for the residual, shifts
 * x down. Returns the exponent of the sum; the residual is to be shifted right by its own exponent less that, at most 31.
 */
export function makeRoom(x: IntegerTensor, block: number, start: number, length: number, residual: number): number {
  const exponent = productExponent(x.exponents[block]);
  const missing = 1 - (residual - exponent);
  if (missing <= 0) return exponent;
  shiftAll(x.mantissas, start, length, -missing);
  x.exponents[block] -= missing;
  return exponent - missing;
}

/** The exponent of products of a tensor and a weight. */
export function productExponent(exponent: number): number {
  return exponent + WEIGHT_EXPONENT - 32;
}

/** Bits by which a sum of this many terms, each of at most 2^bits, would exceed 31. */
export function excess(bits: number, terms: number, documents: number): number {
  return Math.max(0, bits + log2Ceiling(terms) + documents - 31);
}

/**
 * Chooses the exponent of a weight's gradient for an addend of this exponent: the smaller of both, so that neither is
 * shifted left. Returns the distance by which the gradient so far is to be shifted right.
 */
export function alignGradient(g: IntegerTensor, block: number, exponent: number, accumulate: boolean): number {
  const before = accumulate ? g.exponents[block] : exponent;
  const after = Math.min(before, exponent);
  g.exponents[block] = after;
  return shiftOf(before - after);
}

/** Brings a gradient to the exponent of what will be added to it; a new one is zero. */
export function beginGradient(g: IntegerTensor, aligned: number, accumulate: boolean): void {
  const shift = alignGradient(g, 0, aligned, accumulate);
  if (accumulate) shiftAll(g.mantissas, 0, g.mantissas.length, -shift);
  else g.mantissas.fill(0);
}

export function checkFrom(from: number): void {
  if (from !== 0) throw new RangeError("i32 computes all rows at once.");
}

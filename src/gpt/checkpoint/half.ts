import { powerOfTwo } from "../base/elementary";

/** Decodes a 16-bit float (IEEE 754 binary16): 1 sign, 5 exponent, 10 fraction bits. */
export function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * powerOfTwo(-24) : sign * (0x400 + fraction) * powerOfTwo(exponent - 25);
}

/** Decodes a bfloat16, the upper half of a float32: 1 sign, 8 exponent, 7 fraction bits. */
export function bfloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 7) & 0xff;
  const fraction = bits & 0x7f;
  if (exponent === 0xff) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * powerOfTwo(-133) : sign * (0x80 + fraction) * powerOfTwo(exponent - 134);
}

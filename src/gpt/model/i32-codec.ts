import { powerOfTwo } from "../base/elementary";
import { MAX_WEIGHT, WEIGHT_EXPONENT, WEIGHT_STEP } from "./i32-arithmetic";
import type { Codec, Stored } from "./ops";

/*
 * The integers of a model in i32 as float32, in which a checkpoint stores them. All of them are exact: a weight has 24
 * bits, m 16 and v 11. i32-adam.ts explains the word that holds m and v.
 */

/** The largest m that Adam can reach: |m| <= 2.886·sqrt(v), by the Cauchy-Schwarz inequality with β 0.85 and 0.99. */
const MAX_M = 16720;
const LEAST_M = 1 << 23;

export const i32Codec: Codec = Object.freeze({ decode, encode });

function decode(floats: Float32Array, numbers: Int32Array, from: number, what: Stored): void {
  const weight = powerOfTwo(-WEIGHT_EXPONENT);
  for (let i = 0; i < floats.length; i++) {
    const number = numbers[from + i];
    floats[i] = what === "weights" ? number * weight : moment(number, what);
  }
}

function moment(word: number, what: "m" | "v"): number {
  const unit = powerOfTwo((word & 31) - 38);
  return what === "m" ? (word >> 16) * unit : ((word & 0xffe0) << 9) * unit * unit;
}

function encode(numbers: Int32Array, from: number, floats: Float32Array, what: Stored): void {
  if (what === "weights") for (let i = 0; i < floats.length; i++) numbers[from + i] = weightOf(floats[i]);
  // Until v comes, the word holds m as a float32.
  else if (what === "m") new Float32Array(numbers.buffer, numbers.byteOffset).set(floats, from);
  else {
    const m = new Float32Array(numbers.buffer, numbers.byteOffset);
    for (let i = 0; i < floats.length; i++) numbers[from + i] = wordOf(m[from + i], floats[i]);
  }
}

/** The nearest multiple of 2^-20 in the range of a weight. */
function weightOf(value: number): number {
  const unit = powerOfTwo(WEIGHT_EXPONENT);
  const steps = Math.floor((value * unit) / WEIGHT_STEP + 0.5);
  return Math.max(-MAX_WEIGHT, Math.min(steps * WEIGHT_STEP, MAX_WEIGHT));
}

function wordOf(m: number, v: number): number {
  // Before the first step both are 0; after it M is at least 2^23.
  if (!(v > 0)) return 0;
  let k = 0;
  let M = v * powerOfTwo(76);
  for (; M >= 4 * LEAST_M && k < 31; k++) M /= 4;
  M = Math.max(LEAST_M, Math.min(Math.floor(M), 4 * LEAST_M - 1));
  const mantissa = Math.floor(m * powerOfTwo(38 - k) + 0.5);
  return (Math.max(-MAX_M, Math.min(mantissa, MAX_M)) << 16) | ((M >>> 14) << 5) | k;
}

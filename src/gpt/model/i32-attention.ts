import { LOG2_E, log2Ceiling, magnitude, mantissaExponent, mantissaOf, mulh } from "./i32-arithmetic";
import { beginGradient, checkFrom, excess, maskOf, settle, shiftOf } from "./i32-tensor";
import { LOG2_BITS, exponentials, normalize, scaled } from "./i32-softmax";
import type { IntegerTensor } from "./ops";

/* i32: causal attention over all heads. */

/** log2 e for the bias, 2^-29. */
const LOG2_E_29 = 774541002;

export function attentionForward(
  y: IntegerTensor,
  p: IntegerTensor,
  qkv: IntegerTensor,
  bias: IntegerTensor | undefined,
  from: number,
  to: number,
  n: number,
  heads: number,
  block: number,
): void {
  checkFrom(from);
  const d = n / heads;
  const q = qkv.mantissas;
  const row = p.mantissas;
  const qExponent = qkv.exponents[0];
  const kExponent = qkv.exponents[1];
  const vExponent = qkv.exponents[2];
  const factor = LOG2_E / Math.sqrt(d);
  const mantissa = mantissaOf(factor);
  const shift = qExponent + kExponent - 32 + mantissaExponent(factor) - 32 - LOG2_BITS;
  let mask = 0;
  for (let h = 0; h < heads; h++) {
    const keys = block * n + h * d;
    const values = keys + block * n;
    for (let t = 0; t < to; t++) {
      const start = (h * block * (block + 1) + t * (t + 1)) / 2;
      const query = t * n + h * d;
      let largest = -0x80000000;
      for (let s = 0; s <= t; s++) {
        let dot = 0;
        for (let i = 0; i < d; i++) dot += mulh(q[query + i], q[keys + s * n + i]);
        let score = scaled(dot, mantissa, shift);
        if (bias) score += mulh(bias.mantissas[h * block + t - s], LOG2_E_29) >> 4;
        row[start + s] = score;
        if (score > largest) largest = score;
      }
      normalize(row, start, start + t + 1, exponentials(row, start, start + t + 1, largest));
      for (let i = 0; i < d; i++) {
        let sum = 0;
        for (let s = 0; s <= t; s++) sum += mulh(row[start + s], q[values + s * n + i]);
        y.mantissas[query + i] = sum;
        mask |= magnitude(sum);
      }
    }
  }
  y.exponents[0] = vExponent - 2;
  settle(y, 0, 0, to * n, mask);
}

/** The same formula as in typescript-ops.ts: ds = p·(dp - dy·y). */
export function attentionBackward(
  dqkv: IntegerTensor,
  dbias: IntegerTensor | undefined,
  dy: IntegerTensor,
  y: IntegerTensor,
  p: IntegerTensor,
  qkv: IntegerTensor,
  rows: number,
  n: number,
  heads: number,
  block: number,
  accumulate: boolean,
): void {
  const d = n / heads;
  const q = qkv.mantissas;
  const dq = dqkv.mantissas;
  const qExponent = qkv.exponents[0];
  const kExponent = qkv.exponents[1];
  const vExponent = qkv.exponents[2];
  const yShift = y.exponents[0] - vExponent;
  // |ds| is below 2^scoreBits; `up` makes 30 bits of them, and fewer if the sums over the positions need it.
  const scoreBits = dy.bits + qkv.bits - 33 + log2Ceiling(d);
  const up = 30 - scoreBits + Math.min(0, 33 - qkv.bits - log2Ceiling(rows));
  const exponent = dy.exponents[0] + vExponent - 34;
  let biasShift = 0;
  if (dbias) {
    const aligned = exponent - excess(scoreBits, rows, dbias.bits);
    beginGradient(dbias, aligned, accumulate);
    biasShift = shiftOf(exponent - dbias.exponents[0]);
  }
  const factor = 1 / Math.sqrt(d);
  const mantissa = mantissaOf(factor);
  // A power of two changes the exponent alone.
  const isPower = mantissa === 0x40000000;
  const dsExponent = exponent + up + mantissaExponent(factor) - (isPower ? 30 : 32);
  for (let part = 0; part < 3; part++) dq.fill(0, part * block * n, part * block * n + rows * n);
  for (let h = 0; h < heads; h++) {
    const keys = block * n + h * d;
    const values = keys + block * n;
    for (let t = 0; t < rows; t++) {
      const start = (h * block * (block + 1) + t * (t + 1)) / 2;
      const query = t * n + h * d;
      let mean = 0;
      for (let i = 0; i < d; i++) mean += mulh(dy.mantissas[query + i], y.mantissas[query + i]);
      mean = yShift >= 0 ? mean >> shiftOf(yShift) : mean << -yShift;
      for (let s = 0; s <= t; s++) {
        const key = keys + s * n;
        const value = values + s * n;
        const weight = p.mantissas[start + s];
        let dp = 0;
        for (let i = 0; i < d; i++) {
          const g = dy.mantissas[query + i];
          dp += mulh(g, q[value + i]);
          dq[value + i] += mulh(weight, g);
        }
        let ds = mulh(weight, dp - mean);
        if (dbias) dbias.mantissas[h * block + t - s] += ds >> biasShift;
        ds <<= up;
        if (!isPower) ds = mulh(ds, mantissa);
        for (let i = 0; i < d; i++) {
          dq[query + i] += mulh(ds, q[key + i]);
          dq[key + i] += mulh(ds, q[query + i]);
        }
      }
    }
  }
  dqkv.exponents[0] = dsExponent + kExponent - 32;
  dqkv.exponents[1] = dsExponent + qExponent - 32;
  dqkv.exponents[2] = dy.exponents[0] - 2;
  for (let part = 0; part < 3; part++) {
    const start = part * block * n;
    settle(dqkv, part, start, rows * n, maskOf(dq, start, rows * n));
  }
}

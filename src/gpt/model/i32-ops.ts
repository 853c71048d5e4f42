import { areFinite } from "./are-finite";
import {
  bitsOf,
  EXPONENT_OF_ZERO,
  LN_2,
  LOG2_E,
  log2Ceiling,
  magnitude,
  mantissaExponent,
  mantissaOf,
  MAX_WEIGHT,
  mulh,
  mulhu,
  WEIGHT_EXPONENT,
  WEIGHT_STEP,
} from "./i32-arithmetic";
import { i32Codec } from "./i32-codec";
import { EXP2, FIRST_ROOT, INVERSE_ROOT, LOG2 } from "./i32-tables";
import type { BlockFormat, IntegerTensor, Numbers, Ops, Tensor } from "./ops";
import { portableFunctions, powerOfTwo } from "../base/elementary";

/*
 * The ops in block floating point with integers of 32 bits: for processors without an FPU, and with the same bits on
 * all. This is the specification; the ops in C are held to its bits. Integer sums do not depend on their order, so C
 * may compute them in blocks.
 *
 * A tensor has mantissas and an exponent: value = mantissa · 2^-exponent. Weights have the fixed exponent 27. A product
 * of a mantissa and a weight is the high half of their 64 bits, rounded down; half the number of terms is added to
 * each sum, which takes away the mean of these roundings.
 *
 * No sum can wrap, whatever the weights are. A tensor's `bits` are few enough that the sum of a product, K·2^bits·2^31
 * / 2^32, is at most 2^30, and so is what it is added to (see mantissaBits() in i32-format.ts). Where an op sets a
 * tensor, it shifts the mantissas until the largest has exactly so many bits (settle).
 */

/** Positions whose sums in the MLP's backward pass are rounded together: C keeps that many in memory. */
const MAX_ACTIVE = 16;
/** Scores and logits inside a softmax are in units of log2, 2^-20; their exponentials are 2^-30. */
const LOG2_BITS = 20;
const EXP_BITS = 30;
/** log2 e: for the logits, 2^-30; for the bias of attention, 2^-29. */
const LOG2_E_30 = 0x5c551d95;
const LOG2_E_29 = 774541002;
/** ε of RMSNorm, 1e-5, 2^-32. */
const EPSILON_32 = 42950;
/** The largest sum of squares, and the mean, that Adam takes. */
const MAX_ROOT = 46340;

export const i32Ops: Ops = Object.freeze({
  name: "typescript",
  dtype: "i32",
  functions: portableFunctions,
  codec: i32Codec,
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

function view(numbers: Numbers, offset: number, length: number, format?: BlockFormat): Tensor {
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

function zero({ mantissas, exponents }: IntegerTensor): void {
  mantissas.fill(0);
  exponents.fill(EXPONENT_OF_ZERO);
}

/** Shifts a block of a tensor so that its largest element has exactly `bits` bits; `mask` is the OR of magnitudes. */
function settle(x: IntegerTensor, block: number, start: number, length: number, mask: number): void {
  if (mask === 0) return;
  const shift = x.bits - bitsOf(mask);
  x.exponents[block] += shift;
  shiftAll(x.mantissas, start, length, shift);
}

/** Multiplies by 2^shift, rounded down. */
function shiftAll(x: Int32Array, start: number, length: number, shift: number): void {
  if (shift > 0) for (let i = start; i < start + length; i++) x[i] <<= shift;
  else if (shift < 0) for (let i = start; i < start + length; i++) x[i] >>= shiftOf(-shift);
}

/** A distance that an integer of 32 bits can be shifted by: 31 leaves only the sign. */
function shiftOf(distance: number): number {
  return Math.min(Math.max(distance, 0), 31);
}

/**
 * Prepares the sum of a residual and a product with x: if the product's exponent leaves no room for the residual, shifts
 * x down. Returns the exponent of the sum; the residual is to be shifted right by its own exponent less that, at most 31.
 */
function makeRoom(x: IntegerTensor, block: number, start: number, length: number, residual: number): number {
  const exponent = productExponent(x.exponents[block]);
  const missing = 1 - (residual - exponent);
  if (missing <= 0) return exponent;
  shiftAll(x.mantissas, start, length, -missing);
  x.exponents[block] -= missing;
  return exponent - missing;
}

/** The exponent of products of a tensor and a weight. */
function productExponent(exponent: number): number {
  return exponent + WEIGHT_EXPONENT - 32;
}

/** Bits by which a sum of this many terms, each of at most 2^bits, would exceed 31. */
function excess(bits: number, terms: number, documents: number): number {
  return Math.max(0, bits + log2Ceiling(terms) + documents - 31);
}

/**
 * Chooses the exponent of a weight's gradient for an addend of this exponent: the smaller of both, so that neither is
 * shifted left. Returns the distance by which the gradient so far is to be shifted right.
 */
function alignGradient(g: IntegerTensor, block: number, exponent: number, accumulate: boolean): number {
  const before = accumulate ? g.exponents[block] : exponent;
  const after = Math.min(before, exponent);
  g.exponents[block] = after;
  return shiftOf(before - after);
}

function checkFrom(from: number): void {
  if (from !== 0) throw new RangeError("i32 computes all rows at once.");
}

function embeddingForward(
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

/** Brings a gradient to the exponent of what will be added to it; a new one is zero. */
function beginGradient(g: IntegerTensor, aligned: number, accumulate: boolean): void {
  const shift = alignGradient(g, 0, aligned, accumulate);
  if (accumulate) shiftAll(g.mantissas, 0, g.mantissas.length, -shift);
  else g.mantissas.fill(0);
}

/**
 * A block of `rows` rows of y = start + (residual >> shift) + x·w, or of x·wᵀ, whose rows are `wRow` apart and columns
 * `wColumn`. Returns the mask of the results.
 */
function product(
  y: Int32Array,
  yStart: number,
  residual: Int32Array | undefined,
  shift: number,
  x: Int32Array,
  xStart: number,
  w: Int32Array,
  wStart: number,
  rows: number,
  terms: number,
  columns: number,
  wRow: number,
  wColumn: number,
): number {
  const start = terms >> 1;
  let mask = 0;
  for (let t = 0; t < rows; t++) {
    const xRow = xStart + t * terms;
    const yRow = yStart + t * columns;
    for (let j = 0; j < columns; j++) {
      let sum = residual ? (residual[yRow - yStart + j] >> shift) + start : start;
      let at = wStart + j * wColumn;
      for (let i = 0; i < terms; i++) {
        sum += mulh(x[xRow + i], w[at]);
        at += wRow;
      }
      y[yRow + j] = sum;
      mask |= magnitude(sum);
    }
  }
  return mask;
}

/** A gradient of a weight: dw (n×m) = Σ xᵀ·dy over the positions, of blocks of x and dy; or added to it. */
function outerProduct(
  dw: IntegerTensor,
  dwBlock: number,
  dwStart: number,
  dy: IntegerTensor,
  dyBlock: number,
  dyStart: number,
  x: IntegerTensor,
  rows: number,
  n: number,
  m: number,
  accumulate: boolean,
): void {
  const exponent = x.exponents[0] + dy.exponents[dyBlock] - 32;
  const aligned = exponent - excess(x.bits + dy.bits - 32, rows, dw.bits);
  const shift = alignGradient(dw, dwBlock, aligned, accumulate);
  const added = shiftOf(exponent - dw.exponents[dwBlock]);
  const g = dw.mantissas;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      const at = dwStart + i * m + j;
      let sum = rows >> 1;
      for (let t = 0; t < rows; t++) sum += mulh(x.mantissas[t * n + i], dy.mantissas[dyStart + t * m + j]);
      g[at] = (accumulate ? g[at] >> shift : 0) + (sum >> added);
    }
  }
}

/** The logits: the only linear layer without a residual. They are not settled, as the softmax takes any exponent. */
function linearForward(
  y: IntegerTensor,
  x: IntegerTensor,
  w: IntegerTensor,
  from: number,
  to: number,
  n: number,
  m: number,
): void {
  checkFrom(from);
  product(y.mantissas, 0, undefined, 0, x.mantissas, 0, w.mantissas, 0, to, n, m, m, 1);
  y.exponents[0] = productExponent(x.exponents[0]);
}

/** x may lose its lowest bits. */
function linearResidualForward(
  y: IntegerTensor,
  residual: IntegerTensor,
  x: IntegerTensor,
  w: IntegerTensor,
  from: number,
  to: number,
  n: number,
  m: number,
): void {
  checkFrom(from);
  const exponent = makeRoom(x, 0, 0, to * n, residual.exponents[0]);
  const shift = shiftOf(residual.exponents[0] - exponent);
  const mask = product(y.mantissas, 0, residual.mantissas, shift, x.mantissas, 0, w.mantissas, 0, to, n, m, m, 1);
  y.exponents[0] = exponent;
  settle(y, 0, 0, to * m, mask);
}

function linearBackward(
  dx: IntegerTensor,
  dw: IntegerTensor,
  dy: IntegerTensor,
  x: IntegerTensor,
  w: IntegerTensor,
  rows: number,
  n: number,
  m: number,
  accumulate: boolean,
): void {
  const mask = product(dx.mantissas, 0, undefined, 0, dy.mantissas, 0, w.mantissas, 0, rows, m, n, 1, m);
  dx.exponents[0] = productExponent(dy.exponents[0]);
  settle(dx, 0, 0, rows * n, mask);
  outerProduct(dw, 0, 0, dy, 0, 0, x, rows, n, m, accumulate);
}

function qkvForward(
  qkv: IntegerTensor,
  x: IntegerTensor,
  w: IntegerTensor,
  from: number,
  to: number,
  n: number,
  block: number,
): void {
  checkFrom(from);
  for (let part = 0; part < 3; part++) {
    const start = part * block * n;
    const weight = part * n * n;
    const mask = product(qkv.mantissas, start, undefined, 0, x.mantissas, 0, w.mantissas, weight, to, n, n, n, 1);
    qkv.exponents[part] = productExponent(x.exponents[0]);
    settle(qkv, part, start, to * n, mask);
  }
}

/** dqkv may lose its lowest bits. */
function qkvBackward(
  dx: IntegerTensor,
  dw: IntegerTensor,
  dqkv: IntegerTensor,
  x: IntegerTensor,
  w: IntegerTensor,
  rows: number,
  n: number,
  block: number,
  accumulate: boolean,
): void {
  for (let part = 0; part < 3; part++) {
    const start = part * block * n;
    const weight = part * n * n;
    outerProduct(dw, part, weight, dqkv, part, start, x, rows, n, n, accumulate);
    const exponent = makeRoom(dqkv, part, start, rows * n, dx.exponents[0]);
    const shift = shiftOf(dx.exponents[0] - exponent);
    const d = dx.mantissas;
    const mask = product(d, 0, d, shift, dqkv.mantissas, start, w.mantissas, weight, rows, n, n, 1, n);
    dx.exponents[0] = exponent;
    settle(dx, 0, 0, rows * n, mask);
  }
}

/** x·factor >> shift, or << -shift, which saturates at ±(2^30 - 1). */
function scaled(x: number, factor: number, shift: number): number {
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
function exponentials(x: Int32Array, start: number, end: number, largest: number): number {
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
function normalize(x: Int32Array, start: number, end: number, sum: number): void {
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

function attentionForward(
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
function attentionBackward(
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

function maskOf(x: Int32Array, start: number, length: number): number {
  let mask = 0;
  for (let i = start; i < start + length; i++) mask |= magnitude(x[i]);
  return mask;
}

/** h may lose its lowest bits. */
function mlpForward(
  y: IntegerTensor,
  residual: IntegerTensor,
  h: IntegerTensor,
  x: IntegerTensor,
  w1: IntegerTensor,
  w2: IntegerTensor,
  from: number,
  to: number,
  n: number,
  hidden: number,
): void {
  checkFrom(from);
  const units = h.mantissas;
  product(units, 0, undefined, 0, x.mantissas, 0, w1.mantissas, 0, to, n, hidden, hidden, 1);
  h.exponents[0] = productExponent(x.exponents[0]);
  for (let i = 0; i < to * hidden; i++) if (units[i] < 0) units[i] = 0;
  settle(h, 0, 0, to * hidden, maskOf(units, 0, to * hidden));
  const exponent = makeRoom(h, 0, 0, to * hidden, residual.exponents[0]);
  const shift = shiftOf(residual.exponents[0] - exponent);
  let mask = 0;
  for (let t = 0; t < to; t++) {
    for (let j = t * n; j < t * n + n; j++) {
      // A quarter, as about half of the units are active.
      let sum = (residual.mantissas[j] >> shift) + (hidden >> 2);
      for (let u = 0; u < hidden; u++) {
        const active = units[t * hidden + u];
        if (active !== 0) sum += mulh(active, w2.mantissas[u * n + j - t * n]);
      }
      y.mantissas[j] = sum;
      mask |= magnitude(sum);
    }
  }
  y.exponents[0] = exponent;
  settle(y, 0, 0, to * n, mask);
}

/** dy is read before dx, which may be dy, changes. */
function mlpBackward(
  dx: IntegerTensor,
  dw1: IntegerTensor,
  dw2: IntegerTensor,
  dy: IntegerTensor,
  h: IntegerTensor,
  x: IntegerTensor,
  w1: IntegerTensor,
  w2: IntegerTensor,
  rows: number,
  n: number,
  hidden: number,
  accumulate: boolean,
): void {
  const units = h.mantissas;
  let exponent = h.exponents[0] + dy.exponents[0] - 32;
  let aligned = exponent - excess(h.bits + dy.bits - 32, rows, dw2.bits);
  let before = alignGradient(dw2, 0, aligned, accumulate);
  let added = shiftOf(exponent - dw2.exponents[0]);
  let mask = 0;
  for (let u = 0; u < hidden; u++) {
    for (let first = 0; first < rows; first += MAX_ACTIVE) {
      const isSum = accumulate || first > 0;
      const end = Math.min(first + MAX_ACTIVE, rows);
      outerRow(dw2, u * n, 1, dy, h, u, first, end, n, hidden, isSum, first > 0 ? 0 : before, added);
      for (let t = first; t < end; t++) {
        const at = t * hidden + u;
        if (units[at] === 0) continue;
        let dh = n >> 1;
        for (let j = 0; j < n; j++) dh += mulh(dy.mantissas[t * n + j], w2.mantissas[u * n + j]);
        units[at] = dh;
        mask |= magnitude(dh);
      }
    }
  }
  h.exponents[0] = productExponent(dy.exponents[0]);
  settle(h, 0, 0, rows * hidden, mask);

  const sumExponent = makeRoom(h, 0, 0, rows * hidden, dx.exponents[0]);
  const shift = shiftOf(dx.exponents[0] - sumExponent);
  exponent = h.exponents[0] + x.exponents[0] - 32;
  aligned = exponent - excess(h.bits + x.bits - 32, rows, dw1.bits);
  before = alignGradient(dw1, 0, aligned, accumulate);
  added = shiftOf(exponent - dw1.exponents[0]);
  const d = dx.mantissas;
  for (let i = 0; i < rows * n; i++) d[i] = (d[i] >> shift) + (hidden >> 2);
  for (let u = 0; u < hidden; u++) {
    for (let first = 0; first < rows; first += MAX_ACTIVE) {
      const isSum = accumulate || first > 0;
      const end = Math.min(first + MAX_ACTIVE, rows);
      outerRow(dw1, u, hidden, x, h, u, first, end, n, hidden, isSum, first > 0 ? 0 : before, added);
    }
    for (let t = 0; t < rows; t++) {
      const dh = units[t * hidden + u];
      if (dh === 0) continue;
      for (let i = 0; i < n; i++) d[t * n + i] += mulh(dh, w1.mantissas[i * hidden + u]);
    }
  }
  dx.exponents[0] = sumExponent;
  settle(dx, 0, 0, rows * n, maskOf(d, 0, rows * n));
}

/** The gradient of one unit's weights, `step` apart: Σ h·x over the positions at which the unit is active. */
function outerRow(
  dw: IntegerTensor,
  start: number,
  step: number,
  x: IntegerTensor,
  h: IntegerTensor,
  unit: number,
  first: number,
  end: number,
  n: number,
  hidden: number,
  isSum: boolean,
  before: number,
  added: number,
): void {
  const g = dw.mantissas;
  let active = 0;
  for (let t = first; t < end; t++) if (h.mantissas[t * hidden + unit] !== 0) active++;
  for (let j = 0; j < n; j++) {
    const at = start + j * step;
    let sum = active >> 1;
    for (let t = first; t < end; t++) {
      const value = h.mantissas[t * hidden + unit];
      if (value !== 0) sum += mulh(value, x.mantissas[t * n + j]);
    }
    g[at] = (isSum ? g[at] >> before : 0) + (sum >> added);
  }
}

/** The loss is summed as log2, 2^-20, and converted at the end. */
function softmaxCrossEntropy(
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

/** The distance by which RMSNorm shifts a row left, so that its squares can be summed. */
function rowShift(x: IntegerTensor, start: number, n: number): number {
  return Math.min(30, (64 - log2Ceiling(n)) >> 1) - bitsOf(maskOf(x.mantissas, start, n));
}

/** x·2^shift, rounded down. */
function shifted(x: number, shift: number): number {
  return shift >= 0 ? x << shift : x >> shiftOf(-shift);
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
function rmsNormForward(y: IntegerTensor, x: IntegerTensor, from: number, to: number, n: number): void {
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
function rmsNormBackward(dx: IntegerTensor, dy: IntegerTensor, x: IntegerTensor, rows: number, n: number): void {
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

/**
 * Adam with both moments in a word: m in bits 31 to 16, a mantissa M of v in bits 15 to 5, and their exponent k in bits
 * 4 to 0: m·2^(k - 38), v = M·2^(2k - 76) with M from 2^23 to 2^25, of which the word has the upper 11 bits. So every
 * parameter has a range of its own. ε is the least v, M = 2^23 at k = 0.
 */
function adam(
  { mantissas: w }: IntegerTensor,
  { mantissas: g }: IntegerTensor,
  { mantissas: moments }: IntegerTensor,
  { mantissas: matrices }: IntegerTensor,
  _beta1: number,
  _beta2: number,
  _epsilon: number,
  rate: number,
  vScale: number,
): boolean {
  const step = Math.min(Math.floor((rate / Math.sqrt(vScale)) * 0x100000000 + 0.5), 0x7fffffff);
  let isInRange = true;
  for (let row = 0; row < matrices.length; row += 4) {
    const wStart = matrices[row];
    const gStart = matrices[row + 1];
    const length = matrices[row + 2];
    const blocks = matrices[row + 3];
    const size = length / blocks;
    for (let block = 0; block < blocks; block++) {
      const start = block * size;
      const exponent = g[gStart + length + block];
      if (!adamBlock(w, wStart + start, g, gStart + start, moments, size, exponent, step)) isInRange = false;
    }
  }
  return isInRange;
}

/** Whether a gradient of at most 16 bits can be shifted left without leaving 31 bits. */
function fits(gradient: number, up: number): boolean {
  const limit = up > 30 ? 0 : 0x8000 >> Math.max(0, up - 15);
  return gradient === 0 || (gradient >= -limit && gradient < limit);
}

function adamBlock(
  w: Int32Array,
  wStart: number,
  g: Int32Array,
  gStart: number,
  moments: Int32Array,
  length: number,
  exponent: number,
  step: number,
): boolean {
  let isInRange = true;
  for (let i = wStart; i < wStart + length; i++) {
    const word = moments[i];
    let k = word & 31;
    let M = (word & 0xffe0) << 9;
    let m = word >> 16;
    let gradient = g[gStart + i - wStart];
    let down = k + exponent - 38;
    // A gradient that is too large for k raises k. Both loops are rare.
    for (; down < 0 && k < 31 && !fits(gradient, -down); down++) {
      k++;
      M >>= 2;
      m >>= 1;
    }
    if (down >= 0) gradient >>= shiftOf(down);
    else if (fits(gradient, -down)) gradient <<= -down;
    else gradient = gradient > 0 ? 1 << 30 : -1 << 30;
    for (; Math.abs(gradient) > MAX_ROOT && k < 31; k++) {
      gradient >>= 1;
      M >>= 2;
      m >>= 1;
    }
    if (Math.abs(gradient) > MAX_ROOT) gradient = gradient > 0 ? 16000 : -16000;
    M += mulh(gradient * gradient - M, 42949673); // 0.01, 2^-32
    m += ((gradient - m) * 2458 + 8192) >> 14; // 0.15, 2^-14
    M += 1 << 13; // rounds the mantissa that is stored
    if (M >= 1 << 25) {
      if (k < 31) {
        M >>= 2;
        m >>= 1;
        k++;
      } else M = (1 << 25) - 1;
    } else
      while (M < 1 << 23) {
        if (k === 0) M = 1 << 23;
        else {
          M <<= 2;
          m <<= 1;
          k--;
        }
      }
    moments[i] = (m << 16) | ((M >>> 14) << 5) | k;
    const moved = w[i] - mulh(m * INVERSE_ROOT[(M >> 16) - FIRST_ROOT], step) + WEIGHT_STEP / 2;
    let weight = moved & -WEIGHT_STEP;
    if (weight > MAX_WEIGHT || weight < -MAX_WEIGHT) {
      weight = weight > 0 ? MAX_WEIGHT : -MAX_WEIGHT;
      isInRange = false;
    }
    w[i] = weight;
  }
  return isInRange;
}

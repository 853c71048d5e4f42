import { engineFunctions } from "../base/elementary";
import type { Floats, InferenceOps, Numbers } from "./ops";

/*
 * The forward half of the ops in TypeScript, in single or double precision: all that a model needs that is no longer
 * trained. typescript-ops.ts has the other half.
 *
 * Two notes on the inner loops. They take two rows of a matrix at a time, so that what both need is read
 * and written half as often. And they have one running index, as in w[start + j]: on XS an addition costs
 * two bytecodes, a second running index ten.
 */

const RMS_EPSILON = 1e-5;

/** Inference in single precision. */
export const f32InferenceOps: InferenceOps = Object.freeze({
  name: "typescript",
  dtype: "f32",
  functions: engineFunctions,
  view,
  embeddingForward,
  rmsNormForward,
  linearForward,
  linearResidualForward,
  qkvForward,
  attentionForward,
  mlpForward,
});

export function view(numbers: Numbers, offset: number, length: number): Floats {
  if (numbers instanceof Int32Array) throw new TypeError("These ops need floats.");
  return numbers.subarray(offset, offset + length);
}

export function embeddingForward(
  x: Floats,
  wte: Floats,
  wpe: Floats,
  tokens: Uint8Array,
  from: number,
  to: number,
  n: number,
): void {
  for (let t = from; t < to; t++) {
    const at = t * n;
    const token = tokens[t] * n;
    for (let i = 0; i < n; i++) x[at + i] = wte[token + i] + wpe[at + i];
  }
}

export function rmsNormForward(y: Floats, x: Floats, from: number, to: number, n: number): void {
  for (let start = from * n; start < to * n; start += n) {
    const scale = rmsScale(x, start, n);
    for (let i = start; i < start + n; i++) y[i] = x[i] * scale;
  }
}

export function rmsScale(x: Floats, start: number, n: number): number {
  let sum = 0;
  for (let i = start; i < start + n; i++) sum += x[i] * x[i];
  return 1 / Math.sqrt(sum / n + RMS_EPSILON);
}

export function linearForward(y: Floats, x: Floats, w: Floats, from: number, to: number, n: number, m: number): void {
  y.fill(0, from * m, to * m);
  for (let t = from; t < to; t++) addRowProduct(y, t * m, x, t * n, w, 0, n, m);
}

export function linearResidualForward(
  y: Floats,
  residual: Floats,
  x: Floats,
  w: Floats,
  from: number,
  to: number,
  n: number,
  m: number,
): void {
  for (let i = from * m; i < to * m; i++) y[i] = residual[i];
  for (let t = from; t < to; t++) addRowProduct(y, t * m, x, t * n, w, 0, n, m);
}

export function qkvForward(
  qkv: Floats,
  x: Floats,
  w: Floats,
  from: number,
  to: number,
  n: number,
  block: number,
): void {
  for (let part = 0; part < 3; part++) {
    const start = part * block;
    qkv.fill(0, (start + from) * n, (start + to) * n);
    for (let t = from; t < to; t++) addRowProduct(qkv, (start + t) * n, x, t * n, w, part * n * n, n, n);
  }
}

/** y += x·w for one row: m of y from yRow on, n of x from xRow on, w: n×m from wStart on. */
function addRowProduct(
  y: Floats,
  yRow: number,
  x: Floats,
  xRow: number,
  w: Floats,
  wStart: number,
  n: number,
  m: number,
): void {
  for (let i = 0; i < n; i += 2) {
    const isPair = i + 1 < n;
    const a = x[xRow + i];
    const b = isPair ? x[xRow + i + 1] : 0;
    const wa = wStart + i * m;
    const wb = isPair ? wa + m : wa;
    for (let j = 0; j < m; j++) y[yRow + j] += a * w[wa + j] + b * w[wb + j];
  }
}

export function attentionForward(
  y: Floats,
  p: Floats,
  qkv: Floats,
  bias: Floats | undefined,
  from: number,
  to: number,
  n: number,
  heads: number,
  block: number,
): void {
  const d = n / heads;
  const scale = 1 / Math.sqrt(d);
  for (let h = 0; h < heads; h++) {
    const keys = block * n + h * d;
    const values = keys + block * n;
    for (let t = from; t < to; t++) {
      const row = (h * block * (block + 1) + t * (t + 1)) / 2;
      const query = t * n + h * d;
      let largest = -Infinity;
      for (let s = 0; s <= t; s++) {
        const key = keys + s * n;
        let dot = 0;
        for (let i = 0; i < d; i++) dot += qkv[query + i] * qkv[key + i];
        dot *= scale;
        if (bias) dot += bias[h * block + t - s];
        p[row + s] = dot;
        if (dot > largest) largest = dot;
      }
      const share = 1 / exponentials(p, row, row + t + 1, largest);
      for (let i = 0; i < d; i++) y[query + i] = 0;
      for (let s = 0; s <= t; s++) {
        const value = values + s * n;
        const weight = (p[row + s] *= share);
        for (let i = 0; i < d; i++) y[query + i] += weight * qkv[value + i];
      }
    }
  }
}

export function mlpForward(
  y: Floats,
  residual: Floats,
  h: Floats,
  x: Floats,
  w1: Floats,
  w2: Floats,
  from: number,
  to: number,
  n: number,
  hidden: number,
): void {
  linearForward(h, x, w1, from, to, n, hidden);
  for (let t = from; t < to; t++) {
    const row = t * n;
    for (let j = row; j < row + n; j++) y[j] = residual[j];
    for (let u = 0; u < hidden; u++) {
      const active = h[t * hidden + u];
      if (active <= 0) h[t * hidden + u] = 0;
      else {
        // Of NaN as well: a model that has diverged must not look healthy.
        const start = u * n;
        for (let j = 0; j < n; j++) y[row + j] += active * w2[start + j];
      }
    }
  }
}

/** Replaces x by e^(x - largest), which cannot overflow, from `start` to `end`; returns the sum. */
export function exponentials(x: Floats, start: number, end: number, largest: number): number {
  let sum = 0;
  for (let i = start; i < end; i++) {
    const e = Math.exp(x[i] - largest);
    x[i] = e;
    sum += e;
  }
  return sum;
}

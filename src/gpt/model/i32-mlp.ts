import { magnitude, mulh } from "./i32-arithmetic";
import { alignGradient, checkFrom, excess, makeRoom, maskOf, productExponent, settle, shiftOf } from "./i32-tensor";
import { product } from "./i32-products";
import type { IntegerTensor } from "./ops";

/* i32: the multi-layer perceptron. */

/** Positions whose sums in the backward pass are rounded together: C keeps that many in memory. */
const MAX_ACTIVE = 16;

/** h may lose its lowest bits. */
export function mlpForward(
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
export function mlpBackward(
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

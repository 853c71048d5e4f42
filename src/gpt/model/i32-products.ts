import { magnitude, mulh } from "./i32-arithmetic";
import { alignGradient, checkFrom, excess, makeRoom, productExponent, settle, shiftOf } from "./i32-tensor";
import type { IntegerTensor } from "./ops";

/* i32: products of matrices, and the layers that are nothing else. */

/**
 * A block of `rows` rows of y = start + (residual >> shift) + x·w, or of x·wᵀ, whose rows are `wRow` apart and columns
 * `wColumn`. Returns the mask of the results.
 */
export function product(
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
export function linearForward(
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
export function linearResidualForward(
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

export function linearBackward(
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

export function qkvForward(
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
export function qkvBackward(
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

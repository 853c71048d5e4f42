import { MAX_WEIGHT, mulh, stepOf, WEIGHT_STEP } from "./i32-arithmetic";
import { shiftOf } from "./i32-tensor";
import { FIRST_ROOT, INVERSE_ROOT } from "./i32-tables";
import type { IntegerTensor } from "./ops";

/* i32: Adam. */

/** The largest gradient whose square has 31 bits. */
const MAX_ROOT = 46340;

/**
 * Adam with both moments in a word: m in bits 31 to 16, a mantissa M of v in bits 15 to 5, and their exponent k in bits
 * 4 to 0: m·2^(k - 38), v = M·2^(2k - 76) with M from 2^23 to 2^25, of which the word has the upper 11 bits. So every
 * parameter has a range of its own. ε is the least v, M = 2^23 at k = 0.
 */
export function adam(
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
  const step = stepOf(rate, vScale);
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

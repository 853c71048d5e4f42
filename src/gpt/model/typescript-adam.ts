import type { MomentWords } from "./moment-words";
import type { Floats, Ops } from "./ops";

/*
 * Adam on floats. Moments in numbers and moments in words have loops of their own: one loop for both was slower on Node.
 */

/** Ops.adam of f32 and f64. @param words reads and writes moments in words */
export function adamWith(words: MomentWords): Ops["adam"] {
  return (w: Floats, g: Floats, m: Floats | Int32Array, v: Floats, beta1, beta2, epsilon, rate, vScale) =>
    m instanceof Int32Array
      ? adamInWords(words, w, g, m, beta1, beta2, epsilon, rate, vScale)
      : adam(w, g, m, v, beta1, beta2, epsilon, rate, vScale);
}

function adam(
  w: Floats,
  g: Floats,
  m: Floats,
  v: Floats,
  beta1: number,
  beta2: number,
  epsilon: number,
  rate: number,
  vScale: number,
): boolean {
  const { length } = w;
  const { sqrt } = Math;
  const gain1 = 1 - beta1;
  const gain2 = 1 - beta2;
  for (let i = 0; i < length; i++) {
    const gi = g[i];
    const mi = beta1 * m[i] + gain1 * gi;
    const vi = beta2 * v[i] + gain2 * gi * gi;
    m[i] = mi;
    v[i] = vi;
    w[i] -= (rate * mi) / (sqrt(vi * vScale) + epsilon);
  }
  return true;
}

function adamInWords(
  words: MomentWords,
  w: Floats,
  g: Floats,
  moments: Int32Array,
  beta1: number,
  beta2: number,
  epsilon: number,
  rate: number,
  vScale: number,
): boolean {
  const { length } = w;
  const { sqrt } = Math;
  const gain1 = 1 - beta1;
  const gain2 = 1 - beta2;
  for (let i = 0; i < length; i++) {
    const gi = g[i];
    const word = moments[i];
    const mi = beta1 * words.m(word) + gain1 * gi;
    const vi = beta2 * words.v(word) + gain2 * gi * gi;
    moments[i] = words.word(mi, vi);
    w[i] -= (rate * mi) / (sqrt(vi * vScale) + epsilon);
  }
  return true;
}

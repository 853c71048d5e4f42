import { engineFunctions } from "../base/elementary";
import { InputError } from "../base/errors";
import { areFinite } from "./are-finite";
import { i32Ops } from "./i32-ops";
import { MomentWords } from "./moment-words";
import type { Dtype, Floats, Ops } from "./ops";
import { adamWith } from "./typescript-adam";
import {
  attentionForward,
  embeddingForward,
  exponentials,
  linearForward,
  linearResidualForward,
  mlpForward,
  qkvForward,
  rmsNormForward,
  rmsScale,
} from "./typescript-forward";

/*
 * The ops in TypeScript: the reference, on every engine, in single or double precision. Those of i32 begin in i32-ops.ts.
 * typescript-forward.ts has the forward half, and notes on the inner loops.
 */
export function typescriptOps(dtype: Dtype = "f32"): Ops {
  return dtype === "i32" ? i32Ops : floatOps(dtype);
}

/**
 * Those of f32 and f64. What uses these alone has none of i32 in its bundle. Allocates one object.
 * @throws InputError for i32
 */
export function floatOps(dtype: Dtype = "f32"): Ops {
  if (dtype === "i32")
    throw new InputError(
      'The dtype i32 needs its ops too: i32Ops from "esp32gpt", or opsFor("i32") from "esp32gpt/platform".',
    );
  const words = new MomentWords();
  return {
    name: "typescript",
    dtype,
    functions: engineFunctions,
    codec: undefined,
    words: dtype === "f32" ? words : undefined,
    canUpdate: () => false,
    // Integers are moments in words.
    view: (numbers, offset, length) => numbers.subarray(offset, offset + length),
    zero(x: Floats) {
      x.fill(0);
    },
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
    adam: adamWith(words),
  };
}

function embeddingBackward(
  dwte: Floats,
  dwpe: Floats,
  dx: Floats,
  tokens: Uint8Array,
  rows: number,
  n: number,
  accumulate: boolean,
): void {
  if (!accumulate) {
    dwte.fill(0);
    dwpe.fill(0);
  }
  for (let t = 0; t < rows; t++) {
    const at = t * n;
    const token = tokens[t] * n;
    for (let i = 0; i < n; i++) {
      dwte[token + i] += dx[at + i];
      dwpe[at + i] += dx[at + i];
    }
  }
}

/** With s = (mean(x²) + ε)^-½, y = s·x: dx = s·dy - s³/n·(x·dy)·x. */
function rmsNormBackward(dx: Floats, dy: Floats, x: Floats, rows: number, n: number): void {
  for (let start = 0; start < rows * n; start += n) {
    const scale = rmsScale(x, start, n);
    let dot = 0;
    for (let i = start; i < start + n; i++) dot += x[i] * dy[i];
    const pull = (dot * scale * scale * scale) / n;
    for (let i = start; i < start + n; i++) dx[i] += scale * dy[i] - pull * x[i];
  }
}

function linearBackward(
  dx: Floats,
  dw: Floats,
  dy: Floats,
  x: Floats,
  w: Floats,
  rows: number,
  n: number,
  m: number,
  accumulate: boolean,
): void {
  dx.fill(0, 0, rows * n);
  if (!accumulate) dw.fill(0);
  for (let t = 0; t < rows; t++) addRowBackward(dx, dw, dy, t * m, x, t * n, w, 0, n, m);
}

function qkvBackward(
  dx: Floats,
  dw: Floats,
  dqkv: Floats,
  x: Floats,
  w: Floats,
  rows: number,
  n: number,
  block: number,
  accumulate: boolean,
): void {
  if (!accumulate) dw.fill(0);
  for (let part = 0; part < 3; part++) {
    const start = part * block;
    for (let t = 0; t < rows; t++) addRowBackward(dx, dw, dqkv, (start + t) * n, x, t * n, w, part * n * n, n, n);
  }
}

/** dx += dy·wᵀ and dw += xᵀ·dy for one row: both run along the rows of w and dy, so one loop does both. */
function addRowBackward(
  dx: Floats,
  dw: Floats,
  dy: Floats,
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
    let da = 0;
    let db = 0;
    for (let j = 0; j < m; j++) {
      const g = dy[yRow + j];
      da += g * w[wa + j];
      db += g * w[wb + j];
      dw[wa + j] += g * a;
      dw[wb + j] += g * b;
    }
    dx[xRow + i] += da;
    if (isPair) dx[xRow + i + 1] += db;
  }
}

/**
 * Through the softmax: ds = p·(dp - Σ p·dp) with dp[s] = dy·v[s]. As y = Σ p·v, that sum is simply
 * dy·y (Dao et al. 2022, FlashAttention, appendix B), so no row of dp has to be stored.
 */
function attentionBackward(
  dqkv: Floats,
  dbias: Floats | undefined,
  dy: Floats,
  y: Floats,
  p: Floats,
  qkv: Floats,
  rows: number,
  n: number,
  heads: number,
  block: number,
  accumulate: boolean,
): void {
  const d = n / heads;
  const scale = 1 / Math.sqrt(d);
  dqkv.fill(0);
  if (dbias && !accumulate) dbias.fill(0);
  for (let h = 0; h < heads; h++) {
    const keys = block * n + h * d;
    const values = keys + block * n;
    for (let t = 0; t < rows; t++) {
      const row = (h * block * (block + 1) + t * (t + 1)) / 2;
      const query = t * n + h * d;
      let mean = 0;
      for (let i = 0; i < d; i++) mean += dy[query + i] * y[query + i];
      for (let s = 0; s <= t; s++) {
        const key = keys + s * n;
        const value = values + s * n;
        const weight = p[row + s];
        let dp = 0;
        for (let i = 0; i < d; i++) {
          const g = dy[query + i];
          dp += g * qkv[value + i];
          dqkv[value + i] += weight * g;
        }
        const dScore = weight * (dp - mean);
        if (dbias) dbias[h * block + t - s] += dScore;
        const ds = dScore * scale;
        for (let i = 0; i < d; i++) {
          dqkv[query + i] += ds * qkv[key + i];
          dqkv[key + i] += ds * qkv[query + i];
        }
      }
    }
  }
}

function mlpBackward(
  dx: Floats,
  dw1: Floats,
  dw2: Floats,
  dy: Floats,
  h: Floats,
  x: Floats,
  w1: Floats,
  w2: Floats,
  rows: number,
  n: number,
  hidden: number,
  accumulate: boolean,
): void {
  if (!accumulate) {
    dw1.fill(0);
    dw2.fill(0);
  }
  for (let t = 0; t < rows; t++) {
    const row = t * n;
    const units = t * hidden;
    for (let u = 0; u < hidden; u++) {
      const active = h[units + u];
      if (active === 0) continue;
      const start = u * n;
      let dh = 0;
      for (let j = 0; j < n; j++) {
        const g = dy[row + j];
        dh += g * w2[start + j];
        dw2[start + j] += g * active;
      }
      h[units + u] = dh;
    }
    for (let u = 0; u < hidden; u++) {
      const dh = h[units + u];
      if (dh === 0) continue;
      for (let i = 0; i < n; i++) {
        const at = i * hidden + u;
        dx[row + i] += dh * w1[at];
        dw1[at] += dh * x[row + i];
      }
    }
  }
}

function softmaxCrossEntropy(
  logits: Floats,
  tokens: Uint8Array,
  rows: number,
  vocabulary: number,
  weight: number,
): number {
  let loss = 0;
  for (let t = 0; t < rows; t++) {
    const row = t * vocabulary;
    const end = row + vocabulary;
    const target = row + tokens[t + 1];
    let largest = -Infinity;
    for (let i = row; i < end; i++) if (logits[i] > largest) largest = logits[i];
    const surplus = logits[target] - largest;
    const sum = exponentials(logits, row, end, largest);
    loss += Math.log(sum) - surplus;
    const share = weight / sum;
    for (let i = row; i < end; i++) logits[i] *= share;
    logits[target] -= weight;
  }
  return loss * (1 / rows);
}

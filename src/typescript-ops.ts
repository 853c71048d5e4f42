import type { Dtype, Floats, Ops } from "./ops";

const RMS_EPSILON = 1e-5;

/** The ops in TypeScript: the readable truth, on every engine, in single or double precision. */
export function typescriptOps(dtype: Dtype): Ops {
  return {
    name: "typescript",
    dtype,
    view: (floats, offset, length) => floats.subarray(offset, offset + length),
    zero: (x: Floats) => void x.fill(0),
    embeddingForward,
    embeddingBackward,
    rmsNormForward,
    rmsNormBackward,
    linearForward,
    linearResidualForward,
    linearBackward,
    attentionForward,
    attentionBackward,
    mlpForward,
    mlpBackward,
    softmaxCrossEntropy,
    adam,
  };
}

function embeddingForward(
  x: Floats,
  wte: Floats,
  wpe: Floats,
  tokens: Uint8Array,
  from: number,
  to: number,
  n: number,
): void {
  for (let t = from, at = from * n; t < to; t++) {
    for (let i = tokens[t] * n, end = i + n; i < end; i++, at++) x[at] = wte[i] + wpe[at];
  }
}

function embeddingBackward(dwte: Floats, dwpe: Floats, dx: Floats, tokens: Uint8Array, rows: number, n: number): void {
  for (let t = 0, at = 0; t < rows; t++) {
    for (let i = tokens[t] * n, end = i + n; i < end; i++, at++) {
      dwte[i] += dx[at];
      dwpe[at] += dx[at];
    }
  }
}

function rmsNormForward(y: Floats, x: Floats, from: number, to: number, n: number): void {
  for (let start = from * n; start < to * n; start += n) {
    const scale = rmsScale(x, start, n);
    for (let i = start; i < start + n; i++) y[i] = x[i] * scale;
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

function rmsScale(x: Floats, start: number, n: number): number {
  let sum = 0;
  for (let i = start; i < start + n; i++) sum += x[i] * x[i];
  return 1 / Math.sqrt(sum / n + RMS_EPSILON);
}

function linearForward(y: Floats, x: Floats, w: Floats, from: number, to: number, n: number, m: number): void {
  y.fill(0, from * m, to * m);
  addProduct(y, x, w, from, to, n, m);
}

function linearResidualForward(
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
  addProduct(y, x, w, from, to, n, m);
}

/** y += x·w; two rows of w at a time, so that y is read and written half as often. */
function addProduct(y: Floats, x: Floats, w: Floats, from: number, to: number, n: number, m: number): void {
  for (let t = from; t < to; t++) {
    const start = t * m;
    const end = start + m;
    for (let i = 0; i < n; i += 2) {
      const isPair = i + 1 < n;
      const a = x[t * n + i];
      const b = isPair ? x[t * n + i + 1] : 0;
      let wa = i * m;
      let wb = isPair ? wa + m : wa;
      for (let j = start; j < end; j++, wa++, wb++) y[j] += a * w[wa] + b * w[wb];
    }
  }
}

/**
 * dx = dy·wᵀ, dw = xᵀ·dy: both walk along the rows of w and dy, so one loop serves them, again two
 * rows of w at a time.
 */
function linearBackward(
  dx: Floats,
  dw: Floats,
  dy: Floats,
  x: Floats,
  w: Floats,
  rows: number,
  n: number,
  m: number,
): void {
  for (let t = 0; t < rows; t++) {
    const start = t * m;
    const end = start + m;
    for (let i = 0; i < n; i += 2) {
      const isPair = i + 1 < n;
      const at = t * n + i;
      const a = x[at];
      const b = isPair ? x[at + 1] : 0;
      let da = 0;
      let db = 0;
      let wa = i * m;
      let wb = isPair ? wa + m : wa;
      for (let j = start; j < end; j++, wa++, wb++) {
        const g = dy[j];
        da += g * w[wa];
        db += g * w[wb];
        dw[wa] += g * a;
        dw[wb] += g * b;
      }
      dx[at] += da;
      if (isPair) dx[at + 1] += db;
    }
  }
}

function mlpForward(
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
  for (let t = from, unit = from * hidden; t < to; t++) {
    const start = t * n;
    const end = start + n;
    for (let j = start; j < end; j++) y[j] = residual[j];
    for (let wi = 0; wi < hidden * n; unit++) {
      const active = h[unit];
      if (active > 0) for (let j = start; j < end; j++, wi++) y[j] += active * w2[wi];
      else {
        h[unit] = 0;
        wi += n;
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
): void {
  for (let t = 0; t < rows; t++) {
    const start = t * n;
    const end = start + n;
    const units = t * hidden;
    for (let u = 0; u < hidden; u++) {
      const active = h[units + u];
      if (active === 0) continue;
      let dh = 0;
      for (let j = start, wi = u * n; j < end; j++, wi++) {
        const g = dy[j];
        dh += g * w2[wi];
        dw2[wi] += g * active;
      }
      h[units + u] = dh;
    }
    for (let u = 0; u < hidden; u++) {
      const dh = h[units + u];
      if (dh === 0) continue;
      for (let i = start, wi = u; i < end; i++, wi += hidden) {
        dx[i] += dh * w1[wi];
        dw1[wi] += dh * x[i];
      }
    }
  }
}

function attentionForward(
  y: Floats,
  p: Floats,
  q: Floats,
  k: Floats,
  v: Floats,
  from: number,
  to: number,
  n: number,
  heads: number,
  block: number,
): void {
  const d = n / heads;
  const scale = 1 / Math.sqrt(d);
  for (let h = 0; h < heads; h++) {
    for (let t = from; t < to; t++) {
      const row = (h * block * (block + 1) + t * (t + 1)) / 2;
      const end = row + t + 1;
      const query = t * n + h * d;
      let largest = -Infinity;
      for (let s = row, key = h * d; s < end; s++, key += n) {
        let dot = 0;
        for (let i = 0; i < d; i++) dot += q[query + i] * k[key + i];
        p[s] = dot * scale;
        if (p[s] > largest) largest = p[s];
      }
      const share = 1 / exponentials(p, row, end, largest);
      for (let i = query; i < query + d; i++) y[i] = 0;
      for (let s = row, value = h * d; s < end; s++, value += n) {
        const weight = (p[s] *= share);
        for (let i = 0; i < d; i++) y[query + i] += weight * v[value + i];
      }
    }
  }
}

/**
 * Through the softmax: ds = p·(dp - Σ p·dp) with dp[s] = dy·v[s]. As y = Σ p·v, that sum is simply
 * dy·y (Dao et al. 2022, FlashAttention, appendix B), so no row of dp has to be kept.
 */
function attentionBackward(
  dq: Floats,
  dk: Floats,
  dv: Floats,
  dy: Floats,
  y: Floats,
  p: Floats,
  q: Floats,
  k: Floats,
  v: Floats,
  rows: number,
  n: number,
  heads: number,
  block: number,
): void {
  const d = n / heads;
  const scale = 1 / Math.sqrt(d);
  for (let h = 0; h < heads; h++) {
    for (let t = 0; t < rows; t++) {
      const row = (h * block * (block + 1) + t * (t + 1)) / 2;
      const query = t * n + h * d;
      let mean = 0;
      for (let i = query; i < query + d; i++) mean += dy[i] * y[i];
      for (let s = row, key = h * d; s <= row + t; s++, key += n) {
        const weight = p[s];
        let dp = 0;
        for (let i = 0; i < d; i++) {
          const g = dy[query + i];
          dp += g * v[key + i];
          dv[key + i] += weight * g;
        }
        const ds = weight * (dp - mean) * scale;
        for (let i = 0; i < d; i++) {
          dq[query + i] += ds * k[key + i];
          dk[key + i] += ds * q[query + i];
        }
      }
    }
  }
}

function softmaxCrossEntropy(logits: Floats, tokens: Uint8Array, rows: number, vocabulary: number): number {
  let loss = 0;
  const perRow = 1 / rows;
  for (let t = 0; t < rows; t++) {
    const row = t * vocabulary;
    const end = row + vocabulary;
    const target = row + tokens[t + 1];
    let largest = -Infinity;
    for (let i = row; i < end; i++) if (logits[i] > largest) largest = logits[i];
    const surplus = logits[target] - largest;
    const sum = exponentials(logits, row, end, largest);
    loss += Math.log(sum) - surplus;
    const share = perRow / sum;
    for (let i = row; i < end; i++) logits[i] *= share;
    logits[target] -= perRow;
  }
  return loss * perRow;
}

/** Replaces x by e^(x - largest), which cannot overflow, from `start` to `end`; returns the sum. */
function exponentials(x: Floats, start: number, end: number, largest: number): number {
  let sum = 0;
  for (let i = start; i < end; i++) {
    const e = Math.exp(x[i] - largest);
    x[i] = e;
    sum += e;
  }
  return sum;
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
): void {
  const length = w.length;
  const gain1 = 1 - beta1;
  const gain2 = 1 - beta2;
  for (let i = 0; i < length; i++) {
    const gi = g[i];
    const mi = beta1 * m[i] + gain1 * gi;
    const vi = beta2 * v[i] + gain2 * gi * gi;
    m[i] = mi;
    v[i] = vi;
    w[i] -= (rate * mi) / (Math.sqrt(vi * vScale) + epsilon);
  }
}

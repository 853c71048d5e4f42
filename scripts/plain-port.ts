import { BETA1, BETA2, EPSILON } from "../src/gpt/training/adam";
import { DEFAULT_MODEL, type ModelConfig } from "../src/gpt/model/config";

const VOCABULARY_SIZE = DEFAULT_MODEL.vocabularySize;

interface Position {
  readonly x: Float32Array;
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
  readonly p: Float32Array;
  readonly attention: Float32Array;
  readonly middle: Float32Array;
  readonly hidden: Float32Array;
  readonly output: Float32Array;
  readonly logits: Float32Array;
  readonly dk: Float32Array;
  readonly dv: Float32Array;
}

/**
 * The baseline of the benchmark: the same model (preset esp32gpt, one layer) as a plain loop over positions, with one
 * vector-matrix product per token and matrix, like the original. It does not allocate. Its losses are those of the
 * library; only its order of operations is naive.
 */
export class PlainPort {
  private readonly g: Float32Array;
  private readonly m: Float32Array;
  private readonly v: Float32Array;
  private readonly positions: Position[];
  private readonly dx: Float32Array;
  private readonly dq: Float32Array;
  private readonly dAttention: Float32Array;
  private readonly dHidden: Float32Array;
  private readonly dp: Float32Array;

  constructor(
    private readonly config: ModelConfig,
    readonly parameters: Float32Array,
  ) {
    const { nEmbd, nHead, blockSize } = config;
    const row = (length = nEmbd): Float32Array => new Float32Array(length);
    this.g = row(parameters.length);
    this.m = row(parameters.length);
    this.v = row(parameters.length);
    this.positions = Array.from({ length: blockSize }, () => ({
      x: row(),
      q: row(),
      k: row(),
      v: row(),
      p: row(nHead * blockSize),
      attention: row(),
      middle: row(),
      hidden: row(4 * nEmbd),
      output: row(),
      logits: row(VOCABULARY_SIZE),
      dk: row(),
      dv: row(),
    }));
    this.dx = row();
    this.dq = row();
    this.dAttention = row();
    this.dHidden = row(4 * nEmbd);
    this.dp = row(blockSize);
  }

  /** One training step on tokens[0] to tokens[rows]. Returns the loss. */
  step(tokens: Uint8Array, rows: number, step: number, learningRate: number): number {
    const { nEmbd: n, nHead, blockSize } = this.config;
    const { parameters: w, g, positions, dx, dq, dAttention, dHidden, dp } = this;
    const d = n / nHead;
    const scale = 1 / Math.sqrt(d);
    const wpe = VOCABULARY_SIZE * n;
    const wq = wpe + blockSize * n;
    const wk = wq + n * n;
    const wv = wk + n * n;
    const wo = wv + n * n;
    const w1 = wo + n * n;
    const w2 = w1 + 4 * n * n;
    const wout = w2 + 4 * n * n;

    let loss = 0;
    for (let t = 0; t < rows; t++) {
      const { x, q, k, v, p, attention, middle, hidden, output, logits } = positions[t];
      for (let i = 0; i < n; i++) x[i] = w[tokens[t] * n + i] + w[wpe + t * n + i];
      product(q, x, w, wq);
      product(k, x, w, wk);
      product(v, x, w, wv);
      for (let h = 0; h < nHead; h++) {
        const row = h * blockSize;
        for (let s = 0; s <= t; s++) {
          let dot = 0;
          for (let i = h * d; i < (h + 1) * d; i++) dot += q[i] * positions[s].k[i];
          p[row + s] = dot * scale;
        }
        softmax(p, row, t + 1);
        for (let i = h * d; i < (h + 1) * d; i++) {
          let sum = 0;
          for (let s = 0; s <= t; s++) sum += p[row + s] * positions[s].v[i];
          attention[i] = sum;
        }
      }
      product(middle, attention, w, wo);
      for (let i = 0; i < n; i++) middle[i] += x[i];
      product(hidden, middle, w, w1);
      for (let i = 0; i < 4 * n; i++) if (hidden[i] < 0) hidden[i] = 0;
      product(output, hidden, w, w2);
      for (let i = 0; i < n; i++) output[i] += middle[i];
      product(logits, output, w, wout);
      softmax(logits, 0, VOCABULARY_SIZE);
      loss -= Math.log(logits[tokens[t + 1]]) / rows;
    }

    g.fill(0);
    for (let t = 0; t < rows; t++) {
      positions[t].dk.fill(0);
      positions[t].dv.fill(0);
    }
    for (let t = rows - 1; t >= 0; t--) {
      const { x, q, p, attention, middle, hidden, output, logits } = positions[t];
      logits[tokens[t + 1]] -= 1;
      for (let i = 0; i < VOCABULARY_SIZE; i++) logits[i] /= rows;
      dx.fill(0);
      productBackward(dx, g, logits, output, w, wout);
      dHidden.fill(0);
      productBackward(dHidden, g, dx, hidden, w, w2);
      for (let i = 0; i < 4 * n; i++) if (hidden[i] === 0) dHidden[i] = 0;
      productBackward(dx, g, dHidden, middle, w, w1);
      dAttention.fill(0);
      productBackward(dAttention, g, dx, attention, w, wo);
      dq.fill(0);
      for (let h = 0; h < nHead; h++) {
        const row = h * blockSize;
        let mean = 0;
        for (let s = 0; s <= t; s++) {
          const { v, dv } = positions[s];
          let dot = 0;
          for (let i = h * d; i < (h + 1) * d; i++) {
            dot += dAttention[i] * v[i];
            dv[i] += p[row + s] * dAttention[i];
          }
          dp[s] = dot;
          mean += p[row + s] * dot;
        }
        for (let s = 0; s <= t; s++) {
          const ds = p[row + s] * (dp[s] - mean) * scale;
          const key = positions[s];
          for (let i = h * d; i < (h + 1) * d; i++) {
            dq[i] += ds * key.k[i];
            key.dk[i] += ds * q[i];
          }
        }
      }
      productBackward(dx, g, dq, x, w, wq);
      productBackward(dx, g, positions[t].dk, x, w, wk);
      productBackward(dx, g, positions[t].dv, x, w, wv);
      for (let i = 0; i < n; i++) {
        g[tokens[t] * n + i] += dx[i];
        g[wpe + t * n + i] += dx[i];
      }
    }
    adam(w, g, this.m, this.v, step, learningRate);
    return loss;
  }
}

function product(y: Float32Array, x: Float32Array, w: Float32Array, offset: number): void {
  const n = x.length;
  const m = y.length;
  for (let j = 0; j < m; j++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += x[i] * w[offset + i * m + j];
    y[j] = sum;
  }
}

function productBackward(
  dx: Float32Array,
  g: Float32Array,
  dy: Float32Array,
  x: Float32Array,
  w: Float32Array,
  offset: number,
): void {
  const n = x.length;
  const m = dy.length;
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let j = 0; j < m; j++) {
      sum += dy[j] * w[offset + i * m + j];
      g[offset + i * m + j] += dy[j] * x[i];
    }
    dx[i] += sum;
  }
}

function softmax(x: Float32Array, start: number, length: number): void {
  let largest = -Infinity;
  for (let i = start; i < start + length; i++) if (x[i] > largest) largest = x[i];
  let sum = 0;
  for (let i = start; i < start + length; i++) {
    x[i] = Math.exp(x[i] - largest);
    sum += x[i];
  }
  for (let i = start; i < start + length; i++) x[i] /= sum;
}

function adam(
  w: Float32Array,
  g: Float32Array,
  m: Float32Array,
  v: Float32Array,
  step: number,
  learningRate: number,
): void {
  const correction1 = 1 - BETA1 ** (step + 1);
  const correction2 = 1 - BETA2 ** (step + 1);
  for (let i = 0; i < w.length; i++) {
    m[i] = BETA1 * m[i] + (1 - BETA1) * g[i];
    v[i] = BETA2 * v[i] + (1 - BETA2) * g[i] * g[i];
    w[i] -= (learningRate * (m[i] / correction1)) / (Math.sqrt(v[i] / correction2) + EPSILON);
  }
}

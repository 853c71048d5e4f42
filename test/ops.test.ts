import fc from "fast-check";
import { Random } from "../src/gpt/model/random";
import { typescriptOps } from "../src/gpt/model/typescript-ops";
import { gaussians, largestDifference } from "./helpers";

/** Shapes small enough to be many, with odd and even sizes, one row, one column. */
const shapes = fc.record({
  rows: fc.integer({ min: 1, max: 6 }),
  extraRows: fc.integer({ min: 0, max: 2 }),
  n: fc.integer({ min: 1, max: 9 }),
  m: fc.integer({ min: 1, max: 9 }),
  heads: fc.integer({ min: 1, max: 3 }),
  seed: fc.integer({ min: 1, max: 0xffffffff }),
});

type Shape = typeof shapes extends fc.Arbitrary<infer T> ? T : never;

const ops = typescriptOps("f64");

type Matrix = number[][];

function matrix(flat: ArrayLike<number>, rows: number, columns: number): Matrix {
  return Array.from({ length: rows }, (_, t) => Array.from({ length: columns }, (_, i) => flat[t * columns + i]));
}

function product(x: Matrix, w: Matrix): Matrix {
  return x.map((row) => w[0].map((_, j) => row.reduce((sum, value, i) => sum + value * w[i][j], 0)));
}

function plus(a: Matrix, b: Matrix): Matrix {
  return a.map((row, t) => row.map((value, i) => value + b[t][i]));
}

function dot(a: number[], b: number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

function softmax(x: number[]): number[] {
  const sum = x.reduce((total, value) => total + Math.exp(value), 0);
  return x.map((value) => Math.exp(value) / sum);
}

function randomTokens(random: Random, length: number, vocabulary: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.index(vocabulary));
}

/** One op on random inputs: its outputs, and what a plain formula says they are. */
interface Trial {
  run: (from: number, to: number, outputs: Float64Array[]) => void;
  /** Of each output, how many numbers a row has (0: rows are not told apart), and what they must be. */
  outputs: { width: number; expected: number[] }[];
}

type MakeTrial = (shape: { rows: number; n: number; m: number; heads: number; block: number; random: Random }) => Trial;

const trials: Record<string, MakeTrial> = {
  embeddingForward({ rows, n, block, random }) {
    const vocabulary = 5;
    const wte = gaussians(random, vocabulary * n);
    const wpe = gaussians(random, block * n);
    const tokens = randomTokens(random, rows, vocabulary);
    const expected = [...tokens].flatMap((token, t) =>
      Array.from({ length: n }, (_, i) => wte[token * n + i] + wpe[t * n + i]),
    );
    return {
      run: (from, to, [x]) => ops.embeddingForward(x, wte, wpe, tokens, from, to, n),
      outputs: [{ width: n, expected }],
    };
  },

  rmsNormForward({ rows, n, random }) {
    const x = gaussians(random, rows * n);
    const expected = matrix(x, rows, n).flatMap((row) => {
      const scale = Math.sqrt(dot(row, row) / n + 1e-5);
      return row.map((value) => value / scale);
    });
    return {
      run: (from, to, [y]) => ops.rmsNormForward(y, x, from, to, n),
      outputs: [{ width: n, expected }],
    };
  },

  linearForward({ rows, n, m, random }) {
    const x = gaussians(random, rows * n);
    const w = gaussians(random, n * m);
    return {
      run: (from, to, [y]) => ops.linearForward(y, x, w, from, to, n, m),
      outputs: [{ width: m, expected: product(matrix(x, rows, n), matrix(w, n, m)).flat() }],
    };
  },

  linearResidualForward({ rows, n, m, random }) {
    const residual = gaussians(random, rows * m);
    const x = gaussians(random, rows * n);
    const w = gaussians(random, n * m);
    const expected = plus(matrix(residual, rows, m), product(matrix(x, rows, n), matrix(w, n, m))).flat();
    return {
      run: (from, to, [y]) => ops.linearResidualForward(y, residual, x, w, from, to, n, m),
      outputs: [{ width: m, expected }],
    };
  },

  qkvForward({ rows, n, block, random }) {
    const x = gaussians(random, rows * n);
    const w = gaussians(random, 3 * n * n);
    const unused = new Array<number>((block - rows) * n).fill(NaN);
    const expected = [0, 1, 2].flatMap((part) => [
      ...product(matrix(x, rows, n), matrix(w.subarray(part * n * n), n, n)).flat(),
      ...unused,
    ]);
    return {
      run: (from, to, [qkv]) => ops.qkvForward(qkv, x, w, from, to, n, block),
      outputs: [{ width: 0, expected }],
    };
  },

  attentionForward({ rows, n: d, heads, block, random }) {
    const n = heads * d;
    const qkv = gaussians(random, 3 * block * n);
    const [q, k, v] = [0, 1, 2].map((part) => qkv.subarray(part * block * n));
    const head = (x: Float64Array, h: number): Matrix => matrix(x, rows, n).map((row) => row.slice(h * d, (h + 1) * d));
    const y = new Array<number>(rows * n).fill(0);
    const triangle = (block * (block + 1)) / 2;
    const p = new Array<number>(heads * triangle).fill(NaN);
    for (let h = 0; h < heads; h++) {
      for (let t = 0; t < rows; t++) {
        const scores = head(k, h)
          .slice(0, t + 1)
          .map((key) => dot(head(q, h)[t], key) / Math.sqrt(d));
        softmax(scores).forEach((probability, s) => {
          p[h * triangle + (t * (t + 1)) / 2 + s] = probability;
          for (let i = 0; i < d; i++) y[t * n + h * d + i] += probability * head(v, h)[s][i];
        });
      }
    }
    return {
      run: (from, to, [y, p]) => ops.attentionForward(y, p, qkv, undefined, from, to, n, heads, block),
      outputs: [
        { width: n, expected: y },
        { width: 0, expected: p },
      ],
    };
  },

  mlpForward({ rows, n, m: hidden, random }) {
    const residual = gaussians(random, rows * n);
    const x = gaussians(random, rows * n);
    const w1 = gaussians(random, n * hidden);
    const w2 = gaussians(random, hidden * n);
    const h = product(matrix(x, rows, n), matrix(w1, n, hidden)).map((row) => row.map((value) => Math.max(value, 0)));
    const y = plus(matrix(residual, rows, n), product(h, matrix(w2, hidden, n)));
    return {
      run: (from, to, [y, h]) => ops.mlpForward(y, residual, h, x, w1, w2, from, to, n, hidden),
      outputs: [
        { width: n, expected: y.flat() },
        { width: hidden, expected: h.flat() },
      ],
    };
  },
};

/** Numbers where the expectation has NaN lie outside of what the op may touch. */
function expectWithin(actual: Float64Array, expected: number[], tolerance: number): void {
  for (let i = 0; i < expected.length; i++) {
    if (Number.isNaN(expected[i])) expect(actual[i]).toBeNaN();
    else expect(Math.abs(actual[i] - expected[i])).toBeLessThanOrEqual(tolerance * (1 + Math.abs(expected[i])));
  }
}

const emptyOutputs = ({ outputs }: Trial): Float64Array[] =>
  outputs.map(({ expected }) => new Float64Array(expected.length).fill(NaN));

describe.each(Object.entries(trials))("%s", (_name, makeTrial) => {
  const trialOf = ({ rows, extraRows, seed, ...sizes }: Shape): Trial =>
    makeTrial({ rows, block: rows + extraRows, random: new Random(seed), ...sizes });

  test("computes its formula, and writes nowhere else", () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const trial = trialOf(shape);
        const outputs = emptyOutputs(trial);
        trial.run(0, shape.rows, outputs);
        outputs.forEach((output, i) => expectWithin(output, trial.outputs[i].expected, 1e-12));
      }),
    );
  });

  test("gives the same numbers row by row, in any cut, as for all rows at once", () => {
    fc.assert(
      fc.property(shapes, fc.nat(), (shape, cut) => {
        const trial = trialOf(shape);
        const whole = emptyOutputs(trial);
        trial.run(0, shape.rows, whole);
        const pieces = emptyOutputs(trial);
        const middle = cut % (shape.rows + 1);
        trial.run(0, middle, pieces);
        pieces.forEach((piece, i) => {
          const { width } = trial.outputs[i];
          expect([...piece.subarray(0, middle * width)]).toEqual([...whole[i].subarray(0, middle * width)]);
          if (width > 0) expect(piece.subarray(middle * width).every(Number.isNaN)).toBe(true);
        });
        trial.run(middle, shape.rows, pieces);
        pieces.forEach((piece, i) => expect([...piece]).toEqual([...whole[i]]));
      }),
    );
  });
});

describe("attentionForward", () => {
  test("does not overflow, however large the scores", () => {
    const [y, p] = [new Float64Array(2), new Float64Array(3)];
    const [q, k, v] = [
      [1e6, 1e6],
      [-1e6, 1e6],
      [3, 5],
    ];
    ops.attentionForward(y, p, Float64Array.of(...q, ...k, ...v), undefined, 0, 2, 1, 1, 2);
    expect([...p]).toEqual([1, 0, 1]);
    expect([...y]).toEqual([3, 5]);
  });
});

describe("softmaxCrossEntropy", () => {
  test("is the mean of -log softmax of the next token", () => {
    fc.assert(
      fc.property(shapes, ({ rows, m, seed }) => {
        const vocabulary = m + 1;
        const random = new Random(seed);
        const logits = gaussians(random, rows * vocabulary);
        const tokens = randomTokens(random, rows + 1, vocabulary);
        const expected = matrix(logits, rows, vocabulary)
          .map((row, t) => -Math.log(softmax(row)[tokens[t + 1]]))
          .reduce((sum, loss) => sum + loss / rows, 0);
        expect(ops.softmaxCrossEntropy(logits, tokens, rows, vocabulary, 1 / rows)).toBeCloseTo(expected, 12);
      }),
    );
  });

  test.each<["f32" | "f64", number]>([
    ["f32", 1e4],
    ["f32", 1e38],
    ["f64", 1e300],
  ])("in %s, logits of ±%d neither overflow nor underflow", (dtype, huge) => {
    const logits = dtype === "f32" ? Float32Array.of(huge, -huge, 0) : Float64Array.of(huge, -huge, 0);
    const wrong = logits.slice();
    const ops = typescriptOps(dtype);
    expect(ops.softmaxCrossEntropy(logits, Uint8Array.of(2, 0), 1, 3, 1)).toBe(0);
    expect([...logits]).toEqual([0, 0, 0]);
    const loss = ops.softmaxCrossEntropy(wrong, Uint8Array.of(2, 1), 1, 3, 1);
    expect(Math.abs(loss / (2 * huge) - 1)).toBeLessThan(1e-6);
    expect([...wrong]).toEqual([1, -1, 0]);
  });
});

test.each([NaN, Infinity, -Infinity])("areFinite finds %d in any place", (value) => {
  for (let i = 0; i < 3; i++) {
    const x = Float64Array.of(0, 1e308, -5e-324);
    expect(ops.areFinite(x)).toBe(true);
    x[i] = value;
    expect(ops.areFinite(x)).toBe(false);
  }
});

test("view is a window on the same memory, and zero clears it and nothing else", () => {
  const floats = Float64Array.of(1, 2, 3, 4);
  ops.zero(ops.view(floats, 1, 2));
  expect(largestDifference(floats, [1, 0, 0, 4])).toBe(0);
});

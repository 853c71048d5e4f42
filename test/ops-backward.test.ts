import fc from "fast-check";
import { Random } from "../src/gpt/model/random";
import { typescriptOps } from "../src/gpt/model/typescript-ops";
import { gaussians } from "./helpers";

/*
 * Every backward pass against central differences, in double precision, of the loss
 * Σ coefficient·output with random coefficients: their gradient is what the pass starts from.
 */

const EPSILON = 1e-4;
const ops = typescriptOps("f64");

const shapes = fc.record({
  rows: fc.integer({ min: 1, max: 5 }),
  extraRows: fc.integer({ min: 0, max: 2 }),
  n: fc.integer({ min: 1, max: 7 }),
  m: fc.integer({ min: 1, max: 7 }),
  heads: fc.integer({ min: 1, max: 3 }),
  /** Whether the gradients of weights are added to what is there. */
  accumulate: fc.boolean(),
  seed: fc.integer({ min: 1, max: 0xffffffff }),
});

interface Differentiable {
  readonly inputs: readonly Float64Array[];
  /** Indices of the inputs to whose gradients the pass adds; it sets those of the others. */
  readonly adds?: readonly number[];
  forward: () => Float64Array;
  /** Makes the gradients of the inputs, given that of the output. The forward pass has just run. */
  backward: (gradients: readonly Float64Array[], dy: Float64Array) => void;
}

function expectGradients({ inputs, adds = [], forward, backward }: Differentiable, random: Random): void {
  const coefficients = gaussians(random, forward().length);
  const loss = (): number => forward().reduce((sum, value, i) => sum + coefficients[i] * value, 0);

  const before = inputs.map(({ length }) => gaussians(random, length));
  const gradients = before.map((values) => values.slice());
  forward();
  backward(gradients, coefficients.slice());

  inputs.forEach((input, which) => {
    for (let i = 0; i < input.length; i++) {
      const value = input[i];
      input[i] = value + EPSILON;
      const above = loss();
      input[i] = value - EPSILON;
      const below = loss();
      input[i] = value;
      const numerical = (above - below) / (2 * EPSILON);
      const analytic = gradients[which][i] - (adds.includes(which) ? before[which][i] : 0);
      expect(Math.abs(analytic - numerical)).toBeLessThanOrEqual(1e-6 * (1 + Math.abs(analytic)));
    }
  });
}

test("embedding", () => {
  fc.assert(
    fc.property(shapes, ({ rows, extraRows, n, accumulate, seed }) => {
      const random = new Random(seed);
      const vocabulary = 3;
      const inputs = [gaussians(random, vocabulary * n), gaussians(random, (rows + extraRows) * n)];
      const [wte, wpe] = inputs;
      const tokens = Uint8Array.from({ length: rows }, () => random.index(vocabulary));
      const x = new Float64Array(rows * n);
      const forward = (): Float64Array => (ops.embeddingForward(x, wte, wpe, tokens, 0, rows, n), x);
      const backward: Differentiable["backward"] = ([dwte, dwpe], dx) =>
        ops.embeddingBackward(dwte, dwpe, dx, tokens, rows, n, accumulate);
      expectGradients({ inputs, adds: accumulate ? [0, 1] : [], forward, backward }, random);
    }),
  );
});

test("RMSNorm", () => {
  fc.assert(
    // One column is ±1 whatever x is, but for the epsilon: too steep near 0 for differences.
    fc.property(shapes, ({ rows, n: columns, seed }) => {
      const n = columns + 1;
      const random = new Random(seed);
      const x = gaussians(random, rows * n);
      for (let t = 0; t < rows; t++) fc.pre(Math.hypot(...x.subarray(t * n, (t + 1) * n)) > 0.3);
      const y = new Float64Array(rows * n);
      expectGradients(
        {
          inputs: [x],
          adds: [0],
          forward: () => (ops.rmsNormForward(y, x, 0, rows, n), y),
          backward: ([dx], dy) => ops.rmsNormBackward(dx, dy, x, rows, n),
        },
        random,
      );
    }),
  );
});

test("linear", () => {
  fc.assert(
    fc.property(shapes, ({ rows, n, m, accumulate, seed }) => {
      const random = new Random(seed);
      const inputs = [gaussians(random, rows * n), gaussians(random, n * m)];
      const [x, w] = inputs;
      const y = new Float64Array(rows * m);
      expectGradients(
        {
          inputs,
          adds: accumulate ? [1] : [],
          forward: () => (ops.linearForward(y, x, w, 0, rows, n, m), y),
          backward: ([dx, dw], dy) => ops.linearBackward(dx, dw, dy, x, w, rows, n, m, accumulate),
        },
        random,
      );
    }),
  );
});

test("queries, keys and values", () => {
  fc.assert(
    fc.property(shapes, ({ rows, extraRows, n, accumulate, seed }) => {
      const random = new Random(seed);
      const block = rows + extraRows;
      const inputs = [gaussians(random, rows * n), gaussians(random, 3 * n * n)];
      const [x, w] = inputs;
      const qkv = new Float64Array(3 * block * n);
      expectGradients(
        {
          inputs,
          adds: accumulate ? [0, 1] : [0],
          forward: () => (ops.qkvForward(qkv, x, w, 0, rows, n, block), qkv),
          backward: ([dx, dw], dqkv) => ops.qkvBackward(dx, dw, dqkv, x, w, rows, n, block, accumulate),
        },
        random,
      );
    }),
  );
});

test.each([false, true])("attention, with a bias by distance: %p", (hasBias) => {
  fc.assert(
    fc.property(shapes, ({ rows, extraRows, n: d, heads, accumulate, seed }) => {
      const random = new Random(seed);
      const n = heads * d;
      const block = rows + extraRows;
      const qkv = gaussians(random, 3 * block * n);
      const bias = hasBias ? gaussians(random, heads * block) : undefined;
      const y = new Float64Array(rows * n);
      const p = new Float64Array((heads * block * (block + 1)) / 2);
      expectGradients(
        {
          inputs: bias ? [qkv, bias] : [qkv],
          adds: accumulate ? [1] : [],
          forward: () => (ops.attentionForward(y, p, qkv, bias, 0, rows, n, heads, block), y),
          backward: ([dqkv, dbias], dy) =>
            ops.attentionBackward(dqkv, hasBias ? dbias : undefined, dy, y, p, qkv, rows, n, heads, block, accumulate),
        },
        random,
      );
    }),
    { numRuns: 50 },
  );
});

describe("MLP", () => {
  interface Mlp {
    rows: number;
    n: number;
    hidden: number;
    random: Random;
    inputs: Float64Array[];
    y: Float64Array;
    h: Float64Array;
    forward: () => Float64Array;
  }

  /** An MLP that no difference carries across the ReLU's kink. */
  function randomMlp(rows: number, n: number, hidden: number, seed: number): Mlp {
    const random = new Random(seed);
    const [residual, x] = [1, 2].map(() => gaussians(random, rows * n));
    const [w1, w2] = [1, 2].map(() => gaussians(random, n * hidden));
    const y = new Float64Array(rows * n);
    const h = new Float64Array(rows * hidden);
    ops.linearForward(h, x, w1, 0, rows, n, hidden);
    fc.pre(h.every((unit) => Math.abs(unit) > 10 * EPSILON));
    const forward = (): Float64Array => (ops.mlpForward(y, residual, h, x, w1, w2, 0, rows, n, hidden), y);
    return { rows, n, hidden, random, inputs: [residual, x, w1, w2], y, h, forward };
  }

  test("the branch adds to the gradient of its own input", () => {
    fc.assert(
      fc.property(shapes, ({ rows, n, m, accumulate, seed }) => {
        const { hidden, random, inputs, h, forward } = randomMlp(rows, n, m, seed);
        const [, x, w1, w2] = inputs;
        const backward: Differentiable["backward"] = ([dx, dw1, dw2], dy) =>
          ops.mlpBackward(dx, dw1, dw2, dy, h, x, w1, w2, rows, n, hidden, accumulate);
        expectGradients({ inputs: [x, w1, w2], adds: accumulate ? [0, 1, 2] : [0], forward, backward }, random);
      }),
    );
  });

  test("dx may be dy: the residual stream's gradient then receives the branch's share", () => {
    fc.assert(
      fc.property(shapes, ({ rows, n, m, seed }) => {
        const { hidden, random, inputs, h, y } = randomMlp(rows, n, m, seed);
        const [, x, w1, w2] = inputs;
        expectGradients(
          {
            inputs: [x, w1, w2],
            adds: [0],
            forward: () => (ops.mlpForward(y, x, h, x, w1, w2, 0, rows, n, hidden), y),
            backward([dx, dw1, dw2], dy) {
              ops.mlpBackward(dy, dw1, dw2, dy, h, x, w1, w2, rows, n, hidden, false);
              dy.forEach((value, i) => (dx[i] += value));
            },
          },
          random,
        );
      }),
    );
  });
});

test("softmax and cross-entropy leave the gradient of the loss in the logits' place", () => {
  fc.assert(
    fc.property(shapes, ({ rows, m, seed }) => {
      const random = new Random(seed);
      const vocabulary = m + 1;
      const logits = gaussians(random, rows * vocabulary);
      const tokens = Uint8Array.from({ length: rows + 1 }, () => random.index(vocabulary));
      const work = new Float64Array(logits.length);
      const loss = (): number => {
        work.set(logits);
        return ops.softmaxCrossEntropy(work, tokens, rows, vocabulary, 1 / rows);
      };
      expectGradients(
        {
          inputs: [logits],
          adds: [0],
          forward: () => Float64Array.of(loss()),
          backward([dLogits], [scale]) {
            loss();
            work.forEach((gradient, i) => (dLogits[i] += scale * gradient));
          },
        },
        random,
      );
    }),
  );
});

test("the weight of a token multiplies the gradient, and leaves the loss", () => {
  const logits = Float64Array.of(0.5, -1, 2, 0, 0.25, -0.5);
  const tokens = Uint8Array.of(0, 2, 1);
  const [one, seven] = [logits.slice(), logits.slice()];
  expect(ops.softmaxCrossEntropy(one, tokens, 2, 3, 1)).toBe(ops.softmaxCrossEntropy(seven, tokens, 2, 3, 7));
  seven.forEach((gradient, i) => expect(gradient).toBeCloseTo(7 * one[i], 12));
});

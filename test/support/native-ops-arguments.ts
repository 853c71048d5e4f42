import { BETA1, BETA2, EPSILON } from "../../src/gpt/training/adam";
import type { Ops } from "../../src/gpt/model/ops";
import { Random } from "../../src/gpt/model/random";
import { typescriptOps } from "../../src/gpt/model/typescript-ops";
import type { OpName, Shape } from "./native-ops-questions";

/*
 * Random arguments for an op, and for its results Σ|terms|: how large the sums are from which they come,
 * cancellation left aside. Rounding errors are to be measured against that.
 */

/** A tensor, tokens, a number or a flag; undefined where a model has no such tensor. */
export type Argument = Float32Array | Uint8Array | number | boolean | undefined;

export interface NamedArgument {
  readonly name: string;
  readonly value: Argument;
}

export const tsOps = typescriptOps("f32");

/** Tensors of just the size that an op needs, and every letter of the vocabulary in use. */
export const MINIMAL: Shape = {
  from: 1,
  rows: 4,
  block: 4,
  heads: 2,
  headWidth: 3,
  m: 5,
  scale: 1,
  isAliased: false,
  hasBias: true,
  accumulate: false,
  seed: 1,
};

/** What the arguments of an op are called, and values for them. */
export function argumentsOf(op: OpName, shape: Shape): NamedArgument[] {
  const { from, rows, block, heads, headWidth, m, scale, isAliased, hasBias } = shape;
  const n = heads * headWidth;
  const random = new Random(shape.seed);
  // A few zeros, as the ReLU makes them.
  const draw = (length: number): Float32Array =>
    Float32Array.from({ length }, () => (random.index(8) === 0 ? 0 : scale * random.gaussian()));
  const tensor = (name: string, rows: number, columns: number): NamedArgument => ({
    name,
    value: draw(rows * columns),
  });
  const p = (): NamedArgument => tensor("p", heads, (block * (block + 1)) / 2);
  const tokens = (length: number): NamedArgument => ({
    name: "tokens",
    value: Uint8Array.from({ length }, (_, t) => (t === 0 ? m - 1 : random.index(m))),
  });
  const accumulate = shape.updates
    ? { name: "update", value: Float32Array.of(BETA1, BETA2, EPSILON, 0.01, 1) }
    : { name: "accumulate", value: shape.accumulate };
  const inUpdates = (...args: NamedArgument[]): NamedArgument[] => (shape.updates ? args : []);
  const biases = (name: string): NamedArgument => (hasBias ? tensor(name, heads, block) : { name, value: undefined });
  const numbers = (values: Record<string, number>): NamedArgument[] =>
    Object.entries(values).map(([name, value]) => ({ name, value }));

  switch (op) {
    case "zero":
      return [tensor("x", block, n)];
    case "areFinite": {
      const x = draw(block * n);
      const extremes = [NaN, Infinity, -Infinity, 3.4e38, -1e-45, 1];
      x[random.index(x.length)] = extremes[random.index(extremes.length)];
      return [{ name: "x", value: x }];
    }
    case "embeddingForward":
      return [
        ...[tensor("x", block, n), tensor("wte", m, n), tensor("wpe", block, n), tokens(rows + 1)],
        ...numbers({ from, to: rows, n }),
      ];
    case "embeddingBackward":
      return [
        ...[tensor("dwte", m, n), tensor("dwpe", block, n), tensor("dx", block, n), tokens(rows + 1)],
        ...numbers({ rows, n }),
        accumulate,
        ...inUpdates(tensor("wte", m, n), tensor("wpe", block, n)),
      ];
    case "rmsNormForward":
      return [tensor("y", block, n), tensor("x", block, n), ...numbers({ from, to: rows, n })];
    case "rmsNormBackward":
      return [tensor("dx", block, n), tensor("dy", block, n), tensor("x", block, n), ...numbers({ rows, n })];
    case "linearForward":
      return [
        ...[tensor("y", block, m), tensor("x", block, n), tensor("w", n, m)],
        ...numbers({ from, to: rows, n, m }),
      ];
    case "linearResidualForward":
      return [
        ...[tensor("y", block, m), tensor("residual", block, m), tensor("x", block, n), tensor("w", n, m)],
        ...numbers({ from, to: rows, n, m }),
      ];
    case "linearBackward":
      return [
        ...[tensor("dx", block, n), tensor("dw", n, m), tensor("dy", block, m)],
        ...[tensor("x", block, n), tensor("w", n, m), ...numbers({ rows, n, m }), accumulate],
      ];
    case "qkvForward":
      return [
        ...[tensor("qkv", 3 * block, n), tensor("x", block, n), tensor("w", 3 * n, n)],
        ...numbers({ from, to: rows, n, block }),
      ];
    case "qkvBackward":
      return [
        ...[tensor("dx", block, n), tensor("dw", 3 * n, n), tensor("dqkv", 3 * block, n)],
        ...[tensor("x", block, n), tensor("w", 3 * n, n), ...numbers({ rows, n, block }), accumulate],
      ];
    case "attentionForward":
      return [
        ...[tensor("y", block, n), p(), tensor("qkv", 3 * block, n), biases("bias")],
        ...numbers({ from, to: rows, n, heads, block }),
      ];
    case "attentionBackward": {
      // What the forward pass would have left.
      const [y, probabilities, qkv] = [tensor("y", block, n), p(), tensor("qkv", 3 * block, n)];
      const bias = biases("bias").value;
      call(tsOps, "attentionForward", [y.value, probabilities.value, qkv.value, bias, 0, rows, n, heads, block]);
      return [
        ...[tensor("dqkv", 3 * block, n), biases("dbias"), tensor("dy", block, n), y, probabilities, qkv],
        ...numbers({ rows, n, heads, block }),
        accumulate,
        ...inUpdates(tensor("weights", heads, block)),
      ];
    }
    case "mlpForward":
      return [
        ...[tensor("y", block, n), tensor("residual", block, n), tensor("h", block, m), tensor("x", block, n)],
        ...[tensor("w1", n, m), tensor("w2", m, n), ...numbers({ from, to: rows, n, hidden: m })],
      ];
    case "mlpBackward": {
      const dy = tensor("dy", block, n);
      const h = { name: "h", value: draw(block * m).map((value) => Math.max(value, 0)) };
      return [
        ...[isAliased ? { ...dy, name: "dx" } : tensor("dx", block, n), tensor("dw1", n, m), tensor("dw2", m, n), dy],
        ...[
          h,
          tensor("x", block, n),
          tensor("w1", n, m),
          tensor("w2", m, n),
          ...numbers({ rows, n, hidden: m }),
          accumulate,
        ],
      ];
    }
    case "softmaxCrossEntropy":
      return [
        ...[tensor("logits", block, m), tokens(rows + 1)],
        ...numbers({ rows, vocabulary: m, weight: random.index(2) === 0 ? 1 / rows : 0.01 + random.uniform() }),
      ];
    case "adam": {
      // From none at all to large, through what is no longer a normal number once it is squared.
      const magnitudes = [0, 1e-30, 1e-18, 1e-8, 1, 1000];
      const spread = (): Float32Array =>
        draw(block * n).map((value) => value * magnitudes[random.index(magnitudes.length)]);
      const step = random.index(1000);
      return [
        ...[tensor("w", block, n), { name: "g", value: spread() }, { name: "m", value: spread() }],
        { name: "v", value: spread().map((value) => value * value) },
        ...numbers({ beta1: BETA1, beta2: BETA2, epsilon: EPSILON }),
        ...numbers({ rate: 0.01 / (1 - BETA1 ** (step + 1)), vScale: 1 / (1 - BETA2 ** (step + 1)) }),
      ];
    }
  }
}

/** Calls an op by its name. */
export function call(ops: Ops, op: OpName, args: readonly unknown[]): unknown {
  const operation = Reflect.get(ops, op) as (...args: readonly unknown[]) => unknown;
  return operation(...args);
}

export function isArray(value: Argument): value is Float32Array | Uint8Array {
  return value instanceof Float32Array || value instanceof Uint8Array;
}

/** Copies; what was one tensor twice stays so. */
export function cloned(
  args: readonly NamedArgument[],
  change: (tensor: Float32Array, name: string) => Float32Array = (tensor) => tensor,
): NamedArgument[] {
  const copies = new Map<Argument, Argument>();
  return args.map(({ name, value }) => {
    if (!isArray(value)) return { name, value };
    const copy = copies.get(value) ?? (value instanceof Float32Array ? change(value.slice(), name) : value.slice());
    copies.set(value, copy);
    return { name, value: copy };
  });
}

/**
 * Σ|terms| of every element of every tensor after the op, and of what it returns. For an op that is a
 * sum of products it is what the op itself computes from absolute values; differences become sums
 * where the sign of a factor is turned.
 */
export function termsOf(
  op: OpName,
  args: readonly NamedArgument[],
): { tensors: readonly ArrayLike<number>[]; result: number } {
  const absolute = (tensor: Float32Array): Float32Array => tensor.map(Math.abs);
  const find = (from: readonly NamedArgument[], name: string): number => from.findIndex((a) => a.name === name);
  const values = args.map(({ value }) => value);
  const tensors = (of: readonly NamedArgument[]): Float32Array[] =>
    of.map(({ value }) => value).filter((value) => value instanceof Float32Array);
  const size = (name: string): number => values[find(args, name)] as number;
  const tensor = (name: string): Float32Array => values[find(args, name)] as Float32Array;
  const runWith = (
    change: (tensor: Float32Array, name: string) => Float32Array,
    numbers: Record<string, number> = {},
  ): Float32Array[] => {
    const changed = cloned(args, change);
    call(
      tsOps,
      op,
      changed.map(({ name, value }) => numbers[name] ?? value),
    );
    return tensors(changed);
  };

  switch (op) {
    case "rmsNormBackward": {
      // dx + s·dy - s³/n·(x·dy)·x, every term positive.
      const [rows, n] = [size("rows"), size("n")];
      const [dx, dy, x] = tensors(cloned(args, absolute));
      for (let start = 0; start < rows * n; start += n) {
        let [square, dot] = [0, 0];
        for (let i = start; i < start + n; i++) {
          square += x[i] * x[i];
          dot += x[i] * dy[i];
        }
        const s = 1 / Math.sqrt(square / n + 1e-5);
        for (let i = start; i < start + n; i++) dx[i] += s * dy[i] + ((s * s * s) / n) * dot * x[i];
      }
      return { tensors: [dx, dy, x], result: 0 };
    }
    case "attentionForward": {
      // An error δ of the scores makes p = exp(score - largest) / Σ wrong by a part of up to 2δ; δ is
      // measured against Σ|q·k|/sqrt(d), which is at most |q|·|k|/sqrt(d) (Cauchy and Schwarz), + |bias|.
      const [n, heads, block] = [size("n"), size("heads"), size("block")];
      const d = n / heads;
      const qkv = tensor("qkv");
      const longest = (part: number): number => {
        let most = 0;
        for (let start = part * block * n; start < (part + 1) * block * n; start += d)
          most = Math.max(most, Math.hypot(...qkv.subarray(start, start + d)));
        return most;
      };
      const bias = values[find(args, "bias")];
      const largestBias = bias instanceof Float32Array ? Math.max(...absolute(bias)) : 0;
      const sensitivity = 1 + 2 * ((longest(0) * longest(1)) / Math.sqrt(d) + largestBias);
      const firstValue = 2 * block * n;
      const [y, p, ...inputs] = runWith((tensor, name) => {
        if (name === "bias") return tensor;
        return name === "qkv" ? tensor.map((value, i) => (i < firstValue ? value : Math.abs(value))) : absolute(tensor);
      });
      return { tensors: [...[y, p].map((x) => x.map((value) => sensitivity * value)), ...inputs], result: 0 };
    }
    case "attentionBackward":
      // ds = p·(dy·v - dy·y): with -|y| for y the difference becomes a sum.
      return {
        tensors: runWith((tensor, name) => tensor.map(name === "y" ? (value) => -Math.abs(value) : Math.abs)),
        result: 0,
      };
    case "softmaxCrossEntropy": {
      // As in attention the exponents' errors are parts of p; 1 is the onehot. The loss is a logarithm of
      // a sum of at least 1, whose error is a part of that sum, minus a surplus.
      const [rows, vocabulary] = [size("rows"), size("vocabulary")];
      const logits = tensor("logits").map(Math.abs);
      let loss = 0;
      for (let t = 0; t < rows; t++) {
        const row = tensor("logits").slice(t * vocabulary, (t + 1) * vocabulary);
        const largest = Math.max(...row);
        const span = largest - Math.min(...row);
        const exponentials = row.map((value) => Math.exp(value - largest));
        const sum = exponentials.reduce((a, b) => a + b);
        for (let i = 0; i < vocabulary; i++)
          logits[t * vocabulary + i] = ((1 + 2 * span) * (exponentials[i] / sum) + 1) * size("weight");
        loss += (1 + Math.log(sum) + span) / rows;
      }
      return { tensors: [logits], result: loss };
    }
    case "adam":
      return { tensors: runWith(absolute, { rate: -size("rate") }), result: 0 };
    default:
      return { tensors: runWith(absolute), result: 0 };
  }
}

/** Below the smallest normal number what floats can tell apart does not shrink any further. */
const SMALLEST_NORMAL = 2 ** -126;

/** The largest |a - b| / terms; NaN where one of them alone is NaN. */
export function largestRatio(a: ArrayLike<number>, b: ArrayLike<number>, terms: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    if (Object.is(a[i], b[i])) continue;
    const ratio = Math.abs(a[i] - b[i]) / (terms[i] + SMALLEST_NORMAL);
    if (!(ratio <= largest)) largest = ratio;
    if (Number.isNaN(largest)) break;
  }
  return largest;
}

/** Bytes that no op may read or write, on either side of a tensor: as floats they are NaN. */
const GUARD = 16;
const GUARD_BYTE = 0xff;

/** Arguments as a native op takes them, each tensor in memory of its own. */
export class NativeArguments {
  readonly args: readonly Argument[];
  /** The numbers in the tensors, argument by argument. */
  readonly floats: readonly Float32Array[];
  private readonly places: { memory: Uint8Array; start: number; original: Uint8Array }[] = [];

  /** @param isGuarded or else the memory ends where the tensor does, for AddressSanitizer to watch */
  constructor(
    args: readonly NamedArgument[],
    private readonly isGuarded: boolean,
  ) {
    const views = new Map<Argument, Uint8Array>();
    const floats: Float32Array[] = [];
    this.args = args.map(({ value }) => {
      if (!isArray(value)) return value;
      const view = views.get(value) ?? this.place(value);
      views.set(value, view);
      if (value instanceof Float32Array) floats.push(new Float32Array(view.buffer, view.byteOffset, value.length));
      return view;
    });
    this.floats = floats;
  }

  private place(values: Float32Array | Uint8Array): Uint8Array {
    const original = new Uint8Array(values.slice().buffer);
    const start = this.isGuarded ? GUARD : 0;
    const memory = new Uint8Array(original.length + 2 * start).fill(GUARD_BYTE);
    memory.set(original, start);
    this.places.push({ memory, start, original });
    return memory.subarray(start, start + original.length);
  }

  areGuardsIntact(): boolean {
    return this.places.every(({ memory, start, original }) =>
      memory.every((byte, i) => (i >= start && i < start + original.length) || byte === GUARD_BYTE),
    );
  }

  areTensorsIntact(): boolean {
    return this.places.every(({ memory, start, original }) => original.every((byte, i) => byte === memory[start + i]));
  }
}

import { BETA1, BETA2, EPSILON } from "../../src/gpt/training/adam";
import { i32Codec } from "../../src/gpt/model/i32-codec";
import { mantissaBits } from "../../src/gpt/model/i32-format";
import { i32Ops } from "../../src/gpt/model/i32-ops";
import { MAX_WEIGHT } from "../../src/gpt/model/i32-arithmetic";
import type { BlockFormat, Ops, Tensor } from "../../src/gpt/model/ops";
import { Random } from "../../src/gpt/model/random";
import type { I32OpName, I32Shape } from "./i32-native-questions";

/* Random arguments for an op of i32, with as many bits as the op takes at most. */

/** The memory of a tensor. */
export interface Block {
  readonly memory: Int32Array<ArrayBuffer>;
  readonly format: BlockFormat | undefined;
}

export type I32Argument = Block | Uint8Array | number | boolean | undefined;

export interface NamedI32Argument {
  readonly name: string;
  readonly value: I32Argument;
}

/** Tensors of just the size that an op needs, and every letter of the vocabulary in use. */
export const MINIMAL_I32: I32Shape = {
  ...{ rows: 4, block: 4, heads: 2, headWidth: 3, m: 5, spread: 0, documents: 1 },
  ...{ isAliased: false, hasBias: true, accumulate: false, seed: 1 },
};

export function isBlock(value: I32Argument): value is Block {
  return typeof value === "object" && "memory" in value;
}

/** What the arguments of an op are called, and values for them. */
export function i32ArgumentsOf(op: I32OpName, shape: I32Shape): NamedI32Argument[] {
  const { rows, block, heads, headWidth, m, spread, documents, isAliased, hasBias } = shape;
  const n = heads * headWidth;
  const random = new Random(shape.seed);
  const config = { preset: "esp32gpt", nLayer: 1, nEmbd: n, nHead: heads, blockSize: block } as const;
  const bits = mantissaBits({ ...config, vocabularySize: m }, m);
  const word = (): number => (random.index(0x10000) << 16) | random.index(0x10000);
  const exponent = (): number => (spread > 0 ? random.index(2 * spread + 1) - spread : 18 + random.index(20));
  /** Numbers of up to so many bits, a few of them zeros, as the ReLU makes them, and extremes. */
  const fill = (memory: Int32Array, length: number, most: number): void => {
    if (random.index(12) === 0) {
      // No sum is larger.
      memory.fill(-(2 ** most), 0, length);
      return;
    }
    const down = 31 - Math.max(0, most - (random.index(3) === 0 ? random.index(most + 1) : 0));
    for (let i = 0; i < length; i++) {
      const kind = random.index(24);
      memory[i] = kind < 3 ? 0 : (kind === 3 ? 0x7fffffff : kind === 4 ? -0x80000000 : word()) >> down;
    }
  };
  const blocks = (name: string, length: number, most: number, exponents = 1, written = most): NamedI32Argument => {
    const memory = new Int32Array(length + exponents + 1);
    fill(memory, length, most);
    for (let i = 0; i < exponents; i++) memory[length + i] = exponent();
    memory[length + exponents] = written;
    return { name, value: { memory, format: { exponents, bits: written } } };
  };
  const tensor = (name: string, columns: number, most = bits.stream): NamedI32Argument =>
    blocks(name, block * columns, most);
  const qkv = (name: string, most: number): NamedI32Argument => blocks(name, 3 * block * n, most, 3);
  const gradient = (name: string, length: number, exponents = 1): NamedI32Argument =>
    shape.updates
      ? { name, value: { memory: new Int32Array(length), format: undefined } }
      : blocks(name, length, 29, exponents, documents);
  const plain = (name: string, length: number): NamedI32Argument => {
    const memory = new Int32Array(length);
    for (let i = 0; i < length; i++) {
      const extremes = [0, MAX_WEIGHT, -MAX_WEIGHT];
      const at = random.index(24);
      memory[i] = at < extremes.length ? extremes[at] : Math.trunc((word() / 0x80000000) * MAX_WEIGHT);
    }
    return { name, value: { memory, format: undefined } };
  };
  const tokens = (): NamedI32Argument => ({
    name: "tokens",
    value: Uint8Array.from({ length: rows + 1 }, (_, t) => (t === 0 ? m - 1 : random.index(m))),
  });
  const accumulate = shape.updates
    ? { name: "update", value: { memory: Int32Array.of(1 << 24, 0), format: undefined } }
    : { name: "accumulate", value: shape.accumulate };
  const inUpdates = (...args: NamedI32Argument[]): NamedI32Argument[] => (shape.updates ? args : []);
  const numbers = (values: Record<string, number>): NamedI32Argument[] =>
    Object.entries(values).map(([name, value]) => ({ name, value }));
  const { stream, hidden, logits, flow } = bits;
  const triangle = (block * (block + 1)) / 2;
  const p = (): NamedI32Argument => ({
    name: "p",
    value: { memory: new Int32Array(heads * triangle), format: undefined },
  });

  switch (op) {
    case "zero":
      return [tensor("x", n)];
    case "embeddingForward":
      return [
        ...[tensor("x", n), plain("wte", m * n), plain("wpe", block * n), tokens()],
        ...numbers({ from: 0, to: rows, n }),
      ];
    case "embeddingBackward":
      return [
        ...[gradient("dwte", m * n), gradient("dwpe", block * n), tensor("dx", n, flow), tokens()],
        ...numbers({ rows, n }),
        accumulate,
        ...inUpdates(plain("wte", m * n), plain("wpe", block * n)),
      ];
    case "rmsNormForward":
      return [tensor("y", n), tensor("x", n), ...numbers({ from: 0, to: rows, n })];
    case "rmsNormBackward":
      return [tensor("dx", n, flow), tensor("dy", n, flow), tensor("x", n), ...numbers({ rows, n })];
    case "linearForward":
      return [tensor("y", m, logits), tensor("x", n), plain("w", n * m), ...numbers({ from: 0, to: rows, n, m })];
    case "linearResidualForward":
      return [
        ...[tensor("y", m, stream), tensor("residual", m, stream), tensor("x", n), plain("w", n * m)],
        ...numbers({ from: 0, to: rows, n, m }),
      ];
    case "linearBackward":
      return [
        ...[tensor("dx", n, flow), gradient("dw", n * m), tensor("dy", m, Math.min(logits, 31))],
        ...[tensor("x", n), plain("w", n * m), ...numbers({ rows, n, m }), accumulate],
      ];
    case "qkvForward":
      return [qkv("qkv", stream), tensor("x", n), plain("w", 3 * n * n), ...numbers({ from: 0, to: rows, n, block })];
    case "qkvBackward":
      return [
        ...[tensor("dx", n, flow), gradient("dw", 3 * n * n, 3), qkv("dqkv", flow)],
        ...[tensor("x", n), plain("w", 3 * n * n), ...numbers({ rows, n, block }), accumulate],
        ...inUpdates(plain("copy", rows * n)),
      ];
    case "attentionForward":
      return [
        ...[tensor("y", n), p(), qkv("qkv", stream)],
        hasBias ? plain("bias", heads * block) : { name: "bias", value: undefined },
        ...numbers({ from: 0, to: rows, n, heads, block }),
      ];
    case "attentionBackward": {
      // What the forward pass would have left.
      const forward = [tensor("y", n), p(), qkv("qkv", stream)];
      const bias = hasBias ? plain("bias", heads * block).value : undefined;
      const [y, probabilities, of] = forward.map(({ value }) => value);
      const args = [y, probabilities, of, bias].map((value) => (value ? viewed(i32Ops, value) : value));
      i32Call(i32Ops, "attentionForward", [...args, 0, rows, n, heads, block]);
      return [
        qkv("dqkv", flow),
        hasBias ? gradient("dbias", heads * block) : { name: "dbias", value: undefined },
        ...[tensor("dy", n, flow), ...forward, ...numbers({ rows, n, heads, block }), accumulate],
        ...inUpdates(plain("weights", heads * block)),
      ];
    }
    case "mlpForward":
      return [
        ...[tensor("y", n), tensor("residual", n), tensor("h", m, hidden), tensor("x", n)],
        ...[plain("w1", n * m), plain("w2", m * n), ...numbers({ from: 0, to: rows, n, hidden: m })],
      ];
    case "mlpBackward": {
      const dy = tensor("dy", n, flow);
      const h = tensor("h", m, hidden);
      const { memory } = h.value as Block;
      for (let i = 0; i < block * m; i++) if (memory[i] < 0) memory[i] = 0;
      return [
        ...[isAliased ? { ...dy, name: "dx" } : tensor("dx", n, flow), gradient("dw1", n * m), gradient("dw2", n * m)],
        ...[dy, h, tensor("x", n), plain("w1", n * m), plain("w2", n * m), ...numbers({ rows, n, hidden: m })],
        accumulate,
      ];
    }
    case "softmaxCrossEntropy": {
      const weights = [1 / rows, 0.01 + random.uniform(), 0, 1e-30, 1e-42, 1];
      const values = blocks("logits", block * m, 30, 1, logits);
      return [values, tokens(), ...numbers({ rows, vocabulary: m, weight: weights[random.index(weights.length)] })];
    }
    case "adam": {
      const exponents = random.index(2) === 0 ? 1 : 3;
      const length = exponents * block * n;
      const moments = new Int32Array(length);
      // Moments as a training reaches them: |m| <= 2.886·sqrt(v).
      const v = Float32Array.from({ length }, () =>
        random.index(8) === 0 ? 0 : 2 ** (random.index(84) - 60 - random.uniform()),
      );
      i32Codec.encode(
        moments,
        0,
        v.map((value) => 5.7 * (random.uniform() - 0.5) * Math.sqrt(value)),
        "m",
      );
      i32Codec.encode(moments, 0, v, "v");
      const m: NamedI32Argument = { name: "m", value: { memory: moments, format: undefined } };
      const step = random.index(1000);
      const { memory } = gradient("g", length, exponents).value as Block;
      fill(memory, length, [31, 24, 16, 8, 1][random.index(5)]);
      const g: NamedI32Argument = { name: "g", value: { memory, format: undefined } };
      const matrices = Int32Array.of(0, 0, length, exponents);
      const table: NamedI32Argument = { name: "v", value: { memory: matrices, format: undefined } };
      return [
        ...[plain("w", length), g, m, table],
        ...numbers({ beta1: BETA1, beta2: BETA2, epsilon: EPSILON }),
        ...numbers({
          rate: [0.01, 0.3, 10][random.index(3)] / (1 - BETA1 ** (step + 1)),
          vScale: 1 / (1 - BETA2 ** (step + 1)),
        }),
      ];
    }
  }
}

/** A tensor as some ops take it. */
export function viewed(ops: Ops, value: I32Argument): unknown {
  return isBlock(value) ? ops.view(value.memory, 0, value.memory.length, value.format) : value;
}

/** Calls an op by its name. */
export function i32Call(ops: Ops, op: I32OpName, args: readonly unknown[]): unknown {
  const operation = Reflect.get(ops, op) as (...args: readonly unknown[]) => unknown;
  return operation(...args);
}

/** Words that no op may read or write, on either side of a tensor. */
const GUARD = 4;
const GUARD_WORD = -0x5a5a5a5b;

/** A copy of arguments, each tensor in memory of its own between guards; what was one tensor twice stays so. */
export class I32Arguments {
  readonly args: readonly unknown[];
  private readonly places = new Map<Block, { readonly name: string; readonly memory: Int32Array<ArrayBuffer> }>();

  /** @param isGuarded or else the memory ends where the tensor does, for AddressSanitizer to watch */
  constructor(
    ops: Ops,
    named: readonly NamedI32Argument[],
    private readonly isGuarded = true,
  ) {
    const views = new Map<Int32Array, Tensor>();
    this.args = named.map(({ name, value }) => {
      if (!isBlock(value)) return value instanceof Uint8Array ? value.slice() : value;
      const known = views.get(value.memory);
      if (known !== undefined) return known;
      const guard = isGuarded ? GUARD : 0;
      const memory = new Int32Array(value.memory.length + 2 * guard).fill(GUARD_WORD);
      memory.set(value.memory, guard);
      this.places.set(value, { name, memory });
      const view = ops.view(memory, guard, value.memory.length, value.format);
      views.set(value.memory, view);
      return view;
    });
  }

  /** The memory of each tensor, with its guards. */
  get memories(): readonly { readonly name: string; readonly memory: Int32Array }[] {
    return [...this.places.values()];
  }

  areGuardsIntact(): boolean {
    const guard = this.isGuarded ? GUARD : 0;
    return this.memories.every(({ memory }) =>
      memory.every((word, i) => (i >= guard && i < memory.length - guard) || word === GUARD_WORD),
    );
  }

  areTensorsIntact(): boolean {
    const guard = this.isGuarded ? GUARD : 0;
    return [...this.places].every(([{ memory: original }, { memory }]) =>
      original.every((word, i) => word === memory[guard + i]),
    );
  }
}

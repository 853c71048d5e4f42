import type { Host } from "../../host/xs/host";
import { i32Codec } from "../../src/gpt/model/i32-codec";
import { i32Ops } from "../../src/gpt/model/i32-ops";
import { nativeI32Ops } from "../../src/gpt/native/native-ops";
import { I32Arguments, i32ArgumentsOf, i32Call, isBlock, MINIMAL_I32 } from "./i32-native-arguments";
import type {
  I32CodecAnswer,
  I32CodecQuestion,
  I32CompareQuestion,
  I32Comparison,
  I32Question,
  I32RefuseQuestion,
} from "./i32-native-questions";
import { traceOf } from "./i32-training";
import type { Refusal } from "./native-ops-questions";

// Runs on XS: answers each line of i32-native.test.ts.

declare const host: Host;

host.setLineListener((line) => {
  if (line !== undefined) host.write(`${JSON.stringify(answer(JSON.parse(line) as I32Question))}\n`);
});

function answer(question: I32Question): I32Comparison | Refusal[] | string[] | I32CodecAnswer {
  switch (question.kind) {
    case "compare":
      return compare(question);
    case "refuse":
      return refuse(question);
    case "train":
      return traceOf(nativeI32Ops, new Uint8Array(host.names), question.training);
    case "codec":
      return codec(question);
  }
}

function compare({ op, shape }: I32CompareQuestion): I32Comparison {
  const args = i32ArgumentsOf(op, shape);
  const isGuarded = shape.seed % 2 === 0;
  const expected = new I32Arguments(i32Ops, args, isGuarded);
  const native = new I32Arguments(nativeI32Ops, args, isGuarded);
  const results = [i32Call(i32Ops, op, expected.args), i32Call(nativeI32Ops, op, native.args)];
  const different = native.memories
    .filter(({ memory }, i) => memory.some((word, at) => word !== expected.memories[i].memory[at]))
    .map(({ name }) => name);
  if (!Object.is(results[0], results[1])) different.push("result");
  return { different, isOutside: !native.areGuardsIntact() };
}

/** Sizes that nothing has. */
const WRONG_SIZES = [-1, -(2 ** 31), 2 ** 31, 2 ** 32, 2 ** 32 + 1, 1e300, NaN, Infinity, -Infinity];

/** Every way in which one argument will not do. */
function refuse({ op, updates }: I32RefuseQuestion): Refusal[] {
  const refusals: Refusal[] = [];
  const valid = i32ArgumentsOf(op, { ...MINIMAL_I32, updates });
  const attempt = (wrong: string, change: (args: readonly unknown[]) => readonly unknown[]): void => {
    const native = new I32Arguments(nativeI32Ops, valid);
    const args = change(native.args);
    let error: string | null = null;
    try {
      i32Call(nativeI32Ops, op, args);
    } catch (thrown) {
      error = thrown instanceof Error ? thrown.name : String(thrown);
    }
    refusals.push({ wrong, error, isTouched: !(native.areGuardsIntact() && native.areTensorsIntact()) });
  };

  valid.forEach(({ name, value }, i) => {
    const put = (wrong: string, change: (view: Uint8Array) => unknown): void =>
      attempt(`${name}: ${wrong}`, (args) => {
        const changed = args.slice();
        changed[i] = change(args[i] as Uint8Array);
        return changed;
      });
    if (!(op === "adam" && (name.startsWith("beta") || name === "epsilon")))
      attempt(`${name}: missing`, (args) => {
        // Where the missing ones are looked for, XS now has what was there before.
        i32Call(nativeI32Ops, op, new I32Arguments(nativeI32Ops, valid).args);
        return args.slice(0, i);
      });
    if (isBlock(value)) {
      const isTable = op === "adam" && name === "v";
      if (isTable)
        for (const [at, wrong] of [
          [0, -1],
          [0, 1],
          [1, -1],
          [1, 2],
          [2, -1],
          [2, 1 << 30],
          [3, 0],
          [3, -1],
          [3, 5],
        ])
          put(`size: ${wrong} at ${at}`, (view) => {
            const table = new Int32Array(view.slice().buffer);
            table[at] = wrong;
            return new Uint8Array(table.buffer);
          });
      // One that is a word too short still has room for its last exponent in the place of its bits.
      const isMeasure = op === "zero" || (op === "adam" && name === "g");
      if (!isMeasure) put("too short", (view) => view.subarray(4));
      // An empty table is one of no matrices.
      if (!isTable) put("empty", () => new Uint8Array(0));
      put("one word", (view) => view.subarray(-4));
      put("not aligned", (view) => new Uint8Array(view.buffer, view.byteOffset + 1, view.length));
      put("an Int32Array", (view) => new Int32Array(view.buffer, view.byteOffset, view.length / 4));
      const isOptional = name === "bias" || name === "dbias";
      for (const wrong of [[], {}, null, undefined, 7, "tensor"])
        if (!(isOptional && wrong === undefined)) put(`is ${JSON.stringify(wrong)}`, () => wrong);
      if (value.format && op !== "adam")
        for (const bits of [-1, 32, 1 << 30])
          put(`size of ${bits} bits`, (view) => {
            const copy = view.slice();
            copy.set(new Uint8Array(Int32Array.of(bits).buffer), copy.length - 4);
            return copy;
          });
    } else if (value instanceof Uint8Array) {
      const needed = op === "softmaxCrossEntropy" ? MINIMAL_I32.rows + 1 : MINIMAL_I32.rows;
      put("too short", (view) => view.subarray(0, needed - 1));
      put("a Float32Array", () => new Float32Array(value));
      for (let t = 0; t < needed; t++) {
        for (const token of [MINIMAL_I32.m, 255])
          put(`${token} at ${t}`, () => value.map((known, i) => (i === t ? token : known)));
      }
      for (const wrong of [[], null, undefined, 7]) put(`is ${JSON.stringify(wrong)}`, () => wrong);
    } else if (typeof value === "boolean") {
      for (const wrong of [0, 1, null, undefined, "true", {}]) put(`is ${JSON.stringify(wrong)}`, () => wrong);
    } else if (typeof value === "number" && op !== "adam" && name !== "weight") {
      for (const size of [...WRONG_SIZES, 2 ** 32 + value]) put(`size ${size}`, () => size);
      put("size undefined", () => undefined);
      if (name === "from") put("size 1", () => 1);
      if (updates && name === "rows" && op === "mlpBackward") put("size 0", () => 0);
      if (name === "block") put("size below rows", () => MINIMAL_I32.rows - 1);
      if (name === "heads") for (const heads of [0, 4, 12]) put(`size ${heads} for a width of 6`, () => heads);
      if (name === "vocabulary") for (const size of [0, 257]) put(`size ${size}`, () => size);
    } else if (name === "rate" || name === "vScale") {
      for (const wrong of [NaN, -1, undefined]) put(`size ${wrong}`, () => wrong);
    }
  });
  return refusals;
}

function codec({ what, words }: I32CodecQuestion): I32CodecAnswer {
  const different: ("decoded" | "encoded" | "again")[] = [];
  const integers = Int32Array.from(words);
  const { length } = integers;
  const isSame = (a: ArrayBufferView, b: ArrayBufferView): boolean => {
    const [x, y] = [a, b].map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
    return x.every((byte, i) => byte === y[i]);
  };
  const native = nativeI32Ops.codec ?? i32Codec;
  const from = 1;
  const decoded = [i32Codec, native].map((each) => {
    const floats = new Float32Array(length - from);
    each.decode(floats, integers, from, what);
    return floats;
  });
  if (!isSame(decoded[0], decoded[1])) different.push("decoded");
  // The words as float32, with one kind of NaN; those of m from the other end.
  const floats = new Float32Array(integers.buffer).map((value) => (Number.isNaN(value) ? NaN : value));
  const encoded = [i32Codec, native].map((each) => {
    const numbers = new Int32Array(length + from);
    if (what === "v") each.encode(numbers, from, floats.slice().reverse(), "m");
    each.encode(numbers, from, floats, what);
    return numbers;
  });
  if (!isSame(encoded[0], encoded[1])) different.push("encoded");
  // What encode() made is the same again after a round.
  if (what !== "m") {
    const again = encoded[1].slice();
    const rounds = (what === "v" ? ["m", "v"] : [what]) as (typeof what)[];
    const values = rounds.map((kind) => {
      const floats = new Float32Array(length);
      native.decode(floats, again, from, kind);
      return floats;
    });
    rounds.forEach((kind, i) => native.encode(again, from, values[i], kind));
    if (!isSame(again, encoded[1])) different.push("again");
  }
  return different;
}

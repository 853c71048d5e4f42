import type { Host, HostUsage } from "../../host/xs/host";
import { DEFAULT_MODEL, type PresetName, trainingConfig } from "../../src/gpt/model/config";
import { Dataset } from "../../src/gpt/data/dataset";
import { Model } from "../../src/gpt/model/model";
import { SavingTask } from "../../src/gpt/checkpoint/saving";
import { nativeOps, datasetKernels } from "../../src/gpt/native/native-ops";
import { recordOf } from "../../src/gpt/checkpoint/training-checkpoint";
import type { Ops } from "../../src/gpt/model/ops";
import { drawParameters, parameterLayout } from "../../src/gpt/model/parameters";
import { Random } from "../../src/gpt/model/random";
import { Trainer } from "../../src/gpt/training/trainer";
import {
  type Argument,
  argumentsOf,
  call,
  cloned,
  largestRatio,
  MINIMAL,
  NativeArguments,
  termsOf,
  tsOps,
} from "./native-ops-arguments";
import type {
  AllocateQuestion,
  Allocation,
  CompareQuestion,
  Comparison,
  DivergeQuestion,
  Hidden,
  Question,
  Refusal,
  RefuseQuestion,
  WordsAnswer,
  WordsQuestion,
  SaveCost,
  TrainQuestion,
} from "./native-ops-questions";

// Runs on XS: answers each line of native-ops.test.ts.

declare const host: Host;

host.setLineListener((line) => {
  if (line !== undefined) host.write(`${JSON.stringify(answer(JSON.parse(line) as Question))}\n`);
});

function answer(question: Question): Comparison | Refusal[] | WordsAnswer | number[] | Hidden | Allocation | SaveCost {
  switch (question.kind) {
    case "compare":
      return compare(question);
    case "refuse":
      return refuse(question);
    case "words":
      return compareWords(question);
    case "train":
      return train(question);
    case "diverge":
      return diverge(question);
    case "allocate":
      return allocate(question);
    case "save":
      return save();
  }
}

function compare({ op, shape }: CompareQuestion): Comparison {
  const args = argumentsOf(op, shape);
  const expected = cloned(args).map(({ value }) => value);
  const expectedResult = call(tsOps, op, expected);
  const expectedTensors = expected.filter((value) => value instanceof Float32Array);
  const terms = termsOf(op, args);
  const native = new NativeArguments(args, shape.seed % 2 === 0);
  const result = call(nativeOps, op, native.args);
  const ratios = native.floats.map((floats, i) => largestRatio(floats, expectedTensors[i], terms.tensors[i]));
  if (op === "softmaxCrossEntropy")
    ratios.push(largestRatio([result as number], [expectedResult as number], [terms.result]));
  if (op === "areFinite" && result !== expectedResult) ratios.push(1);
  const largest = ratios.reduce((a, b) => (Number.isNaN(a) || a > b ? a : b));
  return { ratio: Number.isNaN(largest) ? null : largest, isOutside: !native.areGuardsIntact() };
}

function compareWords({ seed }: WordsQuestion): WordsAnswer {
  const random = new Random(seed);
  const length = 1 + random.index(300);
  const draw = (scale: number): Float32Array => Float32Array.from({ length }, () => scale * random.gaussian());
  const scale = [1e-30, 1e-8, 1, 1e6][random.index(4)];
  const floats = { m: draw(scale), v: draw(scale).map((x) => x * x) };
  const native = { ops: nativeOps, words: new Int32Array(length), w: new Float32Array(length) };
  const typescript = { ops: tsOps, words: new Int32Array(length), w: new Float32Array(length) };
  const [g, from] = [draw(scale), random.index(length)];
  const order = random.index(2) === 0 ? (["m", "v"] as const) : (["v", "m"] as const);
  const conversions = [native, typescript].map(({ ops: { words: codec }, words }) => {
    const read = { m: new Float32Array(length - from), v: new Float32Array(length - from) };
    for (const what of order) codec?.encode(words, 0, floats[what], what);
    for (const what of ["m", "v"] as const) codec?.decode(read[what], words, from, what);
    return JSON.stringify([Array.from(words), Array.from(read.m), Array.from(read.v)]);
  });
  for (const { ops, words, w } of [native, typescript]) {
    const [weights, gradients, moments] = [w, g, words].map((numbers) => ops.view(numbers, 0, length));
    ops.adam(weights, gradients, moments, undefined, 0.85, 0.99, 1e-8, 0.01, 1.5);
  }
  const differences = (half: (word: number) => number): number =>
    native.words.reduce((most, word, i) => Math.max(most, Math.abs(half(word) - half(typescript.words[i]))), 0);
  return {
    m: differences((word) => word >> 16),
    v: differences((word) => word & 0xffff),
    w: native.w.reduce((most, w, i) => Math.max(most, Math.abs(w - typescript.w[i]) / Math.max(1, Math.abs(w))), 0),
    areConversionsSame: conversions[0] === conversions[1],
  };
}

/** Sizes that nothing has. */
const WRONG_SIZES = [-1, -(2 ** 31), 2 ** 31, 2 ** 32, 2 ** 32 + 1, 1e300, NaN, Infinity, -Infinity];

/** Every way in which one argument, or two together, will not do. */
function refuse({ op, updates }: RefuseQuestion): Refusal[] {
  const refusals: Refusal[] = [];
  const valid = argumentsOf(op, { ...MINIMAL, updates });
  const attempt = (wrong: string, change: (args: readonly Argument[]) => readonly unknown[]): void => {
    const native = new NativeArguments(valid, true);
    const args = change(native.args);
    let error: string | null = null;
    try {
      call(nativeOps, op, args);
    } catch (thrown) {
      error = thrown instanceof Error ? thrown.name : String(thrown);
    }
    refusals.push({ wrong, error, isTouched: !(native.areGuardsIntact() && native.areTensorsIntact()) });
  };

  valid.forEach(({ name, value }, i) => {
    const put = (wrong: string, change: (view: Uint8Array) => unknown): void =>
      attempt(`${name}: ${wrong}`, (args) => {
        const changed: unknown[] = args.slice();
        changed[i] = change(args[i] as Uint8Array);
        return changed;
      });
    attempt(`${name}: missing`, (args) => {
      // Where the missing ones are looked for, XS now has what was there before.
      call(nativeOps, op, new NativeArguments(valid, true).args);
      return args.slice(0, i);
    });
    if (value instanceof Float32Array) {
      // The first tensor of these says how much there is to do.
      const isMeasure = i === 0 && (op === "zero" || op === "areFinite" || op === "adam");
      if (!isMeasure) put("too short", (view) => view.subarray(0, -4));
      if (!isMeasure) put("empty", () => new Uint8Array(0));
      put("not aligned", (view) => new Uint8Array(view.buffer, view.byteOffset + 1, view.length));
      put("a Float32Array", (view) => new Float32Array(view.buffer, view.byteOffset, value.length));
      const isOptional = name === "bias" || name === "dbias" || (op === "adam" && name === "v");
      for (const wrong of [[], {}, null, undefined, 7, "tensor"])
        if (!(isOptional && wrong === undefined)) put(`is ${JSON.stringify(wrong)}`, () => wrong);
    } else if (value instanceof Uint8Array) {
      const needed = op === "softmaxCrossEntropy" ? MINIMAL.rows + 1 : MINIMAL.rows;
      put("too short", (view) => view.subarray(0, needed - 1));
      put("a Float32Array", () => new Float32Array(value));
      for (let t = 0; t < needed; t++) {
        for (const token of [MINIMAL.m, 255])
          put(`${token} at ${t}`, () => value.map((known, i) => (i === t ? token : known)));
      }
      for (const wrong of [[], null, undefined, 7]) put(`is ${JSON.stringify(wrong)}`, () => wrong);
    } else if (typeof value === "boolean") {
      for (const wrong of [0, 1, null, undefined, "true", {}]) put(`is ${JSON.stringify(wrong)}`, () => wrong);
    } else if (typeof value === "number" && op !== "adam" && name !== "weight") {
      for (const size of [...WRONG_SIZES, 2 ** 32 + value]) put(`size ${size}`, () => size);
      put("size undefined", () => undefined);
      if (name === "from") put("size beyond to", () => MINIMAL.rows + 1);
      if (name === "block") put("size below rows", () => MINIMAL.rows - 1);
      if (name === "heads") for (const heads of [0, 4, 12]) put(`size ${heads} for a width of 6`, () => heads);
    }
  });
  return refusals;
}

function trainerOf(ops: Ops, preset: PresetName, nLayer: number): Trainer {
  const random = new Random(42);
  const model = new Model({ ...DEFAULT_MODEL, preset, nLayer }, ops);
  drawParameters(model.parameters, random, model.config, model.ops);
  const dataset = new Dataset(new Uint8Array(host.names), "names.txt");
  // Moments in words differ by a unit here and there, and then losses do.
  return new Trainer(model, dataset, random, trainingConfig(preset, { steps: 1000, moments: "f32" }));
}

function train({ ops, preset, nLayer, steps }: TrainQuestion): number[] {
  const trainer = trainerOf(ops === "native" ? nativeOps : tsOps, preset, nLayer);
  return Array.from({ length: steps }, () => Number(trainer.step()));
}

function diverge({ preset }: DivergeQuestion): Hidden {
  const run = (ops: Ops): string[] => {
    const trainer = trainerOf(ops, preset, 2);
    const { model } = trainer;
    const tokens = Uint8Array.of(0, 1, 2, 0);
    const hidden: string[] = [];
    for (const { name, offset, rows, columns } of parameterLayout(model.config).parts) {
      // The last of a matrix; of wte, wpe and a bias the first, as not every name reaches their ends.
      const at = /^wte$|^wpe$|bias$/.test(name) ? offset : offset + rows * columns - 1;
      const value = model.parameters[at];
      model.parameters[at] = NaN;
      if (!Number.isNaN(trainer.computeGradients(tokens, 3, 1 / 3, false))) hidden.push(name);
      model.parameters[at] = value;
    }
    return hidden;
  };
  return { native: run(nativeOps), typescript: run(tsOps) };
}

/** Slots and chunks; what the stack has is gone between two calls. */
function used({ usedSlots, usedChunks }: HostUsage): number {
  return usedSlots + usedChunks;
}

function allocate({ preset, nLayer, steps }: AllocateQuestion): Allocation {
  const trainer = trainerOf(nativeOps, preset, nLayer);
  trainer.step();
  trainer.beginSchedule(steps, trainer.config.learningRate);
  const first = host.usage();
  const before = host.usage();
  for (let i = 0; i < steps; i++) trainer.step();
  const after = host.usage();
  return {
    collections: after.collections - before.collections,
    // Two measurements in a row differ by what a measurement takes.
    bytes: used(after) - used(before) - (used(before) - used(first)),
    bytecodes: after.bytecodes - before.bytecodes - (before.bytecodes - first.bytecodes),
  };
}

function save(): SaveCost {
  const trainer = trainerOf(nativeOps, "esp32gpt", 1);
  trainer.step();
  let size = 0;
  const file = {
    write: (bytes: Uint8Array): void => {
      size += bytes.length;
    },
    commit: () => Promise.resolve(),
    abort: () => undefined,
  };
  const { model, adam } = trainer;
  // The checksum of the list, too: it is computed once in the life of a training.
  const record = recordOf({ trainer, seed: 1 });
  const { crc32: crc, encodeUtf8 } = datasetKernels;
  const before = host.usage().bytecodes;
  const task = new SavingTask(file, "m", { model, step: 1, training: { adam, record }, crc, encodeUtf8 });
  while (task.work());
  return { bytecodes: host.usage().bytecodes - before, size };
}

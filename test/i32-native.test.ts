import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { EXP2, INVERSE_ROOT, LOG2 } from "../src/gpt/model/i32-tables";
import { i32Ops } from "../src/gpt/model/i32-ops";
import type { Stored } from "../src/gpt/model/ops";
import { NAMES_FILE, ROOT } from "./helpers";
import { temporaryFolder } from "./support/cli";
import { fuzzRuns } from "./support/fuzz";
import {
  type I32CodecAnswer,
  type I32Comparison,
  I32_OP_NAMES,
  type I32Question,
  type I32Shape,
  type Training,
} from "./support/i32-native-questions";
import { traceOf } from "./support/i32-training";
import type { Refusal } from "./support/native-ops-questions";
import { bundle, HostProcess, hostExecutable } from "./support/xs";

/*
 * The ops in block floating point in C against those in TypeScript: they have the same bits. Both run on XS, in a
 * process that answers questions: support/i32-native-main.ts. Of whole trainings, TypeScript runs here.
 */

const at = temporaryFolder();

const shapes: fc.Arbitrary<I32Shape> = fc
  .record({
    rows: fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 1, max: 9 }) }, fc.integer({ min: 15, max: 36 })),
    extraRows: fc.integer({ min: 0, max: 3 }),
    heads: fc.integer({ min: 1, max: 5 }),
    headWidth: fc.integer({ min: 1, max: 7 }),
    m: fc.integer({ min: 1, max: 35 }),
    spread: fc.constantFrom(0, 0, 10, 60, 300),
    documents: fc.integer({ min: 0, max: 6 }),
    isAliased: fc.boolean(),
    hasBias: fc.boolean(),
    accumulate: fc.boolean(),
    seed: fc.integer({ min: 1, max: 0xffffffff }),
  })
  .map(({ extraRows, rows, accumulate, documents, ...rest }) => ({
    ...rest,
    ...{ rows, block: rows + extraRows, accumulate },
    // Of one document there is nothing to add to.
    documents: accumulate ? documents + 2 : documents,
  }));

const trainings: fc.Arbitrary<Training> = fc
  .record({
    preset: fc.constantFrom("esp32gpt", "microgpt", "tuned"),
    nLayer: fc.integer({ min: 1, max: 3 }),
    heads: fc.integer({ min: 1, max: 4 }),
    headWidth: fc.integer({ min: 1, max: 5 }),
    blockSize: fc.constantFrom(8, 11, 16, 33),
    mlpWidth: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
    relativeBias: fc.option(fc.boolean(), { nil: undefined }),
    batchSize: fc.integer({ min: 1, max: 5 }),
    learningRate: fc.constantFrom(undefined, 0.001, 0.3, 10),
    seed: fc.integer({ min: 1, max: 0xffffffff }),
    steps: fc.integer({ min: 1, max: 6 }),
  })
  .map(({ heads, headWidth, mlpWidth, relativeBias, learningRate, ...rest }) => ({
    ...rest,
    ...{ nHead: heads, nEmbd: heads * headWidth },
    ...(mlpWidth === undefined ? {} : { mlpWidth }),
    ...(relativeBias === undefined ? {} : { relativeBias }),
    ...(learningRate === undefined ? {} : { learningRate }),
  }));

test("C has the tables of TypeScript", () => {
  const text = readFileSync(join(ROOT, "src", "gpt", "native", "gpt_i32_tables.c"), "utf8");
  const tables = [...text.matchAll(/gpt_i32_(\w+)\[(\d+)\] = \{([^}]*)\}/g)].map(([, name, length, entries]) => {
    const numbers = entries.split(",").map(Number);
    expect(numbers).toHaveLength(Number(length));
    return [name, numbers];
  });
  expect(Object.fromEntries(tables)).toEqual({
    exp2: Array.from(EXP2),
    log2: Array.from(LOG2),
    inverse_root: Array.from(INVERSE_ROOT),
  });
});

/** One source for both, but other flags of the compiler. */
describe.each(["desktop", "chip"] as const)("for the %s:", (loops) => {
  let executable: string;
  let xs: HostProcess;

  beforeAll(async () => {
    await bundle(join(__dirname, "support", "i32-native-main.ts"), at("main.js"));
    executable = await hostExecutable(loops);
    xs = new HostProcess(executable, at("main.js"));
  }, 600_000);

  afterAll(async () => {
    expect(await xs.end()).toMatchObject({ code: 0, stderr: "" });
  });

  async function ask<Answer>(question: I32Question): Promise<Answer> {
    // An op that crashes fails its own test and no other.
    if (xs.hasEnded) xs = new HostProcess(executable, at("main.js"));
    return (await xs.ask(question)) as Answer;
  }

  describe("computes the bits of the TypeScript op:", () => {
    test.each(I32_OP_NAMES)("%s", async (op) => {
      const smallest: I32Shape = {
        ...{ rows: 1, block: 1, heads: 1, headWidth: 1, m: 1, spread: 0, documents: 0, seed: 2 },
        ...{ isAliased: false, hasBias: false, accumulate: false },
      };
      const usual: I32Shape = { ...smallest, rows: 7, block: 16, heads: 4, headWidth: 4, m: 64, isAliased: true };
      await fc.assert(
        fc.asyncProperty(shapes, async (shape) => {
          expect(await ask<I32Comparison>({ kind: "compare", op, shape })).toEqual({ different: [], isOutside: false });
        }),
        {
          numRuns: fuzzRuns(80),
          examples: [
            [smallest],
            [usual],
            [{ ...usual, m: 27, hasBias: true, accumulate: true, documents: 3 }],
            [{ ...usual, rows: 40, block: 40, m: 27, hasBias: true, accumulate: true, documents: 3, seed: 5 }],
          ],
        },
      );
    });
  });

  describe("refuses what will not do, before it touches anything:", () => {
    const backward = I32_OP_NAMES.filter((op) => op.endsWith("Backward") && op !== "rmsNormBackward");
    const ops = I32_OP_NAMES.map((op) => [op, ""] as const);
    test.each([...ops, ...backward.map((op) => [op, " that updates"] as const)])("%s%s", async (op, how) => {
      const refusals = await ask<Refusal[]>({ kind: "refuse", op, updates: how !== "" });
      expect(refusals.length).toBeGreaterThan(7);
      const failures = refusals.flatMap(({ wrong, error, isTouched }) => {
        const isSize = /: (size|too short|empty|not aligned|\d+ at)/.test(wrong);
        const isRefused = isSize ? error === "RangeError" : error !== null;
        return isRefused && !isTouched ? [] : [`${wrong} -> ${error ?? "taken"}${isTouched ? ", written" : ""}`];
      });
      expect(failures).toEqual([]);
    });
  });

  test.each(["weights", "m", "v"] as const)("converts %s as TypeScript does", async (what: Stored) => {
    const word = fc.integer({ min: -0x80000000, max: 0x7fffffff });
    const float = fc.float({ noNaN: false }).map((value) => new Int32Array(Float32Array.of(value).buffer)[0]);
    const usual = fc
      .tuple(fc.integer({ min: 60, max: 150 }), fc.integer({ min: 0, max: 0x7fffff }), fc.boolean())
      .map(([exponent, fraction, isNegative]) => (isNegative ? 1 << 31 : 0) | (exponent << 23) | fraction);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(word, float, usual), { minLength: 2, maxLength: 200 }), async (words) => {
        expect(await ask<I32CodecAnswer>({ kind: "codec", what, words })).toEqual([]);
      }),
      { numRuns: fuzzRuns(200) },
    );
  });

  const names = new Uint8Array(readFileSync(NAMES_FILE));
  const compareTraining = async (training: Training): Promise<string[]> => {
    const trace = await ask<string[]>({ kind: "train", training });
    expect(trace).toEqual(traceOf(i32Ops, names, training));
    return trace;
  };

  test("random trainings have the bits of TypeScript after every step", async () => {
    await fc.assert(
      fc.asyncProperty(trainings, async (training) => {
        await compareTraining(training);
      }),
      { numRuns: fuzzRuns(20) },
    );
  }, 600_000);

  test.each(["esp32gpt", "microgpt", "tuned"] as const)(
    "so have 30 steps of %s",
    async (preset) => {
      const shape = { preset, nLayer: 1, nEmbd: 16, nHead: 4, blockSize: 16 };
      const trace = await compareTraining({ ...shape, batchSize: preset === "tuned" ? 8 : 1, seed: 42, steps: 30 });
      expect(new Set(trace).size).toBe(30);
    },
    600_000,
  );
});

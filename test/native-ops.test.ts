import { join } from "node:path";
import fc from "fast-check";
import { largestDifference } from "./helpers";
import { temporaryFolder } from "./support/cli";
import { fuzzRuns } from "./support/fuzz";
import {
  type Allocation,
  type Comparison,
  type Hidden,
  OP_NAMES,
  type Question,
  type Refusal,
  type SaveCost,
  type Shape,
  type WordsAnswer,
} from "./support/native-ops-questions";
import { bundle, HostProcess, hostExecutable } from "./support/xs";

/*
 * The ops in C against those in TypeScript. Both run on XS, in a process that answers questions:
 * support/native-ops-main.ts.
 */

const at = temporaryFolder();

const shapes: fc.Arbitrary<Shape> = fc
  .record({
    rows: fc.integer({ min: 1, max: 9 }),
    firstRow: fc.nat(8),
    extraRows: fc.integer({ min: 0, max: 3 }),
    heads: fc.integer({ min: 1, max: 5 }),
    headWidth: fc.integer({ min: 1, max: 7 }),
    m: fc.integer({ min: 1, max: 35 }),
    scale: fc.constantFrom(0.01, 1, 5),
    isAliased: fc.boolean(),
    hasBias: fc.boolean(),
    accumulate: fc.boolean(),
    seed: fc.integer({ min: 1, max: 0xffffffff }),
  })
  .map(({ firstRow, extraRows, rows, ...rest }) => ({
    ...rest,
    rows,
    from: firstRow % rows,
    block: rows + extraRows,
  }));

/** 24 bits of significand, and sums of up to some 100 terms in another order. */
const TOLERANCE = 1e-5;

/** Losses of trainings with the TypeScript ops, which are slow and the same beside all loops. */
const typescriptLosses = new Map<string, number[]>();

/** The loops for a desktop, and those for an ESP32. */
describe.each(["desktop", "chip"] as const)("for the %s:", (loops) => {
  let executable: string;
  let xs: HostProcess;

  beforeAll(async () => {
    await bundle(join(__dirname, "support", "native-ops-main.ts"), at("main.js"));
    executable = await hostExecutable(loops);
    xs = new HostProcess(executable, at("main.js"));
  }, 600_000);

  afterAll(async () => {
    expect(await xs.end()).toMatchObject({ code: 0, stderr: "" });
  });

  async function ask<Answer>(question: Question): Promise<Answer> {
    // An op that crashes fails its own test and no other.
    if (xs.hasEnded) xs = new HostProcess(executable, at("main.js"));
    return (await xs.ask(question)) as Answer;
  }

  describe("computes what the TypeScript op computes:", () => {
    test.each(OP_NAMES)("%s", async (op) => {
      const smallest: Shape = {
        ...{ from: 0, rows: 1, block: 1, heads: 1, headWidth: 1, m: 1, scale: 1, seed: 1 },
        ...{ isAliased: false, hasBias: false, accumulate: false },
      };
      await fc.assert(
        fc.asyncProperty(shapes, async (shape) => {
          const { ratio, isOutside } = await ask<Comparison>({ kind: "compare", op, shape });
          expect(ratio).toBeLessThanOrEqual(TOLERANCE);
          expect(isOutside).toBe(false);
        }),
        {
          numRuns: fuzzRuns(80),
          examples: [
            [smallest],
            [{ ...smallest, rows: 16, block: 16, heads: 4, headWidth: 4, m: 64 }],
            [{ ...smallest, rows: 40, block: 40, heads: 4, headWidth: 4, m: 27, hasBias: true, accumulate: true }],
            [{ ...smallest, rows: 16, block: 16, from: 15, heads: 16, m: 27, seed: 2 }],
          ],
        },
      );
    });
  });

  describe("refuses what will not do, before it touches anything:", () => {
    // Any floats are looked at.
    const ops = OP_NAMES.filter((op) => op !== "areFinite").map((op) => [op, ""] as const);
    const backward = OP_NAMES.filter((op) => op.endsWith("Backward") && op !== "rmsNormBackward");
    const updates = loops === "chip" ? backward.map((op) => [op, " that updates"] as const) : [];
    test.each([...ops, ...updates])("%s%s", async (op, how) => {
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

  test("moments in words are those of TypeScript, but for a last digit", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 0xffffffff }), async (seed) => {
        const { m, v, w, areConversionsSame } = await ask<WordsAnswer>({ kind: "words", seed });
        expect([m <= 1, v <= 1, areConversionsSame]).toEqual([true, true, true]);
        expect(w).toBeLessThan(3e-6);
      }),
      { numRuns: fuzzRuns(80) },
    );
  });

  test.each([
    ["esp32gpt", 1],
    ["esp32gpt", 2],
    ["microgpt", 1],
    ["microgpt", 2],
    ["tuned", 1],
  ] as const)("100 steps of %s with %d layer(s) have the losses of the TypeScript ops", async (preset, nLayer) => {
    const question = { kind: "train", preset, nLayer, steps: 100 } as const;
    const native = await ask<number[]>({ ...question, ops: "native" });
    const key = `${preset} ${nLayer}`;
    const typescript = typescriptLosses.get(key) ?? (await ask<number[]>({ ...question, ops: "typescript" }));
    typescriptLosses.set(key, typescript);
    expect(native).toHaveLength(100);
    expect(largestDifference(native, typescript)).toBeLessThan(1e-4);
    expect(native).not.toEqual(typescript);
  });

  test.each(["esp32gpt", "microgpt", "tuned"] as const)(
    "%s: no NaN among the parameters hides from the loss",
    async (preset) => {
      expect(await ask<Hidden>({ kind: "diverge", preset })).toEqual({ native: [], typescript: [] });
    },
  );

  test("a save looks at its numbers in C", async () => {
    const { bytecodes, size } = await ask<SaveCost>({ kind: "save" });
    expect(size).toBeGreaterThan(50_000);
    // 340,000 when it looked at each of them in TypeScript, and 98,000 when it encoded the header there.
    expect(bytecodes).toBeLessThan(25_000);
  });

  test.each(["esp32gpt", "microgpt", "tuned"] as const)(
    "after the first step of %s, 1,000 more take no memory, and always the same bytecodes",
    async (preset) => {
      const question = { kind: "allocate", preset, nLayer: 2, steps: 1000 } as const;
      const allocation = await ask<Allocation>(question);
      expect(allocation).toEqual({ collections: 0, bytes: 0, bytecodes: expect.any(Number) as number });
      expect(allocation.bytecodes).toBeGreaterThan(0);
      expect(await ask<Allocation>(question)).toEqual(allocation);
    },
  );
});

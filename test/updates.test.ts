import { join } from "node:path";
import fc from "fast-check";
import { MAX_UPDATE } from "../src/gpt/plan";
import { temporaryFolder } from "./support/cli";
import { fuzzRuns } from "./support/fuzz";
import type { Differences, UpdatesQuestion } from "./support/updates-questions";
import { bundle, HostProcess, hostExecutable } from "./support/xs";

/*
 * Backward passes that update each weight right behind its gradient, against those that keep the gradients: trainings in
 * both ways end with the same bits.
 */

const at = temporaryFolder();

const questions: fc.Arbitrary<Omit<UpdatesQuestion, "dtype">> = fc
  .record({
    preset: fc.constantFrom("esp32gpt", "microgpt", "tuned"),
    heads: fc.integer({ min: 1, max: 5 }),
    headWidth: fc.constantFrom(1, 2, 3, 4, 5, 8, 17),
    nLayer: fc.integer({ min: 1, max: 2 }),
    blockSize: fc.constantFrom(2, 3, 8, 16, 20, 33),
    mlpWidth: fc.constantFrom(1, 7, 16, 64, 130),
    relativeBias: fc.boolean(),
    vocabularySize: fc.constantFrom(2, 3, 5, 27, 65, 100, 131, 256),
    learningRate: fc.constantFrom(0.003, 0.01, 0.3),
    steps: fc.integer({ min: 1, max: 12 }),
    seed: fc.integer({ min: 1, max: 0xffffffff }),
  })
  .map(({ heads, headWidth, nLayer, blockSize, mlpWidth, relativeBias, ...others }) => ({
    ...others,
    shape: { nLayer, nEmbd: heads * headWidth, nHead: heads, blockSize, mlpWidth, relativeBias },
  }));

const DEFAULT: Omit<UpdatesQuestion, "dtype"> = {
  preset: "esp32gpt",
  shape: { nLayer: 1, nEmbd: 16, nHead: 4, blockSize: 16, mlpWidth: 64, relativeBias: true },
  ...{ vocabularySize: 27, learningRate: 0.01, steps: 30, seed: 42 },
};

describe.each(["desktop", "chip"] as const)("with the loops for the %s:", (loops) => {
  let executable: string;
  let xs: HostProcess;

  beforeAll(async () => {
    await bundle(join(__dirname, "support", "updates-main.ts"), at("main.js"));
    executable = await hostExecutable(loops);
    xs = new HostProcess(executable, at("main.js"));
  }, 600_000);

  afterAll(async () => {
    expect(await xs.end()).toMatchObject({ code: 0, stderr: "" });
  });

  async function ask(question: UpdatesQuestion): Promise<Differences> {
    if (xs.hasEnded) xs = new HostProcess(executable, at("main.js"));
    return (await xs.ask(question)) as Differences;
  }

  test.each(["f32", "i32"] as const)("%s", async (dtype) => {
    // A desktop has memory, and loops over all positions.
    const updates = dtype === "i32" || loops === "chip";
    await fc.assert(
      fc.asyncProperty(questions, async (question) => {
        const { gradients, keptGradients, isSame } = await ask({ ...question, dtype });
        expect(isSame).toBe(true);
        expect(keptGradients).toBeGreaterThan(0);
        expect(gradients).toBe(updates ? 0 : keptGradients);
      }),
      {
        numRuns: fuzzRuns(60),
        examples: [[DEFAULT], [{ ...DEFAULT, shape: { ...DEFAULT.shape, nEmbd: 200, nLayer: 2, mlpWidth: 300 } }]],
      },
    );
  });

  test.each(["f32", "i32"] as const)("%s keeps the gradients if a row or a bias is too long", async (dtype) => {
    const shapes = [
      // Where the memory plan draws the line.
      { ...DEFAULT.shape, nEmbd: MAX_UPDATE + DEFAULT.shape.nHead },
      { ...DEFAULT.shape, nHead: 8, blockSize: 33 },
    ];
    for (const shape of shapes) {
      const { gradients, keptGradients, isSame } = await ask({ ...DEFAULT, shape, steps: 2, dtype });
      expect([gradients, isSame]).toEqual([keptGradients, true]);
    }
  });

  test.each(["f32", "i32"] as const)(
    "%s updates rows and a bias at once that are as long as planned",
    async (dtype) => {
      const { nHead } = DEFAULT.shape;
      const shape = { ...DEFAULT.shape, nEmbd: MAX_UPDATE, blockSize: MAX_UPDATE / nHead };
      const { gradients, isSame } = await ask({ ...DEFAULT, shape, steps: 2, dtype });
      expect([gradients === 0, isSame]).toEqual([dtype === "i32" || loops === "chip", true]);
    },
  );

  test("in i32 a training that diverges says so", async () => {
    const { lastLoss, isSame } = await ask({ ...DEFAULT, learningRate: 10, steps: 39, dtype: "i32" });
    expect([lastLoss, isSame]).toEqual(["diverged", true]);
  });
});

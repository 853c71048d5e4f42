import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTrainer, Dataset, typescriptOps } from "../src/gpt/index";
import { f32InferenceOps, i32InferenceOps, planInference } from "../src/gpt/inference";
import { formatResource } from "../src/gpt/resource";
import { outcomeOf, temporaryFolder } from "./support/cli";
import { inferenceAnswer } from "./support/inference-answer";
import { bundle, hostExecutable } from "./support/xs";

/* A model from read-only memory on XS, as a resource in flash is there: with the ops in TypeScript and those in C. */

const at = temporaryFolder();
let executable = "";

beforeAll(async () => {
  executable = await hostExecutable();
  await bundle(join(__dirname, "support", "inference-main.ts"), at("main.js"));
}, 600_000);

interface Answer {
  readonly answers: readonly [f32: string, nativeF32: string, i32: string, nativeI32: string];
  /** Bytes of the chunk heap that the model has taken. */
  readonly taken: number;
  readonly models: number;
  readonly refusal: string;
}

/** Bytes that XS may take beside the buffers: a header for each of them, and the rounding of sizes. */
const OVERHEAD = 2500;

test.each([
  ["f32", f32InferenceOps],
  ["i32", i32InferenceOps],
] as const)(
  "in %s it says the same as on Node, and takes what the plan says",
  async (dtype, ops) => {
    const trainer = createTrainer({
      dataset: Dataset.of(["anna", "bob", "zoé", "anna lea"]),
      ops: typescriptOps(dtype),
      preset: "tuned",
      model: { nLayer: 2, nEmbd: 32 },
      training: { steps: 5 },
    });
    for (let i = 0; i < 5; i++) trainer.step();
    const resource = formatResource(trainer.model);
    writeFileSync(at(`${dtype}.bin`), resource);
    const memory = ["--chunks", "4000000", "--slots", "60000", "--stack", "4096", "--heap-limit", "67108864"];
    const child = spawn(executable, ["--bundle", at("main.js"), "--names", at(`${dtype}.bin`), ...memory]);
    const { code, stdout, stderr } = await outcomeOf(child);
    expect([code, stderr]).toEqual([0, ""]);
    const { answers, taken, models, refusal } = JSON.parse(stdout) as Answer;
    const wanted = inferenceAnswer(resource, ops);
    const other = `The resource cannot be used: its dtype is "${dtype}", and these ops compute in ${dtype === "f32" ? "i32" : "f32"}: export it in that.`;
    expect(models).toBe(1);
    expect(refusal).toMatch(/multiple of 4 bytes/);
    if (dtype === "i32") expect(answers).toEqual([other, other, wanted, wanted]);
    else {
      // Floats: exp() is the engine's, and C adds in another order.
      expect(answers.slice(2)).toEqual([other, other]);
      const numbers = JSON.parse(wanted) as Record<string, unknown>;
      for (const answer of answers.slice(0, 2)) expectClose(JSON.parse(answer), numbers);
    }
    const { buffers } = planInference(trainer.model.config, dtype, trainer.model.vocabulary);
    const planned = buffers.slice(0, 2).reduce((sum, { bytes }) => sum + bytes, 0);
    expect(taken).toBeGreaterThanOrEqual(planned);
    expect(taken).toBeLessThan(planned + OVERHEAD);
  },
  600_000,
);

/** Numbers within 1e-4, all else equal. */
function expectClose(found: unknown, wanted: unknown): void {
  if (typeof wanted === "number") expect(Math.abs(Number(found) - wanted)).toBeLessThan(1e-4);
  else if (typeof wanted === "object" && wanted !== null && typeof found === "object" && found !== null) {
    expect(Object.keys(found)).toEqual(Object.keys(wanted));
    for (const [key, value] of Object.entries(wanted)) expectClose(found[key as keyof typeof found], value);
  } else expect(found).toEqual(wanted);
}

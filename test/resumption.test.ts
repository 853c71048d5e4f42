import { engineFunctions } from "../src/gpt/base/elementary";
import { recordOf } from "../src/gpt/checkpoint/training-checkpoint";
import type { TrainingRecord } from "../src/gpt/checkpoint/record";
import { trainingConfig } from "../src/gpt/model/config";
import { checkAgreement, nextSchedule } from "../src/jobs/resumption";
import { SMALL, trained } from "./support/checkpoints";

/* Which options go with the checkpoint of a training, and when more steps begin another schedule. */

const BATCH = 5;
const STEPS = 6;

/** A training with batches, after so many of its steps. */
function recordAfter(stepsDone: number, learningRate = 0.01): TrainingRecord {
  const record = recordOf({ trainer: trained(SMALL, "f32"), seed: 3 });
  const config = { ...record.config, steps: STEPS, batchSize: BATCH, learningRate };
  return { ...record, config, state: { ...record.state, stepsDone } };
}

type Wanted = Parameters<typeof checkAgreement>[1];

function refusal(wanted: Partial<Wanted>, isNext = false): string | undefined {
  try {
    checkAgreement("m", { dtype: "f32", training: {}, ...wanted }, recordAfter(4), "f32", isNext);
    return undefined;
  } catch (error) {
    return /--([\w-]+) contradicts/.exec(String(error))?.[1];
  }
}

describe("options that were given", () => {
  test("may repeat what the training has", () => {
    const { batchSize, sampling, holdout, learningRate, steps } = recordAfter(4).config;
    const training = { batchSize, sampling, holdout, learningRate, steps };
    expect(refusal({ training, seed: 3 })).toBeUndefined();
    for (const trainNames of [26, 30]) expect(refusal({ trainNames })).toBeUndefined();
  });

  test.each<[string, Partial<Wanted>]>([
    ["dtype", { dtype: "f64" }],
    ["steps", { training: { steps: 7 } }],
    ["train-names", { trainNames: 25 }],
    ["train-names", { trainNames: 31 }],
    ["batch-size", { training: { batchSize: 4 } }],
    ["learning-rate", { training: { learningRate: 0.02 } }],
    ["sampling", { training: { sampling: "random" } }],
    ["holdout", { training: { holdout: 10 } }],
    ["seed", { seed: 4 }],
  ])("must not contradict it: %s", (option, wanted) => {
    expect(refusal(wanted)).toBe(option);
  });

  test("must not contradict its moments, which only f32 keeps in more than one way", () => {
    const record = { ...recordAfter(4), config: { ...recordAfter(4).config, moments: "f32" as const } };
    const training = { moments: "bf16" } as const;
    expect(() => checkAgreement("m", { dtype: "f32", training }, record, "f32", false)).toThrow(
      /--moments contradicts/,
    );
    for (const dtype of ["i32", "f64"] as const)
      expect(() => checkAgreement("m", { dtype, training }, record, dtype, false)).not.toThrow();
  });

  test("may have other steps and another learning rate where another schedule begins, and nothing else", () => {
    expect(refusal({ training: { steps: 7, learningRate: 0.02 } }, true)).toBeUndefined();
    expect(refusal({ trainNames: 31 }, true)).toBeUndefined();
    expect(refusal({ training: { steps: 7, holdout: 10 } }, true)).toBe("holdout");
  });
});

describe("another schedule", () => {
  const next = (record: TrainingRecord, options: Partial<Wanted>): ReturnType<typeof nextSchedule> =>
    nextSchedule({ dtype: "f32", training: {}, ...options }, record, "tuned", engineFunctions);

  test("begins when the training is over, with more steps or names than it had", () => {
    const over = recordAfter(STEPS);
    expect(next(over, { training: { steps: 7 } })).toMatchObject({ steps: 7, batchSize: BATCH });
    expect(next(over, { trainNames: 31 })).toMatchObject({ steps: 7, batchSize: BATCH });
    for (const wanted of [{}, { training: { steps: 6 } }, { training: { steps: 5 } }, { trainNames: 30 }])
      expect(next(over, wanted)).toBeUndefined();
    expect(next(recordAfter(STEPS - 1), { training: { steps: 7 } })).toBeUndefined();
  });

  test("has the learning rate that is given, or that of the training unless it was the preset's", () => {
    const usual = (steps: number): number => trainingConfig("tuned", { steps, batchSize: BATCH }).learningRate;
    const [few, many] = [2000, 8000];
    // The preset's depends on the number of names.
    expect(new Set([usual(few), usual(many), trainingConfig("tuned", {}).learningRate]).size).toBe(3);
    const over = recordAfter(few, usual(few));
    const record = { ...over, config: { ...over.config, steps: few } };
    const training = { steps: many };
    expect(next(record, { training })?.learningRate).toBe(usual(many));
    expect(next(recordAfter(STEPS, 0.0123), { training })?.learningRate).toBe(0.0123);
    expect(next(recordAfter(STEPS, 0.0123), { training: { ...training, learningRate: 0.5 } })?.learningRate).toBe(0.5);
  });
});

import { DEFAULT_TRAINING, PRESETS, type ModelConfig } from "../src/gpt/model/config";
import { bitsOf, mantissaExponent, mantissaOf, mulh, mulhu } from "../src/gpt/model/i32-arithmetic";
import { mantissaBits } from "../src/gpt/model/i32-format";
import { EXP2, FIRST_ROOT, INVERSE_ROOT, LOG2 } from "../src/gpt/model/i32-tables";
import type { Model } from "../src/gpt/model/model";
import type { Dtype } from "../src/gpt/model/ops";
import { gradientLayout, parameterLayout } from "../src/gpt/model/parameters";
import { Random } from "../src/gpt/model/random";
import { Trainer } from "../src/gpt/training/trainer";
import { Checkpoint } from "../src/gpt/checkpoint/reader";
import { DEFAULT_TRAIN_JOB, type TrainJob } from "../src/jobs/train-job";
import { runJob } from "../src/jobs/job";
import { datasetOf, drawnModel, lossOf, mean, shippedNames, tokensOf, trainStep, utf8 } from "./helpers";
import { MemoryPlatform } from "./support/memory-platform";
import { MemoryStorage } from "./support/memory-storage";

/* i32: its arithmetic, its gradients, and that every number from the seed on is exact. */

function integers(random: Random): number {
  const all = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 65535, 65536, -65536];
  return random.index(4) === 0 ? all[random.index(all.length)] : random.uint32() | 0;
}

test("high halves of products are those of 64-bit integers", () => {
  const random = new Random(1);
  for (let i = 0; i < 20_000; i++) {
    const a = integers(random);
    const b = integers(random);
    expect(BigInt(mulh(a, b))).toBe((BigInt(a) * BigInt(b)) >> 32n);
    expect(BigInt(mulhu(a >>> 0, b >>> 0))).toBe((BigInt(a >>> 0) * BigInt(b >>> 0)) >> 32n);
  }
});

test("mantissas have 31 bits", () => {
  for (const x of [1, 0.5, 1 / 3, 1.4426950408889634 / Math.sqrt(5), 1e-9, 12345.678, 1 - 2 ** -40]) {
    expect(bitsOf(mantissaOf(x))).toBe(31);
    expect(mantissaOf(x) / 2 ** mantissaExponent(x) / x - 1).toBeCloseTo(0, 8);
  }
});

test("tables are those of their formulas", () => {
  const { log2, sqrt } = Math;
  EXP2.forEach((value, i) => expect(value).toBe(Math.round(2 ** (31 - i / 64))));
  LOG2.forEach((value, i) => expect(value).toBe(Math.round(2 ** 28 * log2(1 + i / 64))));
  INVERSE_ROOT.forEach((value, i) => expect(value).toBe(Math.round(2 ** 27 / sqrt((i + FIRST_ROOT + 0.5) * 65536))));
  expect([EXP2, LOG2, INVERSE_ROOT].map(({ length }) => length)).toEqual([64, 65, 384]);
});

/** Gradients of a document as floats, by matrix. */
function gradientsOf(trainer: Trainer, names: readonly string[]): Map<string, Float64Array> {
  const { model, gradients } = trainer;
  const { ops, config } = model;
  names.forEach((name, i) => {
    const tokens = tokensOf(name);
    trainer.computeGradients(tokens, tokens.length - 1, 1 / (tokens.length - 1), i > 0);
  });
  const layout = gradientLayout(config, ops.dtype, trainer.config.batchSize);
  const found = new Map<string, Float64Array>();
  for (const { name, offset, rows, columns } of layout.parts) {
    // The exponents of wq, wk and wv are behind wv.
    const third = ["wq", "wk", "wv"].findIndex((part) => name.endsWith(`.${part}`));
    const { offset: last } = third < 0 ? { offset } : layout.part(name.replace(/w[qk]$/, "wv"));
    const exponent = ops.dtype === "i32" ? gradients[last + rows * columns + Math.max(third, 0)] : 0;
    const part = gradients.subarray(offset, offset + rows * columns);
    found.set(
      name,
      Float64Array.from(part, (value) => value * 2 ** -exponent),
    );
  }
  return found;
}

/** A copy of a model's weights in double precision. */
function inDoubles(model: Model): Model {
  const copy = drawnModel(model.config, "f64");
  copy.parameters.forEach((_, i) => (copy.parameters[i] = model.parameters[i] * model.parameterUnit));
  return copy;
}

function trainerOf(model: Model, batchSize = 1): Trainer {
  return new Trainer(model, datasetOf("emma"), new Random(1), { ...DEFAULT_TRAINING, batchSize });
}

describe("gradients against central differences in double precision", () => {
  // Relative root mean squares of the differences, by matrix; the least bits are those of wq and wk.
  test.each<[string, Partial<ModelConfig>, readonly string[], number]>([
    ["the default model", {}, ["emmaolivi"], 2e-4],
    ["two layers", { nLayer: 2, nEmbd: 8, nHead: 2, blockSize: 8 }, ["olivia"], 2e-4],
    [
      "a bias by distance, and an MLP of another width",
      { preset: "tuned", nLayer: 2, nEmbd: 8, nHead: 2, blockSize: 8, mlpWidth: 12 },
      ["olivia", "ava"],
      2e-4,
    ],
    ["a batch", { nEmbd: 12, nHead: 3 }, ["al", "olivia", "emma", "zoe"], 2e-4],
    ["RMSNorm", { preset: "microgpt", nEmbd: 8, nHead: 2, blockSize: 8 }, ["olivia"], 2e-4],
    ["RMSNorm, two layers", { preset: "microgpt", nLayer: 2, nEmbd: 6, nHead: 3, blockSize: 8 }, ["ava", "bo"], 2e-4],
    ["heads of one number", { nEmbd: 5, nHead: 5, mlpWidth: 7 }, ["olivia"], 2e-4],
  ])("%s", (_title, config, names, tolerance) => {
    const model = drawnModel(config, "i32");
    const integer = gradientsOf(trainerOf(model, names.length), names);
    const doubles = inDoubles(model);
    const { parameters } = doubles;
    for (const { name, offset, rows, columns } of parameterLayout(model.config).parts) {
      let squares = 0;
      let errors = 0;
      const found = integer.get(name);
      for (let i = 0; i < rows * columns; i++) {
        const at = offset + i;
        const value = parameters[at];
        const sumAt = (x: number): number => {
          parameters[at] = x;
          return names.reduce((sum, text) => sum + lossOf(doubles, text), 0);
        };
        const step = 1e-5;
        const numerical =
          ((2 / 3) * (sumAt(value + step) - sumAt(value - step)) -
            (1 / 12) * (sumAt(value + 2 * step) - sumAt(value - 2 * step))) /
          step;
        parameters[at] = value;
        squares += numerical ** 2;
        errors += (numerical - (found?.[i] ?? NaN)) ** 2;
      }
      expect([name, Math.sqrt(errors / squares) < tolerance || errors < 1e-14]).toEqual([name, true]);
    }
  });
});

test("a block whose softmax would wrap is refused", () => {
  expect(() => drawnModel({ blockSize: 257, nEmbd: 4 }, "i32")).toThrow(
    "block_size must be at most 256 in i32, not 257.",
  );
  expect(drawnModel({ blockSize: 256, nEmbd: 4 }, "i32").config.blockSize).toBe(256);
});

test("no tensor has more bits than its products can take", () => {
  for (const nEmbd of [1, 2, 3, 16, 24, 100, 512])
    for (const blockSize of [2, 16, 64, 1024, 4096])
      for (const mlpWidth of [1, 64, 1000])
        for (const vocabularySize of [2, 27, 256]) {
          const config: ModelConfig = {
            preset: "tuned",
            nLayer: 1,
            nEmbd,
            nHead: 1,
            blockSize,
            mlpWidth,
            vocabularySize,
          };
          const { stream, hidden, logits, flow } = mantissaBits(config, mlpWidth);
          expect(nEmbd * 2 ** (stream - 1)).toBeLessThanOrEqual(2 ** 30);
          expect(nEmbd * 2 ** (flow - 1)).toBeLessThanOrEqual(2 ** 30);
          expect(mlpWidth * 2 ** (hidden - 1)).toBeLessThanOrEqual(2 ** 30);
          expect(vocabularySize * 2 ** (logits - 1)).toBeLessThanOrEqual(2 ** 31);
          for (const [a, b] of [
            [stream, flow],
            [stream, logits],
            [hidden, flow],
            [hidden, stream],
          ])
            expect(blockSize * 2 ** (a + b - 32)).toBeLessThanOrEqual(2 ** 30);
          expect(blockSize * 2 ** (flow - 2)).toBeLessThanOrEqual(2 ** 31);
          expect(Math.min(stream, hidden, logits, flow)).toBeGreaterThan(17);
        }
});

test.each(["esp32gpt", "microgpt", "tuned"] as const)("%s: the first losses are those of floats", (preset) => {
  const losses = (dtype: Dtype): number[] => {
    const { batchSize, sampling } = PRESETS[preset];
    const trainer = new Trainer(drawnModel({ preset }, dtype), shippedNames(), new Random(7), {
      ...DEFAULT_TRAINING,
      ...{ batchSize, sampling },
    });
    return Array.from({ length: preset === "tuned" ? 13 : 100 }, () => trainStep(trainer));
  };
  const floats = losses("f32");
  const differences = losses("i32").map((loss, step) => loss - floats[step]);
  for (const difference of differences.slice(0, 12)) expect(Math.abs(difference)).toBeLessThan(1e-3);
  // Later a unit of the MLP may be active in one of them alone.
  expect(Math.abs(mean(differences))).toBeLessThan(2e-3);
});

function platformOf(storage: MemoryStorage): MemoryPlatform {
  const names = ["emma", "olivia", "ava", "zoe", "isabella"];
  return new MemoryPlatform(utf8(names.join("\n")), storage, 30);
}

/** A training in memory: what it tells and what it saves. */
async function train(job: Partial<TrainJob>): Promise<MemoryPlatform> {
  const platform = platformOf(new MemoryStorage());
  await platform.settle(runJob({ ...DEFAULT_TRAIN_JOB, dtype: "i32", save: "m", ...job }, platform));
  return platform;
}

const SMALL = { nEmbd: 8, nHead: 2, blockSize: 10 };
const BRIEF: Partial<TrainJob> = { samples: 10, logEvery: 1, training: { steps: 12, holdout: 20 } };

describe.each(["esp32gpt", "microgpt", "tuned"] as const)("%s", (preset) => {
  const job: Partial<TrainJob> = { ...BRIEF, model: { ...SMALL, preset } };

  test("functions that err by an ulp change no byte, neither of the log nor of the checkpoint", async () => {
    const { log, storage } = await train(job);
    const names = ["log", "log2", "sin", "cos", "exp", "pow", "cbrt"] as const;
    for (const name of names) {
      const { [name]: original } = Math as unknown as Record<string, (...values: number[]) => number>;
      jest.spyOn(Math, name).mockImplementation((...values: number[]) => original(...values) * (1 + 2 ** -52));
    }
    const other = await train(job).finally(() => jest.restoreAllMocks());
    expect(other.log).toBe(log);
    expect(other.storage.files.get("m")).toEqual(storage.files.get("m"));
    expect(log).toContain("embeddings, i32\n");
  });

  test("a training that is interrupted again and again ends like one in one go", async () => {
    const whole = await train(job);
    const storage = new MemoryStorage();
    let parts = 0;
    let ending: Awaited<ReturnType<typeof runJob>>;
    do {
      const platform = platformOf(storage);
      const resume = parts > 0 ? { resume: "m" } : {};
      const running = runJob({ ...DEFAULT_TRAIN_JOB, dtype: "i32", save: "m", ...job, ...resume }, platform);
      // The clock moves so fast that a slice is one document.
      for (let turn = 0; turn < 20; turn++) {
        await new Promise(setImmediate);
        platform.turn();
      }
      platform.runner.stop();
      ending = await platform.settle(running);
      parts++;
    } while (ending !== "done" && parts < 100);
    expect(parts).toBeGreaterThan(3);
    expect(storage.files.get("m")).toEqual(whole.storage.files.get("m"));
  });
});

describe("between dtypes", () => {
  const job: Partial<TrainJob> = { ...BRIEF, model: SMALL };

  test.each<[Dtype, Dtype]>([
    ["f32", "i32"],
    ["i32", "f32"],
  ])("a training in %s is not resumed in %s; its weights are converted, and it says so", async (from, to) => {
    const { storage } = await train({ ...job, dtype: from });
    const resumed = platformOf(storage);
    await resumed.settle(runJob({ ...DEFAULT_TRAIN_JOB, dtype: to, resume: "m" }, resumed));
    expect(resumed.of("error")[0].message).toBe(
      `m was trained with dtype ${from}, which --dtype contradicts: leave it out, or start over without --resume.`,
    );
    const begun = platformOf(storage);
    await begun.settle(runJob({ ...DEFAULT_TRAIN_JOB, ...job, dtype: to, init: "m", save: "n" }, begun));
    expect(begun.of("remark").map(({ message }) => message)).toContain(
      `m holds ${from} weights, which are converted to ${to}.`,
    );
    expect((await Checkpoint.open(storage, "n")).dtype).toBe(to);
  });

  test("a training has diverged when a step moves a weight out of the range of i32", async () => {
    const platform = platformOf(new MemoryStorage());
    const training = { steps: 300, learningRate: 10 };
    await platform.settle(runJob({ ...DEFAULT_TRAIN_JOB, dtype: "i32", model: SMALL, training, save: "m" }, platform));
    expect(platform.of("error")[0].message).toMatch(
      /^Training has diverged: step \d+ has moved a weight out of the range of i32, -13 to 13\. Try a learning rate below 10 /,
    );
    expect(platform.storage.files.has("m")).toBe(false);
  });
});

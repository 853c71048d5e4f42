import { LoadingTask } from "../src/gpt/checkpoint/loading";
import { Checkpoint } from "../src/gpt/checkpoint/reader";
import type { TrainingRecord } from "../src/gpt/checkpoint/record";
import { trainingConfig } from "../src/gpt/model/config";
import { lowercaseVocabulary } from "../src/gpt/data/vocabulary";
import { Model } from "../src/gpt/model/model";
import { typescriptOps } from "../src/gpt/model/typescript-ops";
import type { Event } from "../src/protocol/events";
import { runJob } from "../src/jobs/job";
import { STORED } from "../src/device/checkpoint-files";
import { DEFAULT_TRAIN_JOB, type TrainJob } from "../src/jobs/train-job";
import { utf8 } from "./helpers";
import { MemoryPlatform } from "./support/memory-platform";
import { MemoryStorage } from "./support/memory-storage";
import { TestDevice } from "./support/test-device";

/* A training that was stopped goes on where it left off: nothing tells its end from that of one that was not. */

const NAMES = ["emma", "olivia", "thequickbrown", "foxjumps", "overlazydog", "ava", "mia"];

/** Runs a job; it is stopped once so many bits of work were done, wherever it then is. */
async function run(job: Partial<TrainJob>, storage: MemoryStorage, stopAt = Infinity): Promise<MemoryPlatform> {
  const platform = new MemoryPlatform(utf8(NAMES.join("\n")), storage, 50);
  const running = runJob({ ...DEFAULT_TRAIN_JOB, samples: 3, logEvery: 4, ...job }, platform);
  const stopping = (async () => {
    while (platform.turns < stopAt && platform.of("done").length === 0) await new Promise(setImmediate);
    platform.runner.stop();
  })();
  await platform.settle(running);
  await stopping;
  return platform;
}

const ofType = (platform: MemoryPlatform, type: Event["type"]): Event[] =>
  platform.of(type).map((event) => ({ ...event, mean: undefined }));

describe.each<[string, Partial<TrainJob>]>([
  ["esp32gpt", { training: { steps: 14 } }],
  ["microgpt, in the order of the file", { model: { preset: "microgpt" }, training: { steps: 14 } }],
  ["tuned, within a batch", { model: { preset: "tuned" }, training: { steps: 6, batchSize: 5 } }],
  ["a holdout", { training: { steps: 9, holdout: 30 } }],
  ["another precision", { dtype: "f64", training: { steps: 9 } }],
  ["another seed", { seed: 7, training: { steps: 9, learningRate: 0.003 } }],
])("%s", (_name, job) => {
  test("stopped anywhere, it ends as if it had not been", async () => {
    const whole = new MemoryStorage();
    const uninterrupted = await run({ ...job, save: "m" }, whole);
    for (let stopAt = 1; ; stopAt += 3) {
      const storage = new MemoryStorage();
      const first = await run({ ...job, save: "m" }, storage, stopAt);
      if (first.of("name").length > 0) {
        expect(stopAt).toBeGreaterThan(10);
        break;
      }
      const second = await run({ dtype: job.dtype ?? "f32", resume: "m", save: "m" }, storage);
      expect(Buffer.compare(storage.file("m"), whole.file("m"))).toBe(0);
      expect(ofType(second, "name")).toEqual(ofType(uninterrupted, "name"));
      const losses = new Map(uninterrupted.of("step").map(({ step, loss }) => [step, loss]));
      const goingOn = second.of("step");
      for (const { step, loss } of goingOn) expect(loss).toBe(losses.get(step));
      const [{ from = 0 }] = second.of("start");
      expect(goingOn).toHaveLength(losses.size - from);
      // Each step is told once: by the run that was stopped, or by the other.
      expect([...ofType(first, "step"), ...ofType(second, "step")]).toEqual(ofType(uninterrupted, "step"));
    }
  });
});

test("a log that goes on says where", async () => {
  const storage = new MemoryStorage();
  await run({ training: { steps: 14 }, save: "m" }, storage, 6);
  const { log } = await run({ resume: "m" }, storage);
  expect(log).toMatch(/Training for 14 steps\.\.\.\nGoing on with step 6\.\nstep {4}8\/14: /);
});

test("a training that was over writes its names again", async () => {
  const storage = new MemoryStorage();
  const first = await run({ training: { steps: 5 }, save: "m" }, storage);
  const again = await run({ resume: "m", save: "n" }, storage);
  expect(ofType(again, "name")).toEqual(ofType(first, "name"));
  expect(Buffer.compare(storage.file("m"), storage.file("n"))).toBe(0);
  expect(again.of("step")).toEqual([]);
});

test("a training that was over says so, and how to go on", async () => {
  const storage = new MemoryStorage();
  await run({ training: { steps: 5 }, save: "m" }, storage);
  for (const job of [{}, { training: { steps: 5 } }, { trainNames: 5 }]) {
    const again = await run({ resume: "m", ...job }, storage);
    expect(again.of("remark").map(({ message }) => message)).toEqual([
      "m is trained already, 5 steps: --steps N, with N above 5, trains N more.",
    ]);
    expect(again.of("name")).toHaveLength(3);
  }
  const fewer = await run({ resume: "m", training: { steps: 4 } }, storage);
  expect(fewer.of("error")[0].message).toMatch(
    /^m was trained with steps 5, which --steps contradicts: .* It is trained already, 5 steps: --steps N, with N above 5,/,
  );
});

describe("more steps than a training had that is over begin another schedule, as train N does on a device:", () => {
  test.each<[string, Partial<TrainJob>, string]>([
    ["steps", { training: { steps: 9 } }, "train 9"],
    ["names", { trainNames: 9 }, "train 9"],
  ])("%s", async (_option, job, command) => {
    const storage = new MemoryStorage();
    await run({ training: { steps: 5 }, save: "m" }, storage);
    const more = await run({ resume: "m", save: "m", ...job }, storage);
    expect(more.of("error")).toEqual([]);
    expect(more.of("step").map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(more.of("start")[0]).toMatchObject({ steps: 9 });
    const flash = new MemoryStorage();
    const device = new TestDevice({ steps: 5, samples: 0, save_every: 0 }, flash, { names: NAMES });
    await device.live();
    await device.answer(command);
    const read = async (bytes: Uint8Array): Promise<[number, TrainingRecord | undefined, number[]]> => {
      const checkpoint = await Checkpoint.open(new MemoryStorage({ m: bytes }), "m");
      const model = new Model(
        checkpoint.modelConfig({}),
        typescriptOps("f32"),
        checkpoint.vocabulary(lowercaseVocabulary()),
      );
      const loading = new LoadingTask(checkpoint, model);
      while (loading.work());
      return [checkpoint.step, checkpoint.record(), [...model.parameters]];
    };
    const [step, record, parameters] = await read(storage.file("m"));
    const [deviceStep, deviceRecord, deviceParameters] = await read(flash.file(STORED));
    expect([step, parameters]).toEqual([deviceStep, deviceParameters]);
    expect(step).toBe(14);
    expect({ ...record, build: "" }).toEqual({ ...deviceRecord, build: "" });
    // Once it has begun it is resumed as every other, whatever the options say again.
    const again = await run({ resume: "m", ...job }, storage);
    expect(again.of("step")).toEqual([]);
    expect(again.of("name")).toHaveLength(3);
  });

  test("with the learning rate of the preset, or of its own", async () => {
    const rateOf = async (first: Partial<TrainJob>, more: Partial<TrainJob>): Promise<number> => {
      const storage = new MemoryStorage();
      await run({ model: { preset: "tuned" }, ...first, save: "m" }, storage);
      const platform = await run({ resume: "m", ...more }, storage);
      expect(platform.of("error")).toEqual([]);
      return platform.of("step")[0].learningRate;
    };
    const usual = trainingConfig("tuned", { steps: 900 }).learningRate;
    expect(usual).toBeLessThan(0.03);
    expect(await rateOf({ training: { steps: 2 } }, { training: { steps: 900 } })).toBe(usual);
    expect(await rateOf({ training: { steps: 2, learningRate: 0.004 } }, { training: { steps: 3 } })).toBe(0.004);
    expect(await rateOf({ training: { steps: 2 } }, { training: { steps: 3, learningRate: 0.005 } })).toBe(0.005);
  });

  test("what else contradicts the file is refused as ever", async () => {
    const storage = new MemoryStorage();
    await run({ training: { steps: 5 }, save: "m" }, storage);
    for (const job of [{ seed: 3 }, { dtype: "f64" as const }, { training: { steps: 9, batchSize: 2 } }])
      expect((await run({ resume: "m", training: { steps: 9 }, ...job }, storage)).of("error")[0].message).toMatch(
        /which --(seed|dtype|batch-size) contradicts: leave it out/,
      );
  });
});

test("it is saved as often as was asked for, and goes on from there after a kill", async () => {
  const whole = new MemoryStorage();
  await run({ training: { steps: 40 }, save: "m" }, whole);
  const storage = new MemoryStorage();
  const kept: Uint8Array[] = [];
  const set = storage.files.set.bind(storage.files);
  storage.files.set = (name, bytes) => {
    if (name === "m") kept.push(bytes);
    return set(name, bytes);
  };
  const saving = await run({ training: { steps: 40 }, save: "m", saveEvery: 0.3 }, storage);
  expect(kept.length).toBeGreaterThan(4);
  expect(saving.of("saved")).toHaveLength(kept.length);
  for (const bytes of kept) {
    const killed = new MemoryStorage({ m: bytes });
    await run({ resume: "m", save: "m" }, killed);
    expect(Buffer.compare(killed.file("m"), whole.file("m"))).toBe(0);
  }
});

test("what a checkpoint has is told before, and kept by whoever keeps it", async () => {
  const storage = new MemoryStorage();
  const platform = new MemoryPlatform(utf8(NAMES.join("\n")), storage, 50);
  let kept = -1;
  const flush = (): Promise<void> => {
    kept = platform.of("step").length;
    return Promise.resolve();
  };
  const counts: [number, number][] = [];
  const set = storage.files.set.bind(storage.files);
  storage.files.set = (name, bytes) => {
    const step = Number(/"schedule_step":"(\d+)"/.exec(Buffer.from(bytes).toString("latin1"))?.[1]);
    if (name === "m") counts.push([kept, step]);
    return set(name, bytes);
  };
  const training = { steps: 40, holdout: 40 };
  const job: TrainJob = { ...DEFAULT_TRAIN_JOB, samples: 0, logEvery: 1, training, save: "m", saveEvery: 0.3 };
  const { runner, emit, provideOps } = platform;
  await platform.settle(runJob(job, { platform, runner, emit, emitsAllSteps: true, provideOps, flush }));
  expect(counts.length).toBeGreaterThan(10);
  for (const [told, done] of counts) expect(told).toBe(done);
});

test("saves that fall into the measurement of the last step come to an end", async () => {
  const storage = new MemoryStorage();
  const job = { training: { steps: 3, holdout: 30 }, save: "m", saveEvery: 0.01, logEvery: 1 };
  const platform = await run(job, storage, 500);
  expect(platform.of("done")).toEqual([{ type: "done", job: "train", outcome: "done" }]);
  expect(platform.of("step").map(({ validationLoss }) => typeof validationLoss)).toEqual([
    "number",
    "number",
    "number",
  ]);
});

test.each<[Partial<TrainJob>, RegExp]>([
  [{ training: { steps: 15 } }, /^m was trained with steps 14, which --steps contradicts: leave it out/],
  [{ trainNames: 15 }, /^m was trained with 14 names, which --train-names contradicts/],
  [{ training: { batchSize: 2 } }, /batch-size 1, which --batch-size/],
  [{ training: { learningRate: 0.5 } }, /learning-rate 0.01, which --learning-rate/],
  [{ training: { sampling: "sequential" } }, /sampling random, which --sampling/],
  [{ training: { holdout: 5 } }, /holdout 0, which --holdout/],
  [{ seed: 43 }, /seed 42, which --seed/],
  [{ dtype: "f64" }, /dtype f32, which --dtype/],
  [{ model: { nEmbd: 8 } }, /^m holds a model with n_embd 16, not 8/],
  [{ model: { preset: "tuned" } }, /^m holds a model with preset esp32gpt, not tuned/],
  [{ saveEvery: 0, save: "m" }, /^save-every must be/],
])("%j contradicts the file", async (job, message) => {
  const storage = new MemoryStorage();
  await run({ training: { steps: 14 }, save: "m" }, storage, 5);
  const before = storage.file("m");
  const platform = await run({ resume: "m", ...job }, storage);
  expect(platform.of("error")[0].message).toMatch(message);
  expect(storage.file("m")).toBe(before);
});

test("what agrees with the file may be said", async () => {
  const storage = new MemoryStorage();
  await run({ training: { steps: 14 }, save: "m" }, storage, 5);
  const said = { seed: 42, training: { steps: 14, holdout: 0, learningRate: 0.01 }, model: { nEmbd: 16 } };
  expect((await run({ resume: "m", ...said }, storage)).of("error")).toEqual([]);
});

test("another list is another training", async () => {
  const storage = new MemoryStorage();
  await run({ training: { steps: 14 }, save: "m" }, storage, 5);
  const platform = new MemoryPlatform(utf8([...NAMES, "zoe"].join("\n")), storage);
  await platform.settle(runJob({ ...DEFAULT_TRAIN_JOB, resume: "m" }, platform));
  expect(platform.of("error")[0].message).toMatch(/^m was trained on another list than names\.txt/);
});

test("weights alone do not say where they were", async () => {
  const storage = new MemoryStorage();
  await run({ training: { steps: 3 }, saveWeights: "m" }, storage);
  expect((await run({ resume: "m" }, storage)).of("error")[0].message).toMatch(/^m has no training state: --init/);
});

test("a training that is not over goes on without a remark on its end", async () => {
  const storage = new MemoryStorage();
  await run({ training: { steps: 14 }, save: "m" }, storage, 10);
  const again = await run({ resume: "m" }, storage);
  expect(again.of("step").length).toBeGreaterThan(0);
  const remarks = again.of("remark").map(({ message }) => message);
  expect(remarks.filter((message) => message.includes("--steps"))).toEqual([]);
});

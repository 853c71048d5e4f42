import type { Event } from "../src/program/events";
import { runJob } from "../src/program/job";
import { DEFAULT_TRAIN_JOB, type TrainJob } from "../src/program/train-job";
import { utf8 } from "./helpers";
import { MemoryPlatform } from "./support/memory-platform";
import { MemoryStorage } from "./support/memory-storage";

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
  expect((await run({ resume: "m" }, storage)).of("error")[0].message).toMatch(/^m does not say.*--init/);
});

import { readFileSync } from "node:fs";
import type { Event } from "../src/protocol/events";
import type { StepEvent } from "../src/gpt/training/events";
import { Generator } from "../src/gpt/model/generate";
import { runJob } from "../src/jobs/job";
import type { RunContext } from "../src/jobs/run-context";
import { DEFAULT_TRAIN_JOB, type PreparedTraining, prepareTraining, type TrainJob } from "../src/jobs/train-job";
import { Checkpoint } from "../src/gpt/checkpoint/reader";
import { LoadingTask } from "../src/gpt/checkpoint/loading";
import { drawParameters } from "../src/gpt/model/parameters";
import { Random } from "../src/gpt/model/random";
import { saveCheckpoint } from "../src/gpt/checkpoint/saving";
import { Trainer } from "../src/gpt/training/trainer";
import { datasetOf, drawnModel, NAMES_FILE, trainStep, utf8 } from "./helpers";
import { MemoryPlatform } from "./support/memory-platform";
import { realRunner } from "./support/runner";
import { MemoryStorage } from "./support/memory-storage";

/** With all letters: the vocabulary of the published programs. */
const NAMES = ["emma", "olivia", "thequickbrown", "foxjumps", "overlazydog"];

interface Place {
  names?: string[];
  storage?: MemoryStorage;
  tick?: number;
}

function platformOf({ names = NAMES, storage = new MemoryStorage(), tick = 0 }: Place = {}): MemoryPlatform {
  return new MemoryPlatform(utf8(names.join("\n")), storage, tick);
}

/** Trains to the end. */
async function train(job: Partial<TrainJob>, place: Place = {}): Promise<MemoryPlatform> {
  const platform = platformOf(place);
  await platform.settle(runJob({ ...DEFAULT_TRAIN_JOB, ...job }, platform));
  return platform;
}

async function prepare(job: TrainJob, platform: MemoryPlatform): Promise<PreparedTraining> {
  const prepared = await prepareTraining(job, platform);
  if (!prepared) throw new Error("It was stopped.");
  return prepared;
}

function contextOf(platform: MemoryPlatform): RunContext {
  const { runner, emit, emitsAllSteps, provideOps } = platform;
  return { platform, runner, emit, emitsAllSteps, provideOps };
}

const threeSteps: Partial<TrainJob> = { training: { steps: 3 }, samples: 2, logEvery: 1 };

test("the log is that of the published program, line for line", async () => {
  const random = new Random(42);
  const model = drawnModel({}, "f32");
  drawParameters(model.parameters, random, model.config, model.ops);
  const training = { steps: 3, batchSize: 1, learningRate: 0.01, sampling: "random" as const, holdout: 0 };
  const trainer = new Trainer(model, datasetOf(...NAMES), random, training);
  const losses = [1, 2, 3].map(() => trainStep(trainer).toFixed(4));
  const generator = new Generator(model, random);
  const names = [1, 2].map(() => generator.name(0.8));
  expect((await train(threeSteps)).log).toBe(
    `=== esp32gpt: microgpt in TypeScript on Node ===
Model: 4192 params, 4 heads, 16-dim embeddings
Dataset: 5 names loaded from flash
Training for 3 steps...
step    0/3: loss = ${losses[0]}
step    1/3: loss = ${losses[1]}
step    2/3: loss = ${losses[2]}
--- Generated names (temperature=0.8) ---
   1. ${names[0]}
   2. ${names[1]}
=== Done ===
`,
  );
});

test("on the names that come with the program, the first loss is the published one", async () => {
  const platform = new MemoryPlatform(readFileSync(NAMES_FILE));
  await platform.settle(runJob({ ...DEFAULT_TRAIN_JOB, training: { steps: 1 }, samples: 0 }, platform));
  expect(platform.log).toBe(
    `=== esp32gpt: microgpt in TypeScript on Node ===
Model: 4192 params, 4 heads, 16-dim embeddings
Dataset: 32257 names loaded from flash
Training for 1 steps...
step    0/1: loss = 3.2986
=== Done ===
`,
  );
});

test("the log has a line every so many steps, and one for the last", async () => {
  const { log } = await train({ training: { steps: 12 }, logEvery: 5 });
  const steps = [...log.matchAll(/^step +(\d+)\/12: /gm)];
  expect(steps.map(([, step]) => step)).toEqual(["0", "5", "10", "11"]);
});

test("a name that is passed over has no loss, and says why", async () => {
  const model = { blockSize: 4 };
  const training = { steps: 2, sampling: "sequential" as const };
  const platform = await train({ model, training, logEvery: 1 }, { names: ["isabella", "ava"] });
  expect(platform.log).toMatch(/^step {4}0\/2: name too long, passed over\nstep {4}1\/2: loss = \d\.\d{4}\n/m);
  expect(platform.of("step").map(({ loss }) => typeof loss)).toEqual(["string", "number"]);
});

test("with a holdout, log lines and only they have a validation loss", async () => {
  const platform = await train({ training: { steps: 4, holdout: 40 }, logEvery: 3 });
  const losses = platform.of("step").map(({ validationLoss }) => validationLoss);
  const lines = [...platform.log.matchAll(/^step .*: loss = \d\.\d{4}, validation loss = (\d\.\d{4})$/gm)];
  expect(lines.map(([, loss]) => loss)).toEqual([losses[0]?.toFixed(4), losses[3]?.toFixed(4)]);
  expect([losses[1], losses[2]]).toEqual([undefined, undefined]);
});

test("the same seed gives the same bytes, another seed others; the clock has no say", async () => {
  const run = async (seed: number, tick: number): Promise<[string, Uint8Array]> => {
    const storage = new MemoryStorage();
    return [(await train({ ...threeSteps, seed, save: "m" }, { storage, tick })).log, storage.file("m")];
  };
  expect(await run(7, 0)).toEqual(await run(7, 0));
  expect(await run(7, 0)).toEqual(await run(7, 50));
  expect(await run(7, 0)).not.toEqual(await run(8, 0));
});

test("training leaves the event loop its turn, and so does writing names", async () => {
  const platform = await train({ training: { steps: 10 }, samples: 7 }, { tick: 50 });
  expect(platform.turns).toBe(17);
});

test("what happens is told: each step, the end of the training, and the end", async () => {
  const platform = await train({ training: { steps: 2 }, samples: 1 }, { tick: 1 });
  expect(platform.events.map(({ type }) => type)).toEqual(
    ["start", "step", "step", "trained", "names", "name", "done"], //
  );
  expect(platform.of("step").map(({ step, learningRate }) => [step, learningRate])).toEqual([
    [0, 0.01],
    [1, 0.005],
  ]);
  expect(platform.of("trained")).toEqual([
    { type: "trained", ending: "done", stepsDone: 2, steps: 2, from: 0, milliseconds: expect.any(Number) as number },
  ]);
  expect(platform.of("done")).toEqual([{ type: "done", job: "train", outcome: "done" }]);
});

test("the time of the training is without that of the save", async () => {
  const storage = new MemoryStorage();
  const milliseconds = async (save?: string): Promise<number> =>
    (await train({ ...threeSteps, ...(save && { save }) }, { storage, tick: 1 })).of("trained")[0].milliseconds;
  expect(await milliseconds("m")).toBe(await milliseconds());
});

describe("stop", () => {
  test("ends after the step under way, saves, and writes no names", async () => {
    const storage = new MemoryStorage();
    const platform = platformOf({ storage, tick: 50 });
    let last: StepEvent | undefined;
    const emit = (event: Event): void => {
      platform.emit(event);
      if (event.type === "step") last = { ...event };
      if (last?.step === 1) platform.runner.stop();
    };
    const job = { ...DEFAULT_TRAIN_JOB, training: { steps: 10 }, save: "m" };
    const prepared = await prepare(job, platform);
    expect(await platform.settle(runJob(job, { ...contextOf(platform), emit }))).toBe("stopped");
    expect(platform.log).toMatch(/^step {4}0\/10: .*\nStopped after 2 of 10 steps\.\nSaved to m\.\n$/m);
    expect(platform.log).not.toMatch(/Generated|Done/);
    const checkpoint = await Checkpoint.open(storage, "m");
    expect(checkpoint.step).toBe(2);
    prepared.trainer.step();
    prepared.trainer.step();
    const model = drawnModel({}, "f32", 1);
    await platform.settle(realRunner().run(new LoadingTask(checkpoint, model)));
    expect([...model.parameters]).toEqual([...prepared.trainer.model.parameters]);
  });

  test("before the first step there is nothing trained, and nothing said of a file", async () => {
    const platform = platformOf();
    platform.runner.stop();
    expect(await platform.settle(runJob(DEFAULT_TRAIN_JOB, platform))).toBe("stopped");
    expect(platform.log).toMatch(/Training for 1000 steps\.\.\.\nStopped after 0 of 1000 steps\.\n$/);
  });

  test("ends a hundred million names as well", async () => {
    const platform = platformOf({ tick: 50 });
    const job = platform.settle(runJob({ ...DEFAULT_TRAIN_JOB, training: { steps: 1 }, samples: 1e8 }, platform));
    await new Promise(setImmediate);
    platform.runner.stop();
    expect(await job).toBe("stopped");
  });
});

describe("a checkpoint to start from", () => {
  const storage = new MemoryStorage();
  const model = drawnModel({ preset: "microgpt", nEmbd: 8, nHead: 2, blockSize: 6 }, "f32", 9);

  beforeAll(async () => {
    const platform = platformOf({ storage });
    await platform.settle(saveCheckpoint(platform.runner, storage, "m", { model, step: 100 }));
  });

  test("gives the weights, and the preset what comes of it", async () => {
    const platform = platformOf({ storage });
    const job = { ...DEFAULT_TRAIN_JOB, ...threeSteps, init: "m" };
    const { trainer } = await platform.settle(prepare(job, platform));
    expect([...trainer.model.parameters]).toEqual([...model.parameters]);
    expect(trainer.model.config).toEqual(model.config);
    expect(trainer.config.sampling).toBe("sequential");
    const { log } = await train({ ...threeSteps, init: "m" }, { storage });
    expect(log).toContain(`Model: ${model.parameters.length} params, 2 heads, 8-dim embeddings\n`);
    expect(log).toContain("--- Generated names (temperature=0.5) ---\n");
  });

  test("leaves the random numbers to the names", async () => {
    const { events } = await train({ init: "m", training: { steps: 1, sampling: "random" } }, { storage });
    const step = events.find((event) => event.type === "step");
    expect(step?.name).toBe(new Random(42).index(NAMES.length));
  });

  test("must be the model that was asked for, and must be there", async () => {
    expect((await train({ init: "m", model: { nEmbd: 16 } }, { storage })).of("error")).toHaveLength(1);
    expect((await train({ init: "n" }, { storage })).of("error")[0].message).toMatch(/There is no file n/);
  });
});

describe("a training that diverges", () => {
  test("fails at once with the step and advice, writes no names, and keeps the file that was there", async () => {
    const old = Uint8Array.of(1, 2, 3);
    const storage = new MemoryStorage({ m: old });
    const platform = await train({ training: { steps: 500, batchSize: 1, learningRate: 10 }, save: "m" }, { storage });
    const [{ message }] = platform.of("error");
    expect(message).toMatch(/^Training has diverged: the loss of step [1-9]\d* is not a finite number\. .*below 10/);
    expect(platform.events.at(-1)).toEqual({ type: "done", job: "train", outcome: "failed" });
    expect(platform.of("name")).toEqual([]);
    expect(storage.file("m")).toBe(old);
  });

  test("at step 0 is not told to lower the learning rate", async () => {
    const storage = new MemoryStorage();
    const platform = platformOf({ storage });
    const huge = drawnModel({}, "f32");
    huge.parameters.fill(3e38);
    await platform.settle(saveCheckpoint(platform.runner, storage, "huge", { model: huge, step: 0 }));
    const [{ message }] = (await train({ init: "huge" }, { storage })).of("error");
    expect(message).toMatch(/loss of step 0 is not a finite number/);
    expect(message).not.toMatch(/learning rate/);
  });
});

test("what cannot be saved is refused before the training", async () => {
  const storage = new MemoryStorage();
  storage.isReadOnly = true;
  const platform = await train({ save: "m" }, { storage });
  expect(platform.of("error")[0].message).toMatch(/Cannot write m/);
  expect(platform.log).toBe("");
});

test.each<[Partial<TrainJob>, RegExp]>([
  [{ samples: -1 }, /^samples/],
  [{ logEvery: 0 }, /^log-every/],
  [{ temperature: -1 }, /^temperature/],
  [{ seed: 0 }, /^The seed/],
  [{ model: { nHead: 3 } }, /^n_embd/],
  [{ training: { steps: 0 } }, /^steps/],
])("refuses %j before it has written a line", async (job, message) => {
  const storage = new MemoryStorage();
  const platform = await train({ ...job, save: "m" }, { storage });
  expect(platform.of("error")[0].message).toMatch(message);
  expect(platform.log).toBe("");
  expect(storage.files.size).toBe(0);
});

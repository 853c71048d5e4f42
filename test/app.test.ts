import { readFileSync } from "node:fs";
import { App, type AppConfig, type AppObserver, DEFAULT_APP } from "../src/app";
import { InputError } from "../src/errors";
import { Generator } from "../src/generate";
import { Checkpoint, LoadingTask } from "../src/loading";
import { drawParameters } from "../src/parameters";
import { Random } from "../src/random";
import { saveCheckpoint } from "../src/saving";
import { Trainer } from "../src/trainer";
import { typescriptOps } from "../src/typescript-ops";
import { datasetOf, drawnModel, NAMES_FILE, trainStep, utf8 } from "./helpers";
import { MemoryPlatform } from "./support/memory-platform";
import { MemoryStorage } from "./support/memory-storage";
import { realRunner } from "./support/runner";

const NAMES = ["emma", "olivia", "ava", "isabella"];

interface Surroundings {
  names?: string[];
  storage?: MemoryStorage;
  tick?: number;
  observer?: AppObserver;
}

async function appOf(
  config: Partial<AppConfig>,
  surroundings: Surroundings = {},
): Promise<{ app: App; platform: MemoryPlatform }> {
  const { names = NAMES, storage = new MemoryStorage(), tick = 0, observer } = surroundings;
  const platform = new MemoryPlatform(utf8(names.join("\n")), storage, tick);
  const app = App.create(platform, { ...DEFAULT_APP, ...config }, typescriptOps("f32"), observer);
  app.catch(() => undefined); // The test awaits it once the platform has settled.
  await platform.settle();
  return { app: await app, platform };
}

async function logOf(config: Partial<AppConfig>, surroundings: Surroundings = {}): Promise<string> {
  const { app, platform } = await appOf(config, surroundings);
  app.start();
  await platform.settle();
  return platform.log;
}

const threeSteps: Partial<AppConfig> = { training: { steps: 3 }, samples: 2, logEvery: 1 };

test("the log is that of the published program, line for line", async () => {
  const random = new Random(42);
  const model = drawnModel({}, "f32");
  drawParameters(model.parameters, random, 0.1);
  const training = { steps: 3, learningRate: 0.01, sampling: "random" as const, holdout: 0 };
  const trainer = new Trainer(model, datasetOf(...NAMES), random, training);
  const losses = [1, 2, 3].map(() => trainStep(trainer).toFixed(4));
  const generator = new Generator(model, random);
  const names = [1, 2].map(() => generator.name(0.8));
  expect(await logOf(threeSteps)).toBe(
    `=== esp32gpt: microgpt in TypeScript on Node ===
Model: 4192 params, 4 heads, 16-dim embeddings
Dataset: 4 names loaded from flash
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
  new App(platform, { ...DEFAULT_APP, training: { steps: 1 }, samples: 0 }, typescriptOps("f32")).start();
  await platform.settle();
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
  const steps = [...(await logOf({ training: { steps: 12 }, logEvery: 5 })).matchAll(/^step +(\d+)\/12: /gm)];
  expect(steps.map(([, step]) => step)).toEqual(["0", "5", "10", "11"]);
});

test("a name that is passed over has no loss", async () => {
  const model = { blockSize: 4 };
  const training = { steps: 2, sampling: "sequential" as const };
  const log = await logOf({ model, training, logEvery: 1 }, { names: ["isabella", "ava"] });
  expect(log).toMatch(/^step {4}0\/2: name too long, passed over\nstep {4}1\/2: loss = \d\.\d{4}\n/m);
});

test("with a holdout, log lines and only they have a validation loss", async () => {
  const losses: (number | undefined)[] = [];
  const observer: AppObserver = { step: (_trainer, _loss, _rate, validationLoss) => void losses.push(validationLoss) };
  const log = await logOf({ training: { steps: 4, holdout: 40 }, logEvery: 3 }, { observer });
  const lines = [...log.matchAll(/^step .*: loss = \d\.\d{4}, validation loss = (\d\.\d{4})$/gm)];
  expect(lines.map(([, loss]) => loss)).toEqual([losses[0]?.toFixed(4), losses[3]?.toFixed(4)]);
  expect([losses[1], losses[2]]).toEqual([undefined, undefined]);
});

test("the same seed gives the same bytes, another seed others; the clock has no say", async () => {
  const run = async (seed: number, tick: number): Promise<[string, Uint8Array]> => {
    const storage = new MemoryStorage();
    return [await logOf({ ...threeSteps, seed, save: "m" }, { storage, tick }), storage.file("m")];
  };
  expect(await run(7, 0)).toEqual(await run(7, 0));
  expect(await run(7, 0)).toEqual(await run(7, 50));
  expect(await run(7, 0)).not.toEqual(await run(8, 0));
});

test("training leaves the event loop its turn", async () => {
  const { app, platform } = await appOf({ training: { steps: 10 } }, { tick: 50 });
  app.start();
  await platform.settle();
  expect(platform.turns).toBe(10);
});

test("the observer hears of each step, of the end of the training, and of the end", async () => {
  const heard: unknown[] = [];
  const observer: AppObserver = {
    step: ({ stepsDone }, loss, learningRate) => void heard.push([stepsDone, (loss ?? 0) > 0, learningRate]),
    trained: ({ stepsDone }, milliseconds) => void heard.push(["trained", stepsDone, milliseconds > 0]),
    done: (stopped) => void heard.push(["done", stopped]),
  };
  await logOf({ training: { steps: 2 } }, { observer, tick: 1 });
  expect(heard).toEqual([
    [1, true, 0.01],
    [2, true, 0.005],
    ["trained", 2, true],
    ["done", false],
  ]);
});

describe("stop", () => {
  test("ends after the step under way, saves, and generates nothing", async () => {
    const storage = new MemoryStorage();
    let stopped: boolean | undefined;
    const observer: AppObserver = { done: (value) => (stopped = value) };
    const { app, platform } = await appOf({ training: { steps: 10 }, save: "m" }, { storage, tick: 50, observer });
    app.start();
    platform.turn();
    platform.turn();
    app.stop();
    expect(stopped).toBeUndefined();
    await platform.settle();
    expect(stopped).toBe(true);
    expect(platform.log).toMatch(/^step {4}0\/10: .*\nStopped after 2 of 10 steps\.\nSaved to m\.\n$/m);
    expect(platform.log).not.toMatch(/Generated|Done/);
    const checkpoint = await Checkpoint.open(storage, "m");
    expect(checkpoint.step).toBe(2);
    const model = drawnModel({}, "f32", 1);
    const loading = new LoadingTask(checkpoint, model);
    while (loading.work());
    expect([...model.parameters]).toEqual([...app.trainer.model.parameters]);
  });

  test("before the first step there is nothing trained, and nothing said of a file", async () => {
    const { app, platform } = await appOf({});
    app.start();
    app.stop();
    await platform.settle();
    expect(platform.log).toMatch(/Training for 1000 steps\.\.\.\nStopped after 0 of 1000 steps\.\n$/);
  });
});

describe("a checkpoint to start from", () => {
  const storage = new MemoryStorage();
  const model = drawnModel({ preset: "microgpt", nEmbd: 8, nHead: 2, blockSize: 6 }, "f32", 9);
  beforeAll(() => saveCheckpoint(realRunner(), storage, "m", model, 100));

  test("gives the weights, and the preset what comes of it", async () => {
    const { app, platform } = await appOf({ ...threeSteps, init: "m" }, { storage });
    expect([...app.trainer.model.parameters]).toEqual([...model.parameters]);
    expect(app.trainer.model.config).toEqual(model.config);
    expect(app.trainer.config.sampling).toBe("sequential");
    app.start();
    await platform.settle();
    expect(platform.log).toContain(`Model: ${model.parameters.length} params, 2 heads, 8-dim embeddings\n`);
    expect(platform.log).toContain("--- Generated names (temperature=0.5) ---\n");
  });

  test("leaves the random numbers to the names", async () => {
    const sampling = "random" as const;
    const { app, platform } = await appOf({ init: "m", training: { steps: 1, sampling } }, { storage });
    app.start();
    platform.turn();
    expect(app.trainer.nameIndex).toBe(new Random(42).index(NAMES.length));
  });

  test("must be the model that was asked for, and must be there", async () => {
    await expect(appOf({ init: "m", model: { nEmbd: 16 } }, { storage })).rejects.toThrow(InputError);
    await expect(appOf({ init: "n" }, { storage })).rejects.toThrow(/There is no file n/);
  });
});

test("what cannot be saved is refused before the training", async () => {
  const storage = new MemoryStorage();
  storage.isReadOnly = true;
  await expect(appOf({ save: "m" }, { storage })).rejects.toThrow(InputError);
  await expect(appOf({ save: "m" }, { storage })).rejects.toThrow(/Cannot write m/);
});

test("asking whether it can be saved leaves the old file as it is", async () => {
  const storage = new MemoryStorage({ m: Uint8Array.of(1) });
  await appOf({ save: "m" }, { storage });
  expect([...storage.file("m")]).toEqual([1]);
  expect(storage.openFiles).toBe(0);
});

test.each<[Partial<AppConfig>, RegExp]>([
  [{ samples: -1 }, /^samples/],
  [{ logEvery: 0 }, /^log-every/],
  [{ temperature: -1 }, /^temperature/],
  [{ seed: 0 }, /^The seed/],
  [{ model: { nHead: 3 } }, /^n_embd/],
  [{ training: { steps: 0 } }, /^steps/],
])("refuses %j before it has written a line", async (config, message) => {
  const storage = new MemoryStorage();
  await expect(appOf({ ...config, save: "m" }, { storage })).rejects.toThrow(InputError);
  await expect(appOf({ ...config, save: "m" }, { storage })).rejects.toThrow(message);
  expect(storage.files.size).toBe(0);
});

import { readFileSync } from "node:fs";
import type { PresetName } from "../src/gpt/model/config";
import type { RemarkEvent } from "../src/gpt/training/events";
import { runJob } from "../src/jobs/job";
import { DEFAULT_TRAIN_JOB, type TrainJob } from "../src/jobs/train-job";
import { TrainingTask } from "../src/gpt/training/training";
import { Trainer } from "../src/gpt/training/trainer";
import { Random } from "../src/gpt/model/random";
import { datasetOf, drawnModel, NAMES_FILE, utf8 } from "./helpers";
import { esp32gpt, temporaryFolder } from "./support/cli";
import { MemoryPlatform } from "./support/memory-platform";
import { TestDevice } from "./support/test-device";

/* A training that teaches nothing says so, on every place; one that does never says it. */

const at = temporaryFolder();
const NAMES = readFileSync(NAMES_FILE, "utf8").trim().split("\n").slice(0, 300);

async function train(job: Partial<TrainJob>, names: readonly string[] = NAMES): Promise<MemoryPlatform> {
  const platform = new MemoryPlatform(utf8(names.join("\n")));
  const outcome = await platform.settle(runJob({ ...DEFAULT_TRAIN_JOB, samples: 1, ...job }, platform));
  expect(outcome).toBe("done");
  return platform;
}

const messages = (platform: MemoryPlatform): string[] => platform.of("remark").map(({ message }) => message);

test("a learning rate that is far too high is told twice, and names and checkpoint come all the same", async () => {
  const platform = await train({ training: { steps: 500, learningRate: 0.3 }, save: "m" });
  const [first, last, ...others] = messages(platform);
  expect(others).toEqual([]);
  expect(first).toMatch(/^The model is not learning: after 2\d\d steps its smoothed loss is \d+\.\d\d, /);
  expect(last).toMatch(
    /after 500 steps .* among 2\d tokens gives 3\.\d\d\. .* a learning rate of 0\.01 \(it was 0\.3\)/,
  );
  expect(platform.of("trained")).toEqual([expect.objectContaining({ isLearning: false })]);
  expect(platform.of("name")).toHaveLength(1);
  expect(platform.storage.file("m").length).toBeGreaterThan(40_000);
});

test("a step whose names are too long is no update", async () => {
  const long = Array.from({ length: 19 }, (_, i) => `${NAMES[i]}abcdefghijklmnop`);
  const job = { training: { steps: 1000, learningRate: 1 } };
  const platform = await train(job, [...long, "ann"]);
  const updates = platform.of("step").filter(({ loss }) => typeof loss === "number").length;
  expect(updates).toBeGreaterThan(20);
  expect(updates).toBeLessThan(200);
  expect(platform.of("trained")[0]).not.toHaveProperty("isLearning");
});

/** A training whose losses are given. */
function scripted(losses: readonly (number | "passed over")[]): { training: TrainingTask; told: string[] } {
  const dataset = datasetOf("ann", "bob");
  const settings = { steps: losses.length, batchSize: 1, learningRate: 0.01, sampling: "random", holdout: 0 } as const;
  const trainer = new Trainer(drawnModel({ nEmbd: 4, nHead: 1 }), dataset, new Random(1), settings);
  jest.spyOn(trainer, "trainDocument").mockImplementation(() => losses[trainer.stepsDone++]);
  const told: string[] = [];
  const training = new TrainingTask(trainer, 1e9, Infinity, (event) => {
    if (event.type === "remark") told.push(event.message);
  });
  while (training.work(0));
  return { training, told };
}

describe("the smoothed loss", () => {
  const blind = Math.log(27);
  const constant = (loss: number, steps: number): number[] => Array.from({ length: steps }, () => loss);

  test("at ln V, or within 0.05 of it, is no fault, however long", () => {
    for (const loss of [blind, blind + 0.049, 2]) {
      const { training, told } = scripted(constant(loss, 2000));
      expect([told, training.complaint]).toEqual([[], undefined]);
    }
  });

  test("is an exponential mean of 100 updates from ln V on, and must lie above for 200 in a row", () => {
    // blind + 1·(1 - 0.99^n) lies 0.05 above from n = 6 on: the 200th in a row is step 205.
    expect(scripted(constant(blind + 1, 204)).told).toEqual([]);
    const { told } = scripted(constant(blind + 1, 205));
    expect(told).toEqual([expect.stringContaining("after 205 steps its smoothed loss is 4.17")]);
  });

  test("is in a row across steps that are passed over", () => {
    const skipped = Array.from({ length: 10 }, () => "passed over" as const);
    expect(scripted([...constant(blind + 1, 150), ...skipped, ...constant(blind + 1, 54)]).told).toEqual([]);
    expect(scripted([...constant(blind + 1, 150), ...skipped, ...constant(blind + 1, 55)]).told).toHaveLength(1);
  });

  test("that falls below it for an update begins to be counted anew", () => {
    const losses = [...constant(blind + 1, 150), ...constant(0, 60), ...constant(blind + 1, 150), ...constant(0, 60)];
    const { training, told } = scripted(losses);
    expect([told, training.complaint]).toEqual([[], undefined]);
  });

  test("at the end counts alone where there were 200 updates, steps passed over aside", () => {
    const good = constant(1, 150);
    const bad = constant(1000, 49);
    expect(scripted([...good, ...bad]).training.complaint).toBeUndefined();
    const skipped = Array.from({ length: 50 }, () => "passed over" as const);
    expect(scripted([...good, ...skipped, ...bad]).training.complaint).toBeUndefined();
    const { told, training } = scripted([...good, 1, ...bad]);
    expect(told).toEqual([]);
    expect(training.complaint).toMatch(/^The model is not learning: after 200 steps its smoothed loss is 38\d\./);
  });

  test("that comes down again is told at the end too", () => {
    const { told, training } = scripted([...constant(blind + 2, 250), ...constant(1, 500)]);
    expect(told).toHaveLength(1);
    expect(training.complaint).toMatch(/^For 200 steps or more the model was worse .* its smoothed loss is 1\.\d\d\. /);
  });
});

test.each<[string, Partial<TrainJob>, readonly string[]]>([
  ...(["esp32gpt", "microgpt", "tuned"] as PresetName[]).map(
    (preset): [string, Partial<TrainJob>, readonly string[]] => [
      preset,
      { model: { preset }, training: { steps: 300 } },
      NAMES,
    ],
  ),
  ["f64", { dtype: "f64", training: { steps: 300 } }, NAMES],
  ["one name", { training: { steps: 300 } }, ["emma"]],
  ["a rate of zero", { training: { steps: 300, learningRate: 0 } }, NAMES],
  ["two layers, wide", { model: { nLayer: 2, nEmbd: 32 }, training: { steps: 300 } }, NAMES],
  [
    "255 characters",
    { training: { steps: 400 } },
    Array.from(
      { length: 255 },
      (_, i) => String.fromCodePoint(0x4e00 + i) + String.fromCodePoint(0x4e00 + ((7 * i) % 255)),
    ),
  ],
])("%s: nothing is said", async (_what, job, names) => {
  const platform = await train(job, names);
  expect(messages(platform)).toEqual([]);
  expect(platform.of("trained")[0]).not.toHaveProperty("isLearning");
});

test.each([
  [0.02, 0.01],
  [0.01, 0.001],
  [0.00001, 0.01],
])("a rate of %d: the advice is %d", async (learningRate, better) => {
  // Weights with which nothing can be learnt in so few steps.
  const storage = (await train({ training: { steps: 400, learningRate: 2 }, save: "m" })).storage;
  const platform = new MemoryPlatform(utf8(NAMES.join("\n")), storage);
  const job = { ...DEFAULT_TRAIN_JOB, init: "m", training: { steps: 210, learningRate }, samples: 0 };
  await platform.settle(runJob(job, platform));
  expect(messages(platform).at(-1)).toMatch(
    new RegExp(`a learning rate of ${better} \\(it was ${learningRate}\\)\\.$`),
  );
});

test("a device says it in a line each, and is still a device", async () => {
  const device = new TestDevice({ learning_rate: 0.3, steps: 400, log_every: 100, block_size: 16 }, undefined, {
    names: NAMES,
  });
  await device.live();
  const said = device.take().split("\n");
  expect(said.filter((line) => line.startsWith("The model is not learning: "))).toHaveLength(2);
  expect(said).toContain("=== Done ===");
  expect(await device.answer("status")).toMatch(/^Step 400 of 400/);
});

test("a program learns it from the events of a device", async () => {
  const device = new TestDevice({ learning_rate: 0.3, steps: 400 }, undefined, { names: NAMES });
  device.type("set log json\n");
  await device.live();
  const lines = device.takeLines();
  const remarks = lines
    .filter((line) => line.type === "remark")
    .map((line) => (line as unknown as RemarkEvent).message);
  expect(remarks.filter((message) => message.includes("not learning"))).toHaveLength(2);
  expect(lines.find(({ type }) => type === "trained")).toMatchObject({ isLearning: false });
});

describe.each([
  ["node", ["--engine", "node"]],
  ["xs", ["--engine", "xs"]],
])("the command line on %s", (engine, options) => {
  test("ends with exit code 3, and all is saved and written", async () => {
    const file = at(`spoilt-${engine}`);
    const wanted = ["--learning-rate", "0.3", "--steps", "300", "--samples", "2", "--save", file];
    const { code, stdout, stderr } = await esp32gpt("train", ...options, ...wanted);
    expect(code).toBe(3);
    expect(stdout).toMatch(/\n {3}2\. .*\n=== Done ===\n$/);
    expect(stderr.match(/^esp32gpt: The model is not learning: .*$/gm)).toHaveLength(2);
    expect(readFileSync(file).length).toBeGreaterThan(40_000);
  });

  test("a loss that is no finite number ends it with exit code 2 as ever", async () => {
    const { code, stderr } = await esp32gpt(
      "train",
      ...options,
      "--learning-rate",
      "10",
      "--n-layer",
      "2",
      "--n-embd",
      "8",
    );
    expect(stderr).toMatch(/Training has diverged/);
    expect(code).toBe(2);
  });
});

test("the help of train says the exit codes", async () => {
  const { code, stdout } = await esp32gpt("train", "--help");
  expect(code).toBe(0);
  expect(stdout).toMatch(/Exit codes:\n(.*\n)* {2}3 +the model has not learnt/);
});

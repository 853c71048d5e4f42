import { readFileSync, writeFileSync } from "node:fs";
import { type EvaluateJob, runJob } from "../src/jobs/job";
import { saveTraining } from "../src/gpt/checkpoint/training-checkpoint";
import { DEFAULT_TRAIN_JOB, type TrainJob } from "../src/jobs/train-job";
import { Dataset } from "../src/gpt/data/dataset";
import { OwnWords } from "../src/gpt/data/own-words";
import { Random } from "../src/gpt/model/random";
import { Trainer } from "../src/gpt/training/trainer";
import { drawnModel, NAMES_FILE, utf8 } from "./helpers";
import { esp32gpt, temporaryFolder } from "./support/cli";
import { MemoryPlatform } from "./support/memory-platform";
import { MemoryStorage } from "./support/memory-storage";
import { realRunner } from "./support/runner";

/* A checkpoint knows its list and its holdout: nothing is measured or marked as if another list were that one. */

const at = temporaryFolder();
const OWN = readFileSync(NAMES_FILE, "utf8").split("\n").slice(0, 300);
const OTHER = [...OWN.slice(0, 200), "zoe"];

const EVAL: EvaluateJob = { command: "eval", dtype: "f32", model: "m", wanted: {}, samples: 0, seed: 42 };

async function run(
  names: string[],
  storage: MemoryStorage,
  job: Parameters<typeof runJob>[0],
): Promise<MemoryPlatform> {
  const platform = new MemoryPlatform(utf8(names.join("\n")), storage);
  await platform.settle(runJob(job, platform));
  return platform;
}

async function trained(job: Partial<TrainJob>): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  const platform = await run(OWN, storage, { ...DEFAULT_TRAIN_JOB, samples: 0, save: "m", ...job });
  expect(platform.of("error")).toEqual([]);
  return storage;
}

function remarks(platform: MemoryPlatform): string {
  return platform
    .of("remark")
    .map(({ message }) => message)
    .join("\n");
}

describe("eval of a training with a holdout", () => {
  let storage: MemoryStorage;

  beforeAll(async () => {
    storage = await trained({ training: { steps: 30, holdout: 20 } });
  });

  const evaluate = (job: Partial<EvaluateJob> = {}, names = OWN): Promise<MemoryPlatform> =>
    run(names, storage, { ...EVAL, ...job });

  test("takes that one on its own list, and says so", async () => {
    const platform = await evaluate();
    const asked = await evaluate({ holdout: 20 });
    expect(platform.of("evaluated")).toEqual(asked.of("evaluated"));
    expect(platform.of("evaluated")[0].names).toBeLessThan(100);
    expect(remarks(platform)).toBe("Only names that m was not trained on are measured: --holdout 20.");
    expect(remarks(asked)).toBe("");
  });

  test("measures all names with --holdout 0, and says that most were trained on", async () => {
    const platform = await evaluate({ holdout: 0 });
    expect(platform.of("evaluated")[0].names).toBe(300);
    expect(remarks(platform)).toMatch(/^All names are measured, and m was trained on most of them: --holdout 20 /);
  });

  test.each([5, 30])("refuses --holdout %d there", async (holdout) => {
    const platform = await evaluate({ holdout });
    expect(platform.of("evaluated")).toEqual([]);
    expect(platform.of("error")[0].message).toMatch(
      new RegExp(`^m was trained on this list with --holdout 20: --holdout ${holdout} .*--any-holdout\\.$`),
    );
  });

  test("takes it where any will do", async () => {
    const more = await evaluate({ holdout: 30, takesAnyHoldout: true });
    expect(more.of("evaluated")).toHaveLength(1);
    expect(remarks(more)).toMatch(/trained on some of the names that are measured/);
    const fewer = await evaluate({ holdout: 5, takesAnyHoldout: true });
    expect(fewer.of("evaluated")).toHaveLength(1);
    expect(remarks(fewer)).toBe("");
  });

  test.each([
    [undefined, /m was trained on another list than names\.txt, of whose names all are measured/, 201],
    [30, /m was trained on another list than names\.txt, of whose names 30 percent are measured/, undefined],
  ])("takes any on another list, and tells it: %p", async (holdout, message, names) => {
    const platform = await evaluate(holdout === undefined ? {} : { holdout }, OTHER);
    expect(remarks(platform)).toMatch(message);
    const [event] = platform.of("evaluated");
    if (names === undefined) expect(event.names).toBeLessThan(100);
    else expect(event.names).toBe(names);
  });

  test("calls no written name new there", async () => {
    const there = await evaluate({ samples: 20 }, OTHER);
    expect(there.log).toMatch(/names written +20/);
    expect(there.log).not.toMatch(/ new |not in the dataset/);
    expect((await evaluate({ samples: 20 })).log).toMatch(/ new +\d+\.\d % +not in the dataset/);
  });

  test("refuses what the vocabulary does not know, as ever", async () => {
    const platform = await evaluate({}, ["zoë"]);
    expect(platform.of("error")[0].message).toBe(`names.txt, line 1: "ë" is not in the model's vocabulary.`);
    expect(remarks(platform)).toBe("");
  });
});

test("eval of a training without a holdout says that all names were trained on", async () => {
  const storage = await trained({ training: { steps: 30 } });
  const platform = await run(OWN, storage, EVAL);
  expect(platform.of("evaluated")[0].names).toBe(300);
  expect(remarks(platform)).toBe("All names are measured, and m was trained on all of them.");
  const held = await run(OWN, storage, { ...EVAL, holdout: 5 });
  expect(held.of("error")[0].message).toMatch(/--holdout 0: --holdout 5 would/);
});

test("a file of weights does not say its training: it is measured as ever, with a sentence", async () => {
  const storage = await trained({ training: { steps: 30, holdout: 20 }, save: "n", saveWeights: "m" });
  for (const [holdout, least, most] of [
    [0, 300, 300],
    [30, 50, 130],
  ]) {
    const platform = await run(OWN, storage, { ...EVAL, holdout, samples: 5 });
    const [event] = platform.of("evaluated");
    expect(event.names).toBeGreaterThanOrEqual(least);
    expect(event.names).toBeLessThanOrEqual(most);
    expect(remarks(platform)).toMatch(/^m does not say what it was trained on/);
    expect(platform.log).toMatch(/ new /);
  }
});

test("words of one's own were trained on as well", async () => {
  const dataset = new Dataset(utf8(OWN.join("\n")), "names.txt");
  const training = { steps: 3, batchSize: 1, learningRate: 0.01, sampling: "random" as const, holdout: 0 };
  const trainer = new Trainer(drawnModel({}, "f32"), dataset, new Random(1), training);
  dataset.own = new OwnWords();
  dataset.own.add("zoe");
  dataset.own.add("rex");
  for (let step = 0; step < 3; step++) trainer.step();
  const storage = new MemoryStorage();
  await saveTraining(realRunner(), storage, "m", { trainer, seed: 1 });
  expect(remarks(await run(OWN, storage, EVAL))).toMatch(/m was trained on 2 words of your own as well, which are not/);
});

describe("names are marked against the model's own list alone:", () => {
  const generate = {
    command: "generate",
    dtype: "f32",
    model: "m",
    wanted: {},
    count: 200,
    prefix: "",
    seed: 1,
  } as const;

  test("there", async () => {
    const platform = await run(OWN, await trained({ training: { steps: 500 } }), generate);
    expect(platform.of("name").filter(({ isKnown }) => isKnown).length).toBeGreaterThan(0);
    expect(remarks(platform)).toBe("");
  });

  test("not against another", async () => {
    const platform = await run(OTHER, await trained({ training: { steps: 500 } }), generate);
    expect(platform.of("name").filter(({ isKnown }) => isKnown !== undefined)).toEqual([]);
    expect(remarks(platform)).toMatch(/^m was trained on another list than names\.txt, so no name is marked/);
  });

  test("not where the file does not say its list, which is said where it matters", async () => {
    const storage = await trained({ training: { steps: 500 }, save: "n", saveWeights: "m" });
    const platform = await run(OWN, storage, generate);
    expect(platform.log).not.toContain("dataset");
    expect(remarks(platform)).toBe(
      "m does not say what it was trained on: names that names.txt has too are not marked.",
    );
    expect(remarks(await run(["qqqqq"], storage, generate))).toBe("");
  });
});

test.each([
  [0, 20, true],
  [10, 20, true],
  [20, 20, false],
  [30, 20, false],
])("--init of a training with a holdout of %d, and now %d", async (before, now, isTold) => {
  const storage = await trained({ training: { steps: 3, holdout: before } });
  const again: TrainJob = { ...DEFAULT_TRAIN_JOB, samples: 0, init: "m", training: { steps: 3, holdout: now } };
  const platform = await run(OWN, storage, again);
  expect(platform.of("error")).toEqual([]);
  const message = `m was trained on this list with --holdout ${before}, so it knows names that --holdout ${now} `;
  if (isTold) expect(remarks(platform)).toContain(message);
  else expect(remarks(platform)).toBe("");
  expect(remarks(await run(OTHER, storage, again))).toBe("");
});

describe.each(["node", "xs"])("on %s", (engine) => {
  beforeAll(async () => {
    writeFileSync(at("own"), OWN.join("\n"));
    const train = ["train", "--engine", engine, "--steps", "40", "--samples", "0", "--holdout", "20"];
    expect(await esp32gpt(...train, "--data", at("own"), "--save", at(`model-${engine}`))).toMatchObject({ code: 0 });
  });

  const evaluate = (...options: string[]): ReturnType<typeof esp32gpt> =>
    esp32gpt("eval", "--engine", engine, "--model", at(`model-${engine}`), ...options);

  test("eval without --data tells that it is another list", async () => {
    const { code, stdout, stderr } = await evaluate("--samples", "10");
    expect(stdout).toMatch(/^Mean loss: \d\.\d{4} over 3\d{4} names/);
    expect(stdout).not.toContain("not in the dataset");
    expect(stderr).toMatch(
      /^esp32gpt: [^\n]*model-\w+ was trained on another list than [^\n]*names\.txt[^\n]*--data\.\n$/,
    );
    expect(code).toBe(0);
  });

  test("eval on its own list takes its holdout", async () => {
    const own = await evaluate("--data", at("own"));
    expect(own.code).toBe(0);
    expect(own.stderr).toMatch(/^esp32gpt: Only names that [^\n]* was not trained on are measured: --holdout 20\.\n$/);
    const asked = await evaluate("--data", at("own"), "--holdout", "20");
    expect(asked).toEqual({ code: 0, stdout: own.stdout, stderr: "" });
    expect(await evaluate("--data", at("own"), "--holdout", "25")).toMatchObject({ code: 2, stdout: "" });
    const any = await evaluate("--data", at("own"), "--holdout", "25", "--any-holdout");
    expect(any).toMatchObject({ code: 0, stderr: expect.stringContaining("trained on some of the names") as string });
    const all = await evaluate("--data", at("own"), "--holdout", "0");
    expect(all).toMatchObject({ code: 0, stderr: expect.stringContaining("trained on most of them") as string });
    expect(all.stdout).toMatch(/over 300 names/);
  });

  test("generate without --data marks nothing, and says why", async () => {
    const { code, stdout, stderr } = await esp32gpt(
      ...["generate", "--engine", engine, "--model", at(`model-${engine}`), "-n", "300"],
    );
    expect(code).toBe(0);
    expect(stdout.split("\n")).toHaveLength(301);
    expect(stdout).not.toContain("dataset");
    expect(stderr).toMatch(/^esp32gpt: [^\n]* was trained on another list than [^\n]*no name is marked[^\n]*\n$/);
  });
});

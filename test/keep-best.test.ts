import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { runJob } from "../src/jobs/job";
import { LowestLoss } from "../src/gpt/training/lowest-loss";
import { DEFAULT_TRAIN_JOB, type TrainJob } from "../src/jobs/train-job";
import { NAMES_FILE, utf8 } from "./helpers";
import { esp32gpt, type Outcome, temporaryFolder } from "./support/cli";
import { MemoryPlatform } from "./support/memory-platform";
import { MemoryStorage } from "./support/memory-storage";
import { TestDevice } from "./support/test-device";

/* The checkpoint with the lowest validation loss, and what is said of one that rises. */

const at = temporaryFolder();

/** So few that they are soon known by heart. */
const NAMES = readFileSync(NAMES_FILE, "utf8").trim().split("\n").slice(0, 60);

const JOB: TrainJob = {
  ...DEFAULT_TRAIN_JOB,
  training: { steps: 1500, holdout: 20 },
  logEvery: 50,
  samples: 0,
};

async function train(job: Partial<TrainJob>, storage = new MemoryStorage(), tick = 0): Promise<MemoryPlatform> {
  const platform = new MemoryPlatform(utf8(NAMES.join("\n")), storage, tick);
  expect(await platform.settle(runJob({ ...JOB, ...job }, platform))).toBe("done");
  return platform;
}

const messages = (platform: MemoryPlatform): string[] => platform.of("remark").map(({ message }) => message);

/** The step of the lowest validation loss, and that loss. */
function lowestOf(platform: MemoryPlatform): { step: number; loss: number } {
  const measured = platform
    .of("step")
    .flatMap(({ step, validationLoss: loss }) => (loss === undefined ? [] : [{ step, loss }]));
  return measured.reduce((a, b) => (b.loss < a.loss ? b : a));
}

describe("it", () => {
  let whole: MemoryPlatform;
  beforeAll(async () => {
    whole = await train({ keepBest: "best", save: "last" });
  });

  test("is that of the step with the lowest loss, to the last byte, and is told at the end", async () => {
    const { step, loss } = lowestOf(whole);
    expect(step).toBeGreaterThan(100);
    expect(step).toBeLessThan(1400);
    expect(messages(whole).at(-1)).toBe(
      `The lowest validation loss, ${loss.toFixed(4)}, was that after step ${step}: best has it.`,
    );
    // The same training, stopped there.
    const platform = new MemoryPlatform(utf8(NAMES.join("\n")));
    const emit = (event: Parameters<typeof platform.emit>[0]): void => {
      platform.emit(event);
      if (event.type === "step" && event.step === step) platform.runner.stop();
    };
    const { runner, emitsAllSteps, provideOps } = platform;
    await platform.settle(runJob({ ...JOB, save: "there" }, { platform, runner, emit, emitsAllSteps, provideOps }));
    expect(whole.storage.file("best")).toEqual(platform.storage.file("there"));
  });

  test("changes nothing of the training", async () => {
    const without = await train({ save: "last" });
    expect(whole.storage.file("last")).toEqual(without.storage.file("last"));
    expect(whole.log).toBe(without.log);
  });

  test("comes with as many saves as are due, neither more nor fewer", async () => {
    const saves = async (keepBest?: string): Promise<number> =>
      (await train({ save: "last", saveEvery: 10, ...(keepBest !== undefined && { keepBest }) }, undefined, 20)).of(
        "saved",
      ).length;
    expect(Math.abs((await saves("best")) - (await saves()))).toBeLessThan(5);
  });

  test.each([200, 700, 1400])(
    "is the same when the training is resumed that was stopped behind step %d",
    async (at) => {
      const storage = new MemoryStorage();
      const platform = new MemoryPlatform(utf8(NAMES.join("\n")), storage);
      const emit = (event: Parameters<typeof platform.emit>[0]): void => {
        if (event.type === "step" && event.step === at) platform.runner.stop();
      };
      const { runner, emitsAllSteps, provideOps } = platform;
      const job = { ...JOB, save: "last", keepBest: "best" };
      await platform.settle(runJob(job, { platform, runner, emit, emitsAllSteps, provideOps }));
      const resumed = await train({ training: {}, resume: "last", save: "last", keepBest: "best" }, storage);
      for (const file of ["best", "last"]) expect(storage.file(file)).toEqual(whole.storage.file(file));
      expect(messages(resumed).at(-1)).toBe(messages(whole).at(-1));
    },
  );

  test("stays when nothing comes that is better, and is refused when it is of another training", async () => {
    const storage = new MemoryStorage({ last: whole.storage.file("last"), best: whole.storage.file("best") });
    const again = await train({ training: {}, resume: "last", keepBest: "best" }, storage);
    expect(storage.file("best")).toBe(whole.storage.file("best"));
    expect(messages(again).at(-1)).toBe(messages(whole).at(-1));

    await train({ seed: 7, save: "other", training: { steps: 3, holdout: 20 } }, storage);
    const other = storage.file("other");
    const platform = new MemoryPlatform(utf8(NAMES.join("\n")), storage);
    await platform.settle(runJob({ ...JOB, training: {}, resume: "last", keepBest: "other" }, platform));
    expect(platform.of("error").map(({ message }) => message)).toEqual([
      "other is of another training: name another file with --keep-best.",
    ]);
    expect(storage.file("other")).toBe(other);
  });

  test("needs names that are held out", async () => {
    const platform = new MemoryPlatform(utf8(NAMES.join("\n")));
    await platform.settle(runJob({ ...JOB, training: { steps: 5 }, keepBest: "best" }, platform));
    expect(platform.of("error").map(({ message }) => message)).toEqual([
      expect.stringMatching(/^--keep-best needs --holdout/),
    ]);
    expect(platform.log).toBe("");
  });
});

describe("the validation loss", () => {
  const follow = (losses: readonly number[], every = 10): (string | undefined)[] => {
    const lowest = new LowestLoss(losses.length * every);
    return losses.map((loss, i) => (lowest.take(i * every, loss) ? undefined : lowest.complaint(i * every)));
  };
  const told = (losses: readonly number[]): number[] =>
    follow(losses).flatMap((text, i) => (text === undefined ? [] : [i]));

  test("that has risen for long is told once: a fifth of the steps, five measurements, 0.02 on average", () => {
    const falling = Array.from({ length: 10 }, (_, i) => 3 - i / 10);
    expect(told([...falling, ...Array<number>(40).fill(2.13)])).toEqual([19]);
    expect(follow([...falling, ...Array<number>(40).fill(2.13)])[19]).toMatch(
      /^The validation loss has risen: it was lowest after step 90, 2\.1000, and is 2\.1300 on average since then\. /,
    );
    expect(told([...falling, ...Array<number>(40).fill(2.119)])).toEqual([]);
    expect(told([2, 3, 3, 3, 3, 3, 3])).toEqual([5]);
    expect(told([2, 3, 3, 3, 3])).toEqual([]);
  });

  test("that falls again begins anew", () => {
    const up = Array<number>(8).fill(2.5);
    expect(told([2.1, ...up, 2, ...up, 1.9, ...up, 1.8, ...up, 1.7, ...up])).toEqual([]);
  });

  test("of names that are learnt by heart is said to rise, on a device as well; of enough of them not", async () => {
    const [message, ...others] = messages(await train({}));
    expect(others).toEqual([]);
    expect(message).toMatch(/^The validation loss has risen: .* overfitting: use more names or fewer steps\.$/);
    const device = new TestDevice({ steps: 1500, holdout: 20, log_every: 50 }, undefined, { names: NAMES });
    await device.live();
    expect(
      device
        .take()
        .split("\n")
        .filter((line) => line === message),
    ).toHaveLength(1);

    const platform = new MemoryPlatform(readFileSync(NAMES_FILE));
    await platform.settle(runJob({ ...JOB, training: { steps: 1000, holdout: 5 } }, platform));
    expect(messages(platform)).toEqual([]);
  });
});

describe.each(["node", "xs"])("the command line on %s", (engine) => {
  const list = at(`list-${engine}.txt`);
  const best = at(`best-${engine}`);
  const last = at(`last-${engine}`);
  const run = (command: string, ...options: string[]): Promise<Outcome> =>
    esp32gpt(command, "--engine", engine, "--data", list, ...options);
  const train = (...options: string[]): Promise<Outcome> => run("train", "--samples", "0", ...options);
  const measured = async (file: string): Promise<number> =>
    Number(/^Mean loss: (\S+)/.exec((await run("eval", "--model", file, "--holdout", "20")).stdout)?.[1]);

  test("keeps it, says so, and it can be used like every checkpoint", async () => {
    writeFileSync(list, NAMES.join("\n"));
    const options = ["--steps", "1500", "--holdout", "20", "--log-every", "50"];
    const { code, stderr } = await train(...options, "--keep-best", best, "--save", last);
    expect(code).toBe(0);
    const [, loss, step] = /The lowest validation loss, (\S+), was that after step (\d+): .*best-/.exec(stderr) ?? [];
    expect(await measured(best)).toBeCloseTo(Number(loss), 3);
    expect(await measured(last)).toBeGreaterThan(Number(loss) + 0.05);
    expect((await run("generate", "--model", best, "-n", "3")).stdout).toMatch(/^ {3}3\. /m);
    const resumed = await train("--resume", best, "--keep-best", best);
    expect(resumed.code).toBe(0);
    expect(resumed.stdout).toContain(`Going on with step ${Number(step) + 1}.`);
    expect(resumed.stderr).toContain(`was that after step ${step}:`);
  });

  test("says in one sentence what will not do, and writes nothing", async () => {
    const file = at(`none-${engine}`);
    for (const [options, message] of [
      [["--keep-best", file], /--keep-best needs --holdout/],
      [["--keep-best", file, "--save", file, "--holdout", "20"], /--save and --keep-best are the same file/],
      [["--keep-best", at("no/folder"), "--holdout", "20"], /Cannot write .*no\/folder/],
    ] as const) {
      const { code, stdout, stderr } = await train("--steps", "5", ...options);
      expect([code, stdout, stderr]).toEqual([2, "", expect.stringMatching(message)]);
      expect(existsSync(file)).toBe(false);
    }
  });
});

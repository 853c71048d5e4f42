import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Checkpoint } from "../src/gpt/checkpoint/reader";
import { largestDifference, mean } from "./helpers";
import { esp32gpt, outcomeOf, start, temporaryFolder } from "./support/cli";
import { MemoryStorage } from "./support/memory-storage";
import { type Esp32gptTrace, readTrace } from "./support/reference";
import { lossesOf, makes32Bits, readRecords, splitStatistics, type Statistics, type StepRecord } from "./support/xs";
import { skipUnless, skipUnlessReference } from "./support/skipping";

/* The program on the real XS engine. */

const at = temporaryFolder();

/** The first run on XS may have to build it, and the TypeScript ops take their time there. */
const TIMEOUT_MS = 600_000;

beforeAll(async () => {
  await esp32gpt("train", "--engine", "xs", "--steps", "60", "--samples", "0", "--save", at("model"));
}, TIMEOUT_MS);

interface Run {
  readonly log: string;
  readonly statistics: Statistics;
  readonly records: StepRecord[];
}

let runs = 0;

/** Trains as told, with a record of each step. */
async function train(options: string, remarks: string | RegExp = ""): Promise<Run> {
  const records = at(`records-${runs++}`);
  const all = ["train", ...options.split(" "), "--stats", "--jsonl", records];
  const { code, stdout, stderr } = await esp32gpt(...all);
  expect([code, stderr]).toEqual([0, remarks === "" ? "" : expect.stringMatching(remarks)]);
  const [log, statistics] = splitStatistics(stdout);
  return { log, statistics, records: readRecords(records) };
}

/** Everything but what calls the engine by its name. */
function belowBanner({ log }: Run): string[] {
  const [banner, ...lines] = log.split("\n");
  expect(banner).toMatch(/^=== esp32gpt: microgpt in TypeScript on (XS|Node) ===$/);
  return lines;
}

describe("the same program as on Node:", () => {
  test.each(["esp32gpt", "microgpt"])(
    "the log of the %s preset",
    async (preset) => {
      const options = `--preset ${preset} --steps 100 --log-every 10 --samples 10 --holdout 1`;
      const xs = await train(`--engine xs --ops typescript ${options}`);
      const node = await train(`--engine node ${options}`);
      expect([xs.log, node.log].map((log) => log.split("\n", 1))).toEqual([
        ["=== esp32gpt: microgpt in TypeScript on XS ==="],
        ["=== esp32gpt: microgpt in TypeScript on Node ==="],
      ]);
      expect(belowBanner(xs)).toEqual(belowBanner(node));
      expect(xs.records.map(({ step, name }) => [step, name])).toEqual(
        node.records.map(({ step, name }) => [step, name]),
      );
      expect(xs.records).toHaveLength(100);
      expect(largestDifference(lossesOf(xs.records), lossesOf(node.records))).toBeLessThan(1e-6);
    },
    TIMEOUT_MS,
  );

  test("in double precision", async () => {
    const options = "--dtype f64 --steps 20 --samples 5 --log-every 5";
    const xs = await train(`--engine xs ${options}`);
    const node = await train(`--engine node ${options}`);
    expect(xs.statistics).toMatchObject({ engine: "xs", ops: "typescript" });
    expect(belowBanner(xs)).toEqual(belowBanner(node));
    expect(largestDifference(lossesOf(xs.records), lossesOf(node.records))).toBeLessThan(1e-9);
  });

  test("names passed over", async () => {
    writeFileSync(at("long"), "ann\naveryverylongname\nbo\n");
    const options = `--data ${at("long")} --sampling sequential --steps 5 --log-every 1 --samples 0`;
    const remark = /^esp32gpt: 1 of 3 names \(33\.3 %\) are too long for block_size 16,[^\n]*\n$/;
    const xs = await train(`--engine xs ${options}`, remark);
    const node = await train(`--engine node ${options}`, remark);
    expect(xs.records.map(({ loss }) => loss === "passed over")).toEqual([false, true, false, false, true]);
    expect(belowBanner(xs)).toEqual(belowBanner(node));
  });

  test.each(["native", "typescript"])("generate and eval with %s ops", async (ops) => {
    writeFileSync(at("few"), "emma\nolivia\naveryverylongname\nava\n");
    for (const command of ["generate -n 20 --prefix a --temperature 1 --seed 3", "eval"]) {
      const options = [...command.split(" "), "--model", at("model"), "--data", at("few")];
      const xs = await esp32gpt(...options, "--engine", "xs", "--ops", ops);
      const node = await esp32gpt(...options, "--engine", "node");
      expect(xs).toEqual(node);
      expect(xs.code).toBe(0);
      expect(xs.stderr).toMatch(/^esp32gpt: [^\n]*model was trained on another list than [^\n]*few,[^\n]*\n$/);
      expect(xs.stdout).toMatch(
        command === "eval" ? /^Mean loss: \d\.\d{4} over 3 names \(1 too long/ : /\n {2}20\. a/,
      );
    }
  });

  test("a checkpoint of one engine serves the other", async () => {
    const load = (file: string): Promise<Checkpoint> =>
      Checkpoint.open(new MemoryStorage({ m: readFileSync(file) }), "m");
    expect((await load(at("model"))).step).toBe(60);
    const options = ["--init", at("model"), "--steps", "2", "--samples", "3", "--log-every", "1"];
    await esp32gpt("train", ...options, "--engine", "node", "--save", at("node"));
    await esp32gpt("train", ...options, "--engine", "xs", "--ops", "typescript", "--save", at("xs"));
    expect(readFileSync(at("xs")).equals(readFileSync(at("node")))).toBe(true);
    const read = await esp32gpt("generate", "--engine", "xs", "--model", at("node"), "-n", "2");
    expect(read).toMatchObject({ code: 0, stderr: "" });
  });
});

/** Bytecodes of a turn of the event loop: how many turns there are is up to the clock. */
const ONE_TURN = 200;

describe("the same from run to run:", () => {
  test.each([
    ["native", 5_000],
    ["typescript", 2_000_000],
  ])(
    "log, bytecodes and memory with %s ops, at most %d bytecodes a step",
    async (ops, most) => {
      const options = ["train", "--engine", "xs", "--ops", ops, "--steps", "100", "--stats"];
      const outcomes = [await esp32gpt(...options), await esp32gpt(...options)];
      const [[log, statistics], [secondLog, second]] = outcomes.map(({ stdout }) => splitStatistics(stdout));
      expect(secondLog).toBe(log);
      expect(second.heap.peak).toBe(statistics.heap.peak);
      expect(Math.abs(second.bytecodesPerStep - statistics.bytecodesPerStep)).toBeLessThanOrEqual(ONE_TURN);
      expect(statistics.bytecodesPerStep).toBeGreaterThan(0);
      expect(statistics.bytecodesPerStep).toBeLessThanOrEqual(most);
    },
    TIMEOUT_MS,
  );
});

test("--stats tells what the run took of the heap", async () => {
  const { statistics } = await train("--engine xs --heap-limit 400000 --steps 5 --samples 0");
  expect(statistics).toMatchObject({ engine: "xs", ops: "native", steps: 5 });
  const { slots, chunks, stack, peak } = statistics.heap;
  for (const bytes of [slots, chunks, stack]) expect(bytes).toBeGreaterThan(0);
  // What XS has taken, in pieces, has room for what was in use.
  expect(peak).toBeGreaterThanOrEqual(slots + chunks + stack);
  expect(peak).toBeLessThanOrEqual(400_000);
});

test("Ctrl-C ends the training after the step under way, and saves", async () => {
  const program = start(
    ...["train", "--engine", "xs", "--steps", "1000000", "--save", at("stopped"), "--jsonl", at("steps")],
  );
  const outcome = outcomeOf(program);
  await once(program.stdout, "data");
  program.kill("SIGINT");
  const { code, stdout, stderr } = await outcome;
  expect([code, stderr]).toEqual([130, ""]);
  const [, steps] = /\nStopped after (\d+) of 1000000 steps\.\nSaved to .*stopped\.\n$/.exec(stdout) ?? [];
  const checkpoint = await Checkpoint.open(new MemoryStorage({ m: readFileSync(at("stopped")) }), "m");
  expect(String(checkpoint.step)).toBe(steps);
  expect(String(readRecords(at("steps")).length)).toBe(steps);
});

test("a reader that has seen enough is no error", async () => {
  const program = start("generate", "--engine", "xs", "--model", at("model"), "-n", "100000");
  program.stdout.once("data", () => program.stdout.destroy());
  const { code, stderr } = await outcomeOf(program);
  expect([code, stderr]).toEqual([0, ""]);
});

const on32Bits = skipUnless(makes32Bits(), "XS with the device's 32-bit memory figures, which needs gcc-multilib");

on32Bits.describe("as a 32-bit program", () => {
  const options = "--engine xs --steps 100 --samples 5";
  let narrow: Run;

  beforeAll(async () => {
    const built = await esp32gpt("train", "--engine", "xs", "--xs-bits", "32", "--steps", "1", "--samples", "0");
    expect(built.code).toBe(0);
    narrow = await train(`${options} --xs-bits 32`);
  }, TIMEOUT_MS);

  test("it computes the same", async () => {
    const wide = await train(`${options} --xs-bits 64`);
    expect(narrow.log).toBe(wide.log);
    expect(largestDifference(lossesOf(narrow.records), lossesOf(wide.records))).toBeLessThan(1e-6);
    expect(narrow.statistics.bytecodesPerStep).toBe(wide.statistics.bytecodesPerStep);
  });

  test("its memory is the device's", () => {
    const { slots, stack, peak } = narrow.statistics.heap;
    expect([slots % 16, stack % 16]).toEqual([0, 0]);
    expect(slots).toBeLessThanOrEqual(2300 * 16);
    expect(peak).toBeLessThan(180_000);
  });
});

const folder = process.env.ESP32GPT_REFERENCE ?? "";
skipUnlessReference("XS against the published traces").describe.each(["native", "typescript"])("with %s ops", (ops) => {
  test(
    "the published log",
    async () => {
      const { records } = await train(`--engine xs --ops ${ops} --data ${join(folder, "makemore-names.txt")}`);
      const losses = lossesOf(records);
      expect([losses[0], losses[100]].map((loss) => loss.toFixed(4))).toEqual(["3.3071", "2.4193"]);
      expect(Math.abs(losses[500] - 1.9888)).toBeLessThan(0.02);
      expect(Math.abs(losses[999] - 2.098)).toBeLessThan(0.02);
    },
    TIMEOUT_MS,
  );

  test(
    "the Rust program's training",
    async () => {
      const trace = readTrace(folder, "esp32gpt-trace.json") as Esp32gptTrace;
      const { records } = await train(`--engine xs --ops ${ops}`);
      const losses = lossesOf(records);
      expect(records.map(({ name }) => name)).toEqual(trace.name_index);
      expect(largestDifference(losses.slice(0, 300), trace.loss.slice(0, 300))).toBeLessThan(1e-5);
      expect(largestDifference(losses, trace.loss)).toBeLessThan(0.06);
      expect(Math.abs(mean(losses) - mean(trace.loss))).toBeLessThan(0.01);
    },
    TIMEOUT_MS,
  );
});

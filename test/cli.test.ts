import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { Checkpoint } from "../src/gpt/checkpoint/reader";
import { LoadingTask } from "../src/gpt/checkpoint/loading";
import { DEFAULT_MODEL } from "../src/gpt/model/config";
import type { Loss } from "../src/gpt/training/events";
import { Model } from "../src/gpt/model/model";
import { Random } from "../src/gpt/model/random";
import { typescriptOps } from "../src/gpt/model/typescript-ops";
import { drawParameters } from "../src/gpt/model/parameters";
import { Trainer } from "../src/gpt/training/trainer";
import { lowercaseVocabulary } from "../src/gpt/data/vocabulary";
import { lossOf, mean, shippedNames } from "./helpers";
import { esp32gpt, outcomeOf, start, temporaryFolder } from "./support/cli";
import { MemoryStorage } from "./support/memory-storage";

const at = temporaryFolder();

const NAMES = ["emma", "olivia", "isabella", "ava"];

interface Record {
  step: number;
  loss: Loss;
  learningRate: number;
  validationLoss?: number;
  name: number;
}

function linesOf(text: string): string[] {
  expect(text.endsWith("\n")).toBe(true);
  return text.slice(0, -1).split("\n");
}

function readRecords(file: string): Record[] {
  return linesOf(readFileSync(file, "utf8")).map((line) => JSON.parse(line) as Record);
}

async function readModel(file: string): Promise<Model> {
  const checkpoint = await Checkpoint.open(new MemoryStorage({ m: readFileSync(file) }), "m");
  const model = new Model(
    checkpoint.modelConfig({}),
    typescriptOps(checkpoint.dtype),
    checkpoint.vocabulary(lowercaseVocabulary()),
  );
  const loading = new LoadingTask(checkpoint, model);
  while (loading.work());
  return model;
}

beforeAll(async () => {
  writeFileSync(at("names"), NAMES.join("\n"));
  await esp32gpt("train", "--steps", "150", "--samples", "0", "--data", at("names"), "--save", at("model"));
});

test("train prints the published log", async () => {
  const { code, stdout, stderr } = await esp32gpt("train", "--steps", "101");
  const lines = linesOf(stdout);
  expect(lines.slice(0, 8)).toEqual([
    "=== esp32gpt: microgpt in TypeScript on Node ===",
    "Model: 4192 params, 4 heads, 16-dim embeddings",
    "Dataset: 32257 names loaded from flash",
    "Training for 101 steps...",
    "step    0/101: loss = 3.2986",
    expect.stringMatching(/^step {2}100\/101: loss = \d\.\d{4}$/),
    "--- Generated names (temperature=0.8) ---",
    expect.stringMatching(/^ {3}1\. [a-z]*$/),
  ]);
  expect(lines.at(-1)).toBe("=== Done ===");
  expect(lines).toHaveLength(7 + 20 + 1);
  expect([code, stderr]).toEqual([0, ""]);
});

test("two runs print the same bytes and save the same bytes", async () => {
  const run = async (file: string): Promise<[string, Buffer]> => {
    const { stdout } = await esp32gpt("train", "--steps", "30", "--seed", "7", "--save", at(file));
    return [stdout, readFileSync(at(file))];
  };
  const [one, two] = [await run("one"), await run("two")];
  expect(one[0]).toBe(two[0]);
  expect(one[1].equals(two[1])).toBe(true);
  expect((await esp32gpt("train", "--steps", "30", "--seed", "8")).stdout).not.toBe(one[0]);
});

test("--jsonl writes one object a step, with the losses to the last digit", async () => {
  await esp32gpt("train", "--steps", "5", "--samples", "0", "--jsonl", at("records"));
  const random = new Random(42);
  const model = new Model(DEFAULT_MODEL, typescriptOps("f32"));
  drawParameters(model.parameters, random, model.config, model.ops);
  const training = { steps: 5, batchSize: 1, learningRate: 0.01, sampling: "random" as const, holdout: 0 };
  const trainer = new Trainer(model, shippedNames(), random, training);
  const expected = [0, 1, 2, 3, 4].map((step) => {
    const loss = trainer.step();
    return { step, loss, learningRate: trainer.learningRate, name: trainer.documentIndex };
  });
  expect(readRecords(at("records"))).toEqual(expected);
});

test("--jsonl tells a name passed over, and the validation loss where it was measured", async () => {
  const options = "train --steps 8 --log-every 2 --samples 0 --block-size 5 --sampling sequential --holdout 16";
  await esp32gpt(...options.split(" "), "--data", at("names"), "--jsonl", at("records"));
  const records = readRecords(at("records"));
  expect(records).toHaveLength(8);
  for (const { step, loss, name, validationLoss } of records) {
    expect(loss === "passed over").toBe(NAMES[name].length > 4);
    expect(validationLoss !== undefined).toBe(step % 2 === 0 || step === 7);
  }
  expect(records.some(({ loss }) => loss === "passed over")).toBe(true);
});

test("--stats ends with one line of JSON", async () => {
  const { stdout } = await esp32gpt("train", "--steps", "3", "--samples", "1", "--stats");
  const lines = linesOf(stdout);
  expect(lines.at(-2)).toBe("=== Done ===");
  expect(JSON.parse(lines.at(-1) ?? "")).toEqual({
    engine: "node",
    ops: "typescript",
    steps: 3,
    seconds: expect.any(Number) as number,
    microsecondsPerStep: expect.any(Number) as number,
    bytecodesPerStep: null,
    heap: { slots: null, chunks: null, stack: null, peak: null, usedSlots: null, usedChunks: null },
    collections: null,
    flash: null,
  });
});

test("--save keeps the training state, and --init starts from it", async () => {
  const file = readFileSync(at("model"));
  expect(file.includes('"adam.m"')).toBe(true);
  const { stdout } = await esp32gpt(
    ...["train", "--init", at("model"), "--data", at("names"), "--sampling", "sequential", "--steps", "1"],
  );
  expect(stdout).toContain(`step    0/1: loss = ${lossOf(await readModel(at("model")), "emma").toFixed(4)}\n`);
});

test("no temporary file stays behind", () => {
  expect(readdirSync(at(".")).filter((file) => file.includes("tmp"))).toEqual([]);
});

describe("generate", () => {
  const generate = (...options: string[]): ReturnType<typeof esp32gpt> =>
    esp32gpt("generate", "--model", at("model"), "--data", at("names"), ...options);

  test("numbers its names, and marks those of the dataset", async () => {
    const { code, stdout, stderr } = await generate("-n", "30");
    const lines = linesOf(stdout);
    expect(lines).toHaveLength(30);
    const marks = lines.map((line, i) => {
      const [number, name] = line.trim().split(/\. | /);
      const isMarked = NAMES.includes(name);
      expect(line).toBe(`${number.padStart(4)}. ${name}${isMarked ? " (in the dataset)" : ""}`);
      expect(number).toBe(String(i + 1));
      return isMarked;
    });
    expect(new Set(marks)).toEqual(new Set([true, false]));
    expect([code, stderr]).toEqual([0, ""]);
  });

  test("begins each name with --prefix, and follows --seed", async () => {
    const { stdout } = await generate("-n", "5", "--prefix", "oli");
    expect(linesOf(stdout).every((line) => /^ {3}\d\. oli[a-z]*/.test(line))).toBe(true);
    expect((await generate("-n", "5", "--prefix", "oli")).stdout).toBe(stdout);
    expect((await generate("-n", "5", "--prefix", "oli", "--seed", "5", "--temperature", "2")).stdout).not.toBe(stdout);
  });
});

describe("generate for programs", () => {
  const generate = (...options: string[]): ReturnType<typeof esp32gpt> =>
    esp32gpt("generate", "--model", at("model"), "--data", at("names"), "-n", "40", ...options);

  test.each(["node", "xs"])("on %s", async (engine) => {
    const text = linesOf((await generate("--engine", engine)).stdout).map((line) => {
      const [, number, name] = /^ *(\d+)\. (.*?)(?: \(in the dataset\))?$/.exec(line) ?? [];
      return { number: Number(number), name, isKnown: line.endsWith(" (in the dataset)") };
    });
    const plain = await generate("--engine", engine, "--plain");
    expect(plain).toEqual({ code: 0, stdout: text.map(({ name }) => `${name}\n`).join(""), stderr: "" });
    const json = await generate("--engine", engine, "--json");
    expect(linesOf(json.stdout).map((line) => JSON.parse(line) as unknown)).toEqual(text);
    expect([json.code, json.stderr]).toEqual([0, ""]);
  });

  test("an empty name is an empty line", async () => {
    await esp32gpt("train", "--steps", "3", "--samples", "0", "--data", at("names"), "--save", at("fresh"));
    const options = ["--model", at("fresh"), "--data", at("names"), "-n", "200", "--temperature", "2"];
    const { stdout } = await esp32gpt("generate", ...options, "--plain");
    expect(linesOf(stdout)).toHaveLength(200);
    expect(linesOf(stdout)).toContain("");
  });

  test("says on standard error alone what is wrong, or to be known", async () => {
    const other = await esp32gpt("generate", "--model", at("model"), "-n", "3", "--json");
    expect(other.stderr).toMatch(/^esp32gpt: [^\n]* was trained on another list [^\n]*\n$/);
    for (const line of linesOf(other.stdout))
      expect(Object.keys(JSON.parse(line) as object)).toEqual(["number", "name"]);
    expect(await generate("--plain", "--prefix", "Q")).toMatchObject({ code: 2, stdout: "" });
    expect(await generate("--plain", "--json")).toMatchObject({ code: 2, stdout: "" });
  });

  test.each(["--plain", "--json"])("a reader that has seen enough of %s is no error", async (option) => {
    const program = start("generate", "--model", at("model"), "--data", at("names"), "-n", "1000000", option);
    program.stdout.once("data", () => program.stdout.destroy());
    const { code, stderr } = await outcomeOf(program);
    expect([code, stderr]).toEqual([0, ""]);
  });
});

test("eval begins with the mean loss over the names", async () => {
  const model = await readModel(at("model"));
  writeFileSync(at("others"), "sam\nbob\r\nisabellaisabellaisabella\n\nleo\n");
  const others = mean(["sam", "bob", "leo"].map((name) => lossOf(model, name)));
  const { code, stdout } = await esp32gpt("eval", "--model", at("model"), "--data", at("others"));
  expect(code).toBe(0);
  expect(linesOf(stdout)[0]).toBe(`Mean loss: ${others.toFixed(4)} over 3 names (1 too long, passed over)`);
  const known = mean(NAMES.map((name) => lossOf(model, name)));
  const { stdout: ofKnown } = await esp32gpt("eval", "--model", at("model"), "--data", at("names"));
  expect(linesOf(ofKnown)[0]).toBe(`Mean loss: ${known.toFixed(4)} over 4 names`);
});

test("a file of weights in double precision is used in double precision", async () => {
  const options = "--steps 20 --samples 0 --dtype f64 --preset microgpt --n-embd 8 --n-head 2 --block-size 8";
  await esp32gpt("train", ...options.split(" "), "--data", at("names"), "--save", at("double"));
  const model = await readModel(at("double"));
  expect(model.ops.dtype).toBe("f64");
  expect(model.config).toEqual({ preset: "microgpt", nLayer: 1, nEmbd: 8, nHead: 2, blockSize: 8, vocabularySize: 10 });
});

test("Ctrl-C ends the training after the step under way, and saves", async () => {
  const program = start("train", "--steps", "1000000", "--save", at("stopped"));
  const outcome = outcomeOf(program);
  await once(program.stdout, "data");
  program.kill("SIGINT");
  const { code, stdout, stderr } = await outcome;
  expect([code, stderr]).toEqual([130, ""]);
  const [, steps] = /\nStopped after (\d+) of 1000000 steps\.\nSaved to .*stopped\.\n$/.exec(stdout) ?? [];
  const checkpoint = await Checkpoint.open(new MemoryStorage({ m: readFileSync(at("stopped")) }), "m");
  expect(String(checkpoint.step)).toBe(steps);
});

test("a reader that has seen enough is no error", async () => {
  const program = start("generate", "--model", at("model"), "--data", at("names"), "-n", "100000");
  program.stdout.once("data", () => program.stdout.destroy());
  const { code, stderr } = await outcomeOf(program);
  expect([code, stderr]).toEqual([0, ""]);
});

test("--help tells of every command, on standard output", async () => {
  const { code, stdout, stderr } = await esp32gpt("--help");
  expect([code, stderr]).toEqual([0, ""]);
  for (const command of ["train", "generate", "eval"]) expect(stdout).toMatch(new RegExp(`^ +${command} `, "m"));
});

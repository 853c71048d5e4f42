import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_MODEL } from "../src/gpt/model/config";
import { Dataset } from "../src/gpt/data/dataset";
import { Model } from "../src/gpt/model/model";
import { planMemory } from "../src/gpt/plan";
import { Random } from "../src/gpt/model/random";
import { Trainer } from "../src/gpt/training/trainer";
import { typescriptOps } from "../src/gpt/model/typescript-ops";
import { largestDifference, trainStep } from "./helpers";
import { esp32gpt, type Outcome, outcomeOf, start, temporaryFolder } from "./support/cli";
import { lossesOf, makes32Bits, readRecords, splitStatistics } from "./support/xs";
import { skipUnless } from "./support/skipping";

/* Lists in other alphabets, all the way: see data/alphabet/. */

const at = temporaryFolder();
const TIMEOUT_MS = 300_000;
const ROOMY = ["--heap-limit", "4000000"];

function fileOf(list: string): string {
  return join(__dirname, "data", "alphabet", `${list}.txt`);
}

function datasetOf(list: string): Dataset {
  return new Dataset(readFileSync(fileOf(list)), list);
}

const LISTS = [
  ["french-portuguese", "Zé"],
  ["kana", "さ"],
  ["towns", "Saint-"],
  ["characters-255", "a"],
] as const;

const PLACES = [
  ["node", ["--engine", "node"]],
  ["xs/native", ["--engine", "xs", "--ops", "native", ...ROOMY]],
  ["xs/typescript", ["--engine", "xs", "--ops", "typescript", ...ROOMY]],
] as const;

describe.each(LISTS)("%s", (list, prefix) => {
  const data = ["--data", fileOf(list)];
  const losses = new Map<string, number[]>();
  const characters = datasetOf(list).vocabulary.size - 1;

  test.each(PLACES)(
    "trains, saves, is measured and writes names on %s",
    async (place, options) => {
      const [records, model] = [at(`${list}-records`), at(`${list}-model`)];
      const shape = ["--block-size", "26", "--steps", "100", "--samples", "2"];
      const trained = await esp32gpt("train", ...options, ...data, ...shape, "--jsonl", records, "--save", model);
      expect(trained).toMatchObject({ code: 0, stderr: "" });
      expect(trained.stdout).toContain(`loaded from flash\nVocabulary: ${characters} characters\nTraining for`);
      losses.set(place, lossesOf(readRecords(records)));

      const alphabet = new Set(String(datasetOf(list).vocabulary));
      const generated = await esp32gpt(
        "generate",
        ...options,
        ...data,
        "--model",
        model,
        "-n",
        "5",
        "--prefix",
        prefix,
      );
      expect(generated).toMatchObject({ code: 0, stderr: "" });
      const names = generated.stdout.trimEnd().split("\n");
      expect(names).toHaveLength(5);
      for (const line of names) {
        const name = line.replace(/^ *\d+\. | \(in the dataset\)$/g, "");
        expect(name.startsWith(prefix)).toBe(true);
        for (const character of name) expect(alphabet).toContain(character);
      }
      const measured = await esp32gpt("eval", ...options, ...data, "--model", model);
      expect(measured.stdout).toMatch(/^Mean loss: \d\.\d{4} over \d+ names/);
    },
    TIMEOUT_MS,
  );

  test("the losses are the same everywhere", () => {
    const [node, ...others] = PLACES.map(([place]) => losses.get(place) ?? []);
    expect(node).toHaveLength(100);
    for (const other of others) expect(largestDifference(node, other)).toBeLessThan(1e-5);
  });
});

test("a list of 256 characters is refused, with where and how many", async () => {
  for (const engine of ["node", "xs"]) {
    const { code, stdout, stderr } = await esp32gpt("train", "--engine", engine, "--data", fileOf("characters-256"));
    expect(stderr).toMatch(
      /^esp32gpt: .*characters-256\.txt, line 211: the list has 256 different characters, and a model can know 255: [^\n]*\n$/,
    );
    expect([code, stdout]).toEqual([2, ""]);
  }
});

test("255 characters want more memory than an ESP32 has, and it is said what would fit", async () => {
  const { code, stdout, stderr } = await esp32gpt("train", "--engine", "xs", "--data", fileOf("characters-255"));
  expect(stderr).toMatch(
    /^esp32gpt: This model needs \d+ bytes[^\n]*: (n_embd \d+ would fit|choose [^\n]*fewer different characters)\.\n$/,
  );
  expect([code, stdout]).toEqual([2, ""]);
});

test.each([
  ["train", ["train", "--init"]],
  ["eval", ["eval", "--model"]],
])("a checkpoint meets a character that it does not know: %s", async (_command, words) => {
  const model = join(__dirname, "data", "format-2.safetensors");
  const { code, stdout, stderr } = await esp32gpt(...words, model, "--data", fileOf("towns"));
  expect(stderr).toMatch(/^esp32gpt: [^\n]*towns\.txt, line \d+: ("."|a space) is not in the model's vocabulary\.\n$/);
  expect([code, stdout]).toEqual([2, ""]);
});

test("a prefix with a character that the model does not know", async () => {
  const model = join(__dirname, "data", "format-2.safetensors");
  const generate = (prefix: string): Promise<Outcome> => esp32gpt("generate", "--model", model, "--prefix", prefix);
  expect((await generate("zoé")).stderr).toBe('esp32gpt: "é" in "zoé" is not in the model\'s vocabulary.\n');
  expect((await generate("\u001b[2J")).stderr).toBe(
    'esp32gpt: "\\u{1b}" in "\\u{1b}[2J" is not in the model\'s vocabulary.\n',
  );
});

test.each(["node", "xs"])("a board on %s repeats what was typed, whatever its characters", async (engine) => {
  const board = start("simulate", "--engine", engine, "steps=1", "samples=0");
  board.stdin.end("x😀😀yé😀€z\n");
  expect((await outcomeOf(board)).stdout).toContain("There is no command x😀😀yé😀€z: help lists them.");
});

describe.each(["NFC", "NFD"] as const)("a list in %s, and a prefix in the other form", (form) => {
  const other = form === "NFC" ? "NFD" : "NFC";
  const WORDS = ["José", "Zoë", "Đặng", "Nguyễn", "がっこう", "パン", "Ώρα", "각각"];

  // Which ops compute makes no difference to it.
  test.each(PLACES.slice(0, 2))(
    "is found on %s",
    async (place, options) => {
      const [list, model] = [at(`${form}-${place.replace("/", "-")}`), at("form-model")];
      writeFileSync(list, WORDS.join("\n").normalize(form));
      const shape = ["--block-size", "24", "--steps", "5", "--samples", "0", "--save", model];
      expect(await esp32gpt("train", ...options, "--data", list, ...shape)).toMatchObject({ code: 0, stderr: "" });
      for (const word of WORDS) {
        const generate = (prefix: string): Promise<Outcome> =>
          esp32gpt("generate", ...options, "--data", list, "--model", model, "-n", "2", "--prefix", prefix);
        const [same, converted] = await Promise.all([generate(word.normalize(form)), generate(word.normalize(other))]);
        expect(converted).toEqual(same);
        expect(same).toMatchObject({ code: 0, stderr: "" });
        expect(same.stdout).toContain(` 1. ${word.normalize(form)}`);
      }
    },
    TIMEOUT_MS,
  );
});

test("an independent program in double precision has the same losses", () => {
  const trace = JSON.parse(readFileSync(join(__dirname, "data", "alphabet", "french-trace.json"), "utf8")) as {
    vocabulary: number[];
    parameters: number[];
    losses: number[];
  };
  const dataset = datasetOf("french-portuguese");
  expect(String(dataset.vocabulary)).toBe(String.fromCodePoint(...trace.vocabulary));
  const config = { ...DEFAULT_MODEL, preset: "microgpt" as const, vocabularySize: trace.vocabulary.length + 1 };
  const model = new Model(config, typescriptOps("f64"), dataset.vocabulary);
  model.parameters.set(trace.parameters);
  const training = { steps: 1000, batchSize: 1, learningRate: 0.01, sampling: "sequential" as const, holdout: 0 };
  const trainer = new Trainer(model, dataset, new Random(1), training);
  expect(trace.losses.length).toBeGreaterThanOrEqual(50);
  const losses = trace.losses.map(() => trainStep(trainer));
  expect(largestDifference(losses, trace.losses)).toBeLessThan(1e-8);
});

const on32Bits = skipUnless(makes32Bits(), "the memory plan of these lists against XS, which needs gcc-multilib");

on32Bits.test.each(LISTS)(
  "a training of %s takes what is planned on a 32-bit machine, or a little less without a board's console",
  async (list) => {
    const { stdout: planned } = await esp32gpt("plan", "--data", fileOf(list), "--json");
    const plan = JSON.parse(planned) as { bufferBytes: number; chunks: number };
    const { indexBytes, vocabulary } = datasetOf(list);
    expect(plan).toEqual(
      expect.objectContaining({ ...planMemory({ ...DEFAULT_MODEL, vocabularySize: vocabulary.size }, { indexBytes }) }),
    );
    const options = ["--xs-bits", "32", ...ROOMY, "--steps", "20", "--samples", "2", "--stats"];
    const { stdout } = await esp32gpt("train", "--engine", "xs", ...options, "--data", fileOf(list));
    const [, { heap }] = splitStatistics(stdout);
    const total = (plan as unknown as { total: number }).total;
    expect(heap.peak / total).toBeLessThan(1.01);
    expect(heap.peak / total).toBeGreaterThan(0.95);
  },
  TIMEOUT_MS,
);

import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { Random, previousState } from "../src/gpt/model/random";
import { ROOT } from "./helpers";
import { esp32gpt, type Outcome, outcomeOf, start, temporaryFolder, makePipe } from "./support/cli";

jest.setTimeout(300_000);

/* --jsonl with --resume: the file of a training that was cut is that of one that was not. */

const at = temporaryFolder();
const NAMES = ["emma", "olivia", "ava", "isabella", "sophia", "mia", "amelia", "thequickbrownfox", "zoe", "kim"];
const INTERRUPTED = 130;

beforeAll(() => writeFileSync(at("names"), NAMES.join("\n")));

const train = (...options: string[]): Promise<Outcome> =>
  esp32gpt("train", "--samples", "0", "--data", at("names"), ...options);

const linesOf = (file: string): string[] => readFileSync(at(file), "utf8").split("\n");

/** Trains until it has told so much, and is interrupted; again when it was over before that. */
async function interrupted(...options: string[]): Promise<void> {
  let code: number | null = 0;
  for (let attempt = 0; code === 0 && attempt < 20; attempt++) {
    const program = start("train", "--samples", "0", "--data", at("names"), ...options);
    const outcome = outcomeOf(program);
    await once(program.stdout, "data");
    program.kill("SIGINT");
    ({ code } = await outcome);
  }
  expect(code).toBe(INTERRUPTED);
}

test("a step of the stream of random numbers can be taken back", () => {
  const random = new Random(42);
  for (let i = 0; i < 1000; i++) {
    const { word } = random;
    random.uint32();
    expect(previousState(random.word)).toBe(word);
  }
});

let count = 0;

describe.each(["node", "xs"])("on %s", (engine) => {
  const [many, some, few, slow] =
    engine === "node" ? ["10000", "4000", "1000", "60"] : ["20000", "10000", "3000", "30"];

  test.each([
    ["", many, ""],
    ["--holdout 20", some, "--log-every 7"],
    ["--holdout 20", few, "--log-every 1"],
    ["--preset microgpt", some, ""],
    ["--preset tuned", few, ""],
    ["--preset tuned --holdout 30 --dtype f64", slow, "--log-every 3"],
  ])("a training that was interrupted: %s --steps %s %s", async (options, steps, more) => {
    const words = (text: string): string[] => text.split(" ").filter((word) => word !== "");
    const run = ["--engine", engine, ...words(options), "--steps", steps, ...words(more)];
    const number = ++count;
    const [whole, cut, model, rest] = ["whole", "cut", "model", "rest"].map((file) => at(`${file}-${number}`));
    expect(await train(...run, "--jsonl", whole)).toMatchObject({ code: 0 });
    await interrupted(...run, "--jsonl", cut, "--save", model);
    const before = readFileSync(cut);
    const resumed = ["--engine", engine, "--resume", model, ...words(more)];
    expect(await train(...resumed, "--jsonl", cut)).toMatchObject({ code: 0 });
    expect(before.length).toBeLessThan(readFileSync(whole).length);
    expect(readFileSync(cut).equals(readFileSync(whole))).toBe(true);
    // Longer than the checkpoint, and torn in the middle of a line.
    writeFileSync(cut, readFileSync(whole).subarray(0, -25));
    expect(await train(...resumed, "--jsonl", cut)).toMatchObject({ code: 0 });
    expect(readFileSync(cut).equals(readFileSync(whole))).toBe(true);
    // Where there is none it begins at the step of the checkpoint.
    expect(await train(...resumed, "--jsonl", rest)).toMatchObject({ code: 0 });
    expect(readFileSync(whole, "utf8")).toBe(before.toString() + readFileSync(rest, "utf8"));
    expect(await train(...resumed, "--jsonl", rest)).toMatchObject({ code: 0 });
    expect(readFileSync(whole, "utf8")).toBe(before.toString() + readFileSync(rest, "utf8"));
  });
});

describe("a file that is not of this run", () => {
  const steps = ["--steps", "40"];

  beforeAll(async () => {
    for (const [name, ...options] of [
      ["one", ""],
      ["seed", "--seed", "5"],
      ["rate", "--learning-rate", "0.02"],
      ["tuned", "--preset", "tuned"],
      ["tuned-seed", "--preset", "tuned", "--seed", "5"],
      ["microgpt", "--preset", "microgpt"],
      ["microgpt-seed", "--preset", "microgpt", "--seed", "5"],
      ["holdout", "--holdout", "30"],
      ["holdout-seed", "--holdout", "30", "--seed", "5"],
    ] as string[][]) {
      const files = ["--jsonl", at(`${name}.jsonl`), "--save", at(`${name}.safetensors`)];
      expect(await train(...steps, ...options.filter((option) => option !== ""), ...files)).toMatchObject({ code: 0 });
    }
    expect(await train("--steps", "41", "--jsonl", at("steps.jsonl"))).toMatchObject({ code: 0 });
    writeFileSync(at("short.jsonl"), linesOf("one.jsonl").slice(0, 30).join("\n") + "\n");
    writeFileSync(at("torn.jsonl"), readFileSync(at("one.jsonl")).subarray(0, -1));
    writeFileSync(at("text.jsonl"), "my diary\n");
    writeFileSync(at("unfinished.jsonl"), "my diary");
    writeFileSync(at("bytes.jsonl"), Buffer.alloc(5000, 7));
    const lines = linesOf("one.jsonl");
    writeFileSync(at("gap.jsonl"), [...lines.slice(0, 10), ...lines.slice(11)].join("\n"));
    const changed = JSON.parse(lines[3]) as { name: number };
    changed.name = (changed.name + 1) % NAMES.length;
    writeFileSync(at("name.jsonl"), [...lines.slice(0, 3), JSON.stringify(changed), ...lines.slice(4)].join("\n"));
  });

  test.each<[string, string, RegExp]>([
    ["one", "seed", /seed\.jsonl does not hold the records of the training in \S+: name another file/],
    ["one", "rate", /does not hold the records/],
    ["one", "steps", /does not hold the records/],
    ["one", "tuned", /does not hold the records/],
    ["one", "microgpt", /does not hold the records/],
    ["one", "holdout", /does not hold the records/],
    ["one", "text", /does not hold the records/],
    ["one", "unfinished", /does not hold the records/],
    ["one", "bytes", /does not hold the records/],
    ["one", "gap", /does not hold the records|end with step/],
    ["one", "name", /does not hold the records/],
    ["tuned", "tuned-seed", /does not hold the records/],
    ["tuned", "one", /does not hold the records/],
    ["microgpt", "microgpt-seed", /does not hold the records/],
    ["holdout", "holdout-seed", /does not hold the records/],
    ["holdout", "one", /does not hold the records/],
    [
      "one",
      "short",
      /short\.jsonl end with step 29, but \S+one\.safetensors continues with step 40: name another file/,
    ],
    ["one", "torn", /end with step 38, but/],
  ])("that of %s and %s", async (model, records, message) => {
    const before = readFileSync(at(`${records}.jsonl`));
    for (const engine of ["node", "xs"]) {
      const options = ["--engine", engine, "--resume", at(`${model}.safetensors`), "--save", at("new")];
      const { code, stdout, stderr } = await train(...options, "--jsonl", at(`${records}.jsonl`));
      expect(stderr).toMatch(/^esp32gpt: [^\n]+\n$/);
      expect(stderr).toMatch(message);
      expect([code, stdout, existsSync(at("new"))]).toEqual([2, "", false]);
      expect(readFileSync(at(`${records}.jsonl`)).equals(before)).toBe(true);
    }
  });

  test("is left as it is when the training is refused", async () => {
    const before = readFileSync(at("one.jsonl"));
    for (const options of [
      ["--seed", "9"],
      ["--batch-size", "3"],
      ["--data", "data/names.txt"],
    ]) {
      const { code } = await train("--resume", at("one.safetensors"), "--jsonl", at("one.jsonl"), ...options);
      expect(code).toBe(2);
      expect(readFileSync(at("one.jsonl")).equals(before)).toBe(true);
    }
  });

  test("a run of given weights is resumed with its records", async () => {
    const begin = ["--init", at("seed.safetensors"), "--jsonl", at("init.jsonl"), "--save", at("init.safetensors")];
    expect(await train(...steps, "--preset", "esp32gpt", "--batch-size", "3", ...begin)).toMatchObject({ code: 0 });
    const resumed = await train("--resume", at("init.safetensors"), "--jsonl", at("init.jsonl"));
    expect(resumed.code).toBe(0);
    expect(linesOf("init.jsonl")).toHaveLength(41);
  });

  test("a pipe begins at the step", async () => {
    copyFileSync(at("one.safetensors"), at("goes-on.safetensors"));
    makePipe(at("pipe"));
    const more = ["--resume", at("goes-on.safetensors"), "--steps", "45"].join(" ");
    const command = `cat ${at("pipe")} & $E train --samples 0 --data ${at("names")} ${more} --jsonl ${at("pipe")} >&2; wait`;
    const env = { ...process.env, E: `${process.execPath} bin/esp32gpt.js` };
    const { stdout } = await outcomeOf(spawn("bash", ["-c", command], { cwd: ROOT, env }));
    expect(stdout.trimEnd().split("\n")).toHaveLength(45);
  });
});

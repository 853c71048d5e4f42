import { writeFileSync } from "node:fs";
import { Dataset } from "../src/gpt/data/dataset";
import { DEFAULT_MODEL, type PresetName } from "../src/gpt/model/config";
import { Holdout } from "../src/gpt/training/holdout";
import { Model } from "../src/gpt/model/model";
import { Random } from "../src/gpt/model/random";
import { Trainer } from "../src/gpt/training/trainer";
import { typescriptOps } from "../src/gpt/model/typescript-ops";
import { reportTooLong } from "../src/gpt/training/list-remarks";
import { utf8 } from "./helpers";
import { esp32gpt, temporaryFolder } from "./support/cli";
import { MemoryPlatform } from "./support/memory-platform";
import { TestDevice } from "./support/test-device";

/* Names that are too long for the model teach nothing: that is said before the first step. */

const at = temporaryFolder();

/** Names of these lengths. */
function namesOf(lengths: readonly number[]): string[] {
  return lengths.map((length, i) => "abcdefghij"[i % 10].repeat(length - 1) + "klmnopqrst"[Math.floor(i / 10) % 10]);
}

const many = (count: number, length: number): number[] => Array.from({ length: count }, () => length);

async function told(
  names: readonly string[],
  blockSize = 16,
  preset: PresetName = "esp32gpt",
  batchSize = 1,
): Promise<string[]> {
  const platform = new MemoryPlatform(utf8(names.join("\n")));
  const dataset = new Dataset(platform.names, "names.txt");
  const shape = { ...DEFAULT_MODEL, preset, blockSize, nEmbd: 4, nHead: 1, vocabularySize: dataset.vocabulary.size };
  const model = new Model(shape, typescriptOps("f32"), dataset.vocabulary);
  const config = { steps: 1, batchSize, learningRate: 0.01, sampling: "random", holdout: 0 } as const;
  const trainer = new Trainer(model, dataset, new Random(1), config);
  await platform.settle(reportTooLong(trainer, platform.runner, platform.emit));
  return platform.of("remark").map(({ message }) => message);
}

describe("it says", () => {
  test("how many, and which block_size takes 99 % and all", async () => {
    expect(await told(namesOf([...many(100, 5), ...many(890, 30), ...many(10, 41)]))).toEqual([
      "900 of 1000 names (90 %) are too long for block_size 16, which takes 15 characters: each one drawn is " +
        "passed over, and its step teaches nothing. block_size 31 takes 99 %, 42 takes all of them.",
    ]);
  });

  test.each<[string, number[], RegExp]>([
    [
      "fewer than 1 %",
      [...many(1995, 5), ...many(5, 20)],
      /^5 of 2000 names \(0\.3 %\) .* block_size 21 takes all of them\.$/,
    ],
    ["one of very many", [...many(1999, 15), 16], /^1 of 2000 names \(less than 0\.1 %\) .* block_size 17 takes all/],
    ["a hundredth and one", [...many(989, 15), ...many(11, 30)], /nothing\. block_size 31 takes all of them\.$/],
    ["just a hundredth", [...many(990, 15), ...many(10, 30)], /nothing\. block_size 31 takes all of them\.$/],
    [
      "one that no block_size takes",
      [...many(197, 5), 20, 20, 4096],
      /nothing\. block_size 21 takes 99 %; the longest has 4096\.$/,
    ],
    ["many that none takes", [5, ...many(100, 5000)], /nothing\. The longest has 5000\.$/],
    ["99 % that are very long", [5, ...many(198, 1200), 2000], /nothing\. block_size 2001 takes all of them\.$/],
    ["99 % at the end of what is counted apart", [5, ...many(198, 1022), 2000], /block_size 1023 takes 99 %, 2001/],
    ["a longest at that end", [5, ...many(198, 1023)], /nothing\. block_size 1024 takes all of them\.$/],
  ])("%s", async (_what, lengths, expected) => {
    expect(await told(namesOf(lengths))).toEqual([expect.stringMatching(expected)]);
  });

  test("of a batch, that it is smaller", async () => {
    expect(await told(namesOf([5, 20]), 16, "tuned", 8)).toEqual([
      expect.stringContaining("its batch is one name smaller"),
    ]);
  });

  test("characters, not bytes, and counts spaces inside", async () => {
    expect(await told(["é".repeat(15), "日本 語".repeat(4), "a"])).toEqual([
      expect.stringMatching(/^1 of 3 names .* block_size 17 /),
    ]);
  });

  test("nothing where all fit, or where long ones are cut", async () => {
    expect(await told(namesOf(many(20, 15)))).toEqual([]);
    expect(await told(namesOf([5, 200]), 16, "microgpt")).toEqual([]);
  });

  test("the same of a list of which the index has not every name", async () => {
    const lengths = Array.from({ length: 5000 }, (_, i) => 1 + ((i * 7) % 40));
    const tooLong = lengths.filter((length) => length > 15).length;
    const [message] = await told(namesOf(lengths));
    expect(message).toMatch(new RegExp(`^${tooLong} of 5000 names .* block_size 41 takes all of them\\.$`));
  });
});

test("a device says it when it starts, before the first step, and goes on", async () => {
  const device = new TestDevice({ steps: 40 }, undefined, { names: namesOf([4, 5, 6, 20, 30]) });
  await device.live();
  const said = device.take();
  const place = said.indexOf("2 of 5 names (40 %) are too long for block_size 16");
  expect(place).toBeGreaterThanOrEqual(0);
  expect(place).toBeLessThan(said.indexOf("step    0/40"));
  expect(said).toContain("=== Done ===");
});

describe.each(["node", "xs"])("the command line on %s", (engine) => {
  const list = at(`list-${engine}.txt`);
  const train = (...options: string[]): ReturnType<typeof esp32gpt> =>
    esp32gpt("train", "--engine", engine, "--data", list, "--samples", "0", ...options);

  test("says it, and trains", async () => {
    writeFileSync(list, namesOf([...many(10, 5), ...many(90, 20)]).join("\n"));
    const { code, stdout, stderr } = await train("--steps", "20");
    expect([code, stderr]).toEqual([
      0,
      "esp32gpt: 90 of 100 names (90 %) are too long for block_size 16, which takes 15 characters: each one drawn " +
        "is passed over, and its step teaches nothing. block_size 21 takes all of them.\n",
    ]);
    expect(stdout).toContain("=== Done ===");
    expect((await train("--steps", "20", "--block-size", "21")).stderr).toBe("");
  });

  test("refuses a list of which nothing fits, and a holdout that leaves nothing that does", async () => {
    writeFileSync(list, namesOf(many(100, 20)).join("\n"));
    expect(await train()).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/has no name that fits block_size 16/) as string,
    });
    expect(await train("--holdout", "10")).toMatchObject({ code: 2 });
    // All that fits is one name: it is on one side.
    writeFileSync(list, namesOf([5, ...many(100, 20)]).join("\n"));
    const [trained, heldOut] = await Promise.all(
      ["0.001", "90"].map((percent) => train("--steps", "4", "--holdout", percent)),
    );
    expect([trained.code, heldOut.code]).toEqual([2, 2]);
    expect(trained.stderr).toMatch(
      /leaves no name to validate with: of 101 names in the dataset only 1 fits the block_size\.\n$/,
    );
    expect(heldOut.stderr).toMatch(
      /leaves no name to train on: of 101 names in the dataset only 1 fits the block_size\.\n$/,
    );
  });

  test("says when no name that is held out fits", async () => {
    const short = namesOf(many(100, 5));
    const dataset = new Dataset(utf8(short.join("\n")), "names.txt");
    const holdout = new Holdout(dataset, 10);
    const trained = short.filter((_, i) => !holdout.has(i));
    expect(trained.length).toBeLessThan(100);
    writeFileSync(list, [...trained, ...namesOf(many(200, 20))].join("\n"));
    const { code, stdout, stderr } = await train("--steps", "4", "--holdout", "10");
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/\nesp32gpt: All names held out are too long as well: there is no validation loss\.\n$/),
    ]);
    expect(stdout).not.toContain("validation");
    expect(await train("--steps", "4", "--holdout", "10", "--keep-best", at(`best-${engine}`))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--keep-best needs a validation loss") as string,
    });
  });

  test("says that names that are equal are the reason why a holdout leaves nothing", async () => {
    writeFileSync(list, "anna\n".repeat(1000));
    const { code, stderr } = await train("--holdout", "10");
    expect([code, stderr]).toEqual([
      2,
      "esp32gpt: A holdout of 10 % leaves no name to validate with: the dataset has 1000 names, but only 1 different " +
        "one, and equal names stay together.\n",
    ]);
  });
});

import { readFileSync } from "node:fs";
import { DEFAULT_MODEL, type ModelConfig, PRESETS } from "../src/gpt/model/config";
import { Dataset } from "../src/gpt/data/dataset";
import { Holdout } from "../src/gpt/training/holdout";
import { BOS } from "../src/gpt/data/vocabulary";
import { forward } from "../src/gpt/model/forward";
import { Generator } from "../src/gpt/model/generate";
import { Model } from "../src/gpt/model/model";
import { drawParameters } from "../src/gpt/model/parameters";
import { Random } from "../src/gpt/model/random";
import { Trainer } from "../src/gpt/training/trainer";
import { typescriptOps } from "../src/gpt/model/typescript-ops";
import { SampleStatistics } from "../src/jobs/sample-statistics";
import type { EvaluatedEvent } from "../src/gpt/training/events";
import { type EvaluateJob, runJob } from "../src/jobs/job";
import { saveCheckpoint } from "../src/gpt/checkpoint/saving";
import { datasetOf, drawnModel, mean, NAMES_FILE, tokensOf, utf8 } from "./helpers";
import { esp32gpt, temporaryFolder } from "./support/cli";
import { MemoryPlatform } from "./support/memory-platform";
import { MemoryStorage } from "./support/memory-storage";
import { realRunner } from "./support/runner";

const at = temporaryFolder();

const JOB: EvaluateJob = { command: "eval", dtype: "f64", model: "m", wanted: {}, holdout: 0, samples: 0, seed: 42 };

/** Short enough that names repeat and some of the data come out, and that others of the data do not fit. */
const LATIN = readFileSync(NAMES_FILE, "utf8").trim().split("\n").slice(0, 400);
/** With spaces inside, characters of one to four bytes, and a name that comes twice. */
const OTHERS = [
  "o é",
  "é o",
  "日本",
  "本",
  "日 本",
  "oo",
  "😀o",
  "o😀😀",
  "oo",
  "é",
  "本本本 日日 oo",
  "o o o",
  "éé😀",
];

/** A model that has learnt a little of a list, saved as "m". */
async function trained(
  names: string[],
  config: Partial<ModelConfig>,
  steps = 400,
): Promise<{ model: Model; storage: MemoryStorage; dataset: Dataset }> {
  const dataset = new Dataset(utf8(names.join("\n")), "names.txt");
  const { vocabulary } = dataset;
  const shape = { ...DEFAULT_MODEL, nEmbd: 8, nHead: 2, ...config, vocabularySize: vocabulary.size };
  const model = new Model(shape, typescriptOps("f64"), vocabulary);
  const random = new Random(1);
  drawParameters(model.parameters, random, shape, model.ops);
  const training = { steps, batchSize: 1, learningRate: 0.02, sampling: "random" as const, holdout: 0 };
  const trainer = new Trainer(model, dataset, random, training);
  for (let step = 0; step < steps; step++) trainer.step();
  const storage = new MemoryStorage();
  await saveCheckpoint(realRunner(), storage, "m", { model, step: steps });
  return { model, storage, dataset };
}

async function evaluate(names: string[], storage: MemoryStorage, job: Partial<EvaluateJob>): Promise<MemoryPlatform> {
  const platform = new MemoryPlatform(utf8(names.join("\n")), storage);
  await platform.settle(runJob({ ...JOB, ...job }, platform));
  return platform;
}

function eventOf(platform: MemoryPlatform): EvaluatedEvent {
  expect(platform.of("error")).toEqual([]);
  const events = platform.of("evaluated");
  expect(events).toHaveLength(1);
  return events[0];
}

/** -ln p of each token that is to be predicted, as the logits have it; none for a name that is passed over. */
function tokenLosses(model: Model, name: string): number[] {
  const { blockSize, preset } = model.config;
  const tokens = [BOS, ...Array.from(name, (letter) => model.vocabulary.tokenOf(letter.codePointAt(0) ?? 0)), BOS];
  if (tokens.length - 1 > blockSize && !PRESETS[preset].cutsLongNames) return [];
  const rows = Math.min(tokens.length - 1, blockSize);
  forward(model, Uint8Array.from(tokens), 0, rows);
  return Array.from({ length: rows }, (_, t) => {
    const logits = [...model.logits[t]];
    return Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0)) - logits[tokens[t + 1]];
  });
}

function total(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

describe.each<[string, string[], Partial<ModelConfig>]>([
  ["esp32gpt, some names too long", LATIN, { blockSize: 7 }],
  ["microgpt, some names cut", LATIN, { preset: "microgpt", blockSize: 6 }],
  ["tuned", LATIN, { preset: "tuned" }],
  ["other alphabets", OTHERS, { blockSize: 5 }],
  ["other alphabets, cut", OTHERS, { preset: "microgpt", blockSize: 3 }],
])("%s", (_what, names, config) => {
  let place: Awaited<ReturnType<typeof trained>>;

  beforeAll(async () => {
    place = await trained(names, config);
  });

  test.each([0, 30])("the losses, with a holdout of %d percent", async (percent) => {
    const { model, storage, dataset } = place;
    const holdout = percent > 0 ? new Holdout(dataset, percent) : undefined;
    const wanted = names.filter((_, i) => holdout?.has(i) ?? true);
    const losses = wanted.map((name) => tokenLosses(model, name));
    const measured = losses.filter((each) => each.length > 0);
    const sum = total(losses.flat());
    const tokens = losses.flat().length;
    // The block's last row is of a character where the name goes on behind it.
    const characters = total(
      wanted.map((name, i) => Math.min(Array.from(name).length, losses[i].length)), //
    );
    const event = eventOf(await evaluate(names, storage, { holdout: percent }));
    expect(event).toEqual({
      type: "evaluated",
      loss: expect.closeTo(mean(measured.map(mean)), 10) as number,
      names: measured.length,
      passedOver: wanted.length - measured.length,
      tokens,
      natsPerToken: expect.closeTo(sum / tokens, 10) as number,
      bitsPerCharacter: expect.closeTo(sum / Math.log(2) / characters, 10) as number,
    });
    if (percent > 0) expect(wanted.length).toBeLessThan(names.length / 2);
  });

  test.each([
    [1, 0.8, 42],
    [700, 0.7, 5],
    [700, 1.5, 42],
    [50, 0, 42],
  ])("%d names at temperature %d, seed %d", async (samples, temperature, seed) => {
    const { model, storage } = place;
    const generator = new Generator(model, new Random(seed));
    const written = Array.from({ length: samples }, () => generator.name(temperature));
    const known = new Set(names);
    const { blockSize, preset } = model.config;
    const seen = names.map((name) => Array.from(name)).filter((letters) => letters.length < blockSize);
    if (PRESETS[preset].cutsLongNames)
      for (const name of names)
        if (Array.from(name).length >= blockSize) seen.push(Array.from(name).slice(0, blockSize));
    const lists = written.map((name) => Array.from(name));
    const event = eventOf(await evaluate(names, storage, { samples, temperature, seed }));
    expect(event.written).toEqual({
      count: samples,
      temperature,
      newShare: expect.closeTo(
        written.filter((name) => name !== "" && !known.has(name)).length / samples,
        10,
      ) as number,
      emptyShare: expect.closeTo(written.filter((name) => name === "").length / samples, 10) as number,
      duplicateShare: expect.closeTo(1 - new Set(written).size / samples, 10) as number,
      length: lengths(lists),
      dataLength: lengths(seen),
      letterDistance: expect.closeTo(distance(lists.flat(), seen.flat()), 10) as number,
    });
  });
});

function lengths(lists: string[][]): unknown {
  const all = lists.map(({ length }) => length);
  const deviation = Math.sqrt(mean(all.map((length) => (length - mean(all)) ** 2)));
  return { mean: expect.closeTo(mean(all), 10) as number, deviation: expect.closeTo(deviation, 7) as number };
}

/** The most that the two can differ on any set of characters, which is what total variation distance means. */
function distance(a: string[], b: string[]): number {
  if (a.length === 0) return 1;
  const share = (list: string[], letter: string): number =>
    list.filter((other) => other === letter).length / list.length;
  return total([...new Set([...a, ...b])].map((letter) => Math.max(0, share(a, letter) - share(b, letter))));
}

describe("the comparison", () => {
  const model = drawnModel({ blockSize: 8 });
  const compared = (data: string[], written: string[]): SampleStatistics["result"] => {
    const comparison = new SampleStatistics(model, datasetOf(...data), written.length, 1);
    for (const [i, name] of written.entries())
      expect(comparison.add(tokensOf(name), name.length)).toBe(i + 1 < written.length);
    while (comparison.work());
    return comparison.result;
  };

  test("of the data with itself finds nothing new and no distance", () => {
    expect(compared(["ann", "bob", "eve"], ["eve", "ann", "bob"])).toEqual({
      count: 3,
      temperature: 1,
      newShare: 0,
      emptyShare: 0,
      duplicateShare: 0,
      length: { mean: 3, deviation: 0 },
      dataLength: { mean: 3, deviation: 0 },
      letterDistance: 0,
    });
  });

  test("counts a name that comes thrice as known thrice and written before twice, also if the data has it twice", () => {
    expect(compared(["ann", "bob", "ann"], ["ann", "ann", "ann", "zoe"])).toMatchObject({
      newShare: 0.25,
      duplicateShare: 0.5,
    });
  });

  test("takes no prefix for the name, and no name for its prefix", () => {
    expect(compared(["annabel", "jo"], ["ann", "joan"]).newShare).toBe(1);
  });

  test("counts empty names as empty, not as new", () => {
    expect(compared(["ann", "bob"], ["", "zoe", "ann", ""])).toMatchObject({ newShare: 0.25, emptyShare: 0.5 });
  });

  test("of nothing but empty names", () => {
    expect(compared(["ann", "bob"], ["", ""])).toMatchObject({
      newShare: 0,
      emptyShare: 1,
      duplicateShare: 0.5,
      length: { mean: 0, deviation: 0 },
      letterDistance: 1,
    });
  });

  test("of letters that have nothing in common", () => {
    expect(compared(["ab", "ba"], ["cd"]).letterDistance).toBe(1);
  });
});

describe("in between", () => {
  test("progress goes to the last of all names, written and compared", async () => {
    const { storage } = await trained(LATIN, {}, 5);
    const progress = (await evaluate(LATIN, storage, { samples: 50, holdout: 20 })).of("progress");
    expect(progress.map(({ done }) => done)).toEqual([100, 200, 300, 400, 500, 600, 700, 800, 850]);
    expect(new Set(progress.map(({ total: all }) => all))).toEqual(new Set([850]));
  });

  test("it can be stopped among a million names, and tells nothing then", async () => {
    const { storage } = await trained(LATIN, {}, 5);
    const platform = new MemoryPlatform(utf8(LATIN.join("\n")), storage, 50);
    const job = platform.settle(runJob({ ...JOB, samples: 1e6 }, platform));
    while (!platform.of("progress").some(({ done }) => done > LATIN.length)) await new Promise(setImmediate);
    platform.runner.stop();
    expect(await job).toBe("stopped");
    expect(platform.of("evaluated")).toEqual([]);
    expect(platform.log).toBe("");
  });
});

test.each<[Partial<EvaluateJob>, RegExp]>([
  [{ samples: -1 }, /^samples must be .* 0 to 1000000/],
  [{ samples: 1e7 }, /^samples/],
  [{ holdout: 91 }, /^holdout must be a number from 0 to 90/],
  [{ holdout: NaN }, /^holdout/],
  [{ holdout: 1e-6 }, /leaves no name to validate with/],
  [{ temperature: -1, samples: 1 }, /^temperature/],
  [{ seed: 0 }, /^The seed/],
])("%j is refused in one sentence", async (job, message) => {
  const { storage } = await trained(LATIN, {}, 1);
  const platform = await evaluate(LATIN, storage, job);
  expect(platform.of("error").map((event) => event.message)).toEqual([expect.stringMatching(message)]);
  expect(platform.log).toBe("");
});

test("when none of the names held out fits, it says so", async () => {
  const names = [...LATIN.filter(({ length }) => length > 6), "ann"];
  const { storage, dataset } = await trained(names, { blockSize: 5 }, 1);
  const holdout = new Holdout(dataset, 10);
  const out = names.filter((_, i) => holdout.has(i));
  expect(out).not.toContain("ann");
  const [{ message }] = (await evaluate(names, storage, { holdout: 10 })).of("error");
  expect(message).toBe(`None of the ${out.length} names held out fits block_size 5: hold out more of names.txt.`);
});

describe("the command line", () => {
  beforeAll(async () => {
    const options = `train --steps 300 --samples 0 --holdout 10 --save ${at("model")}`;
    expect(await esp32gpt(...options.split(" "))).toMatchObject({ code: 0, stderr: "" });
  });

  const evaluated = (options: string): ReturnType<typeof esp32gpt> =>
    esp32gpt("eval", "--model", at("model"), ...options.split(" "));

  test("prints the mean loss as ever, and one table", async () => {
    const { code, stdout, stderr } = await evaluated("--holdout 10 --samples 200 --temperature 0.5 --seed 3");
    expect([code, stderr]).toEqual([0, ""]);
    const event = eventOf(
      await evaluate(
        readFileSync(NAMES_FILE, "utf8").trim().split("\n"),
        new MemoryStorage({ m: readFileSync(at("model")) }),
        { dtype: "f32", holdout: 10, samples: 200, temperature: 0.5, seed: 3 },
      ),
    );
    const { loss, names, passedOver, tokens, natsPerToken, bitsPerCharacter, written } = event;
    if (!written) throw new Error("No names were written.");
    const { newShare, emptyShare, duplicateShare, length, dataLength, letterDistance } = written;
    const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
    const remark = passedOver > 0 ? ` (${passedOver} too long, passed over)` : "";
    expect(stdout.startsWith(`Mean loss: ${loss.toFixed(4)} over ${names} names${remark}\n`)).toBe(true);
    expect(
      stdout
        .split("\n")
        .slice(1)
        .map((line) => line.replace(/ {2,}/g, " | ")),
    ).toEqual([
      `nats per token | ${natsPerToken.toFixed(4)}`,
      `bits per character | ${bitsPerCharacter.toFixed(4)}`,
      `names | ${names}`,
      `tokens | ${tokens}`,
      "names written | 200 | temperature 0.5",
      ` | new | ${percent(newShare)} | not in the dataset`,
      ` | empty | ${percent(emptyShare)} | without a character`,
      ` | duplicates | ${percent(duplicateShare)} | written before`,
      ` | length | ${length.mean.toFixed(2)} ± ${length.deviation.toFixed(2)} | ` +
        `characters; in the dataset ${dataLength.mean.toFixed(2)} ± ${dataLength.deviation.toFixed(2)}`,
      ` | letters | ${letterDistance.toFixed(4)} | distance from the dataset's: 0 the same, 1 none in common`,
      "",
    ]);
    expect(names).toBeGreaterThan(3000);
    expect(names).toBeLessThan(3500);
  });

  test("says the same on XS, with a thousand names in the device's memory", async () => {
    const options = "--holdout 2 --any-holdout --samples 1000";
    const xs = await evaluated(`${options} --engine xs --ops typescript`);
    expect(xs).toMatchObject({ code: 0, stderr: "" });
    expect(xs).toEqual(await evaluated(options));
  });
});

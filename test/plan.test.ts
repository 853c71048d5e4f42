import { CHIPS } from "../src/places/chips";
import { DEFAULT_MODEL, DEFAULT_TRAINING, type ModelConfig } from "../src/gpt/model/config";
import { Model } from "../src/gpt/model/model";
import type { Dtype, Ops } from "../src/gpt/model/ops";
import { parameterLayout } from "../src/gpt/model/parameters";
import {
  besideCommands,
  checkMemory,
  COMMANDS_BYTES,
  CREATION,
  fits,
  largestEmbedding,
  chipOps,
  planMemory,
  type TrainingToPlan,
} from "../src/gpt/plan";
import { Random } from "../src/gpt/model/random";
import { Trainer } from "../src/gpt/training/trainer";
import { typescriptOps } from "../src/gpt/model/typescript-ops";
import { vocabularyBytes } from "../src/gpt/data/vocabulary";
import { shippedNames } from "./helpers";
import { esp32gpt, newFolder, temporaryFolder } from "./support/cli";
import { BoardSession } from "./support/board-session";
import { makes32Bits } from "./support/xs";
import { skipUnless } from "./support/skipping";

const at = temporaryFolder();

const CONFIGS: Partial<ModelConfig>[] = [
  {},
  { preset: "microgpt" },
  { nLayer: 2 },
  { nEmbd: 32 },
  { nLayer: 4, nEmbd: 24, nHead: 3, blockSize: 12 },
];

test("the default model: 67,072 bytes of parameters, gradients and moments, below 30,000 of the rest", () => {
  const { buffers, bufferBytes } = planMemory(DEFAULT_MODEL);
  const bytes = Object.fromEntries(buffers.map((buffer) => [buffer.name, buffer.bytes]));
  expect(bytes.parameters + bytes.gradients + bytes["adam.m"] + bytes["adam.v"]).toBe(67072);
  expect(bytes.activations + bytes["gradients between ops"] + bytes["line index"]).toBeLessThan(30000);
  expect(bufferBytes).toBeLessThan(100000);
});

const TRAININGS = [{}, { moments: "bf16" }, { moments: "bf16", batchSize: 8 }] as const;

test.each(CONFIGS.flatMap((wanted) => TRAININGS.map((training) => [wanted, training] as const)))(
  "every buffer of %p trained with %p is in the plan, with its size",
  (wanted, training) => {
    const config = { ...DEFAULT_MODEL, ...wanted };
    const dataset = shippedNames();
    // Those of a chip would update at once, which no step here does.
    const ops = { ...typescriptOps("f32"), canUpdate: chipOps().canUpdate };
    const buffers = new Set<ArrayBufferLike>();
    const watched: Ops = {
      ...ops,
      view(floats, offset, length) {
        buffers.add(floats.buffer);
        return ops.view(floats, offset, length);
      },
    };
    new Trainer(new Model(config, watched), dataset, new Random(42), { ...DEFAULT_TRAINING, ...training });
    const allocated = [...buffers]
      .filter(({ byteLength }) => byteLength > 0)
      .map(({ byteLength }) => byteLength)
      .concat(dataset.indexBytes, vocabularyBytes(config.vocabularySize));
    const planned = planMemory(config, { indexBytes: dataset.indexBytes, ops, training }).buffers.map(
      ({ bytes }) => bytes,
    );
    expect(allocated.sort()).toEqual(planned.sort());
  },
);

test("parts add up to their buffers", () => {
  for (const { bytes, parts } of planMemory(DEFAULT_MODEL).buffers)
    if (parts) expect(parts.reduce((sum, part) => sum + part.bytes, 0)).toBe(bytes);
});

test.each(CHIPS)("the largest n_embd that fits $name is the largest", ({ memory }) => {
  const largest = largestEmbedding(DEFAULT_MODEL, memory);
  if (largest === undefined) throw new Error("nothing fits");
  expect(fits(planMemory({ ...DEFAULT_MODEL, nEmbd: largest }), memory)).toBe(true);
  expect(fits(planMemory({ ...DEFAULT_MODEL, nEmbd: largest + 4 }), memory)).toBe(false);
});

test("what does not fit is refused, with what would", () => {
  const memory = CHIPS[0].memory;
  const check = (wanted: Partial<ModelConfig>): void =>
    checkMemory({ ...DEFAULT_MODEL, ...wanted }, memory, { indexBytes: 4036 });
  expect(() => check({})).not.toThrow();
  expect(() => check({ nEmbd: 64 })).toThrow(/needs \d+ bytes.*n_embd \d+ would fit/);
  expect(() => check({ nLayer: 64 })).toThrow(/n_embd \d+ would fit|fewer layers/);
});

test("a machine that is running takes what its first chunks have no room for in pieces that must be free", () => {
  const config = { ...DEFAULT_MODEL, nEmbd: 24 };
  const { total, chunks, largestGrowth } = planMemory(config, { indexBytes: 4036 });
  expect(largestGrowth).toBeGreaterThan(0);
  expect(chunks).toBeGreaterThanOrEqual(CREATION.chunks + largestGrowth);
  const memory = { total, largestPiece: largestGrowth };
  expect(() => checkMemory(config, memory, { indexBytes: 4036 })).not.toThrow();
  expect(() => checkMemory(config, { ...memory, largestPiece: largestGrowth - 1 }, { indexBytes: 4036 })).toThrow(
    /n_embd \d+ would fit/,
  );
  expect(() => checkMemory(config, { ...memory, total: total - 1 }, { indexBytes: 4036 })).toThrow(
    /n_embd \d+ would fit/,
  );
});

test("a buffer that the first chunks have no room for takes a block of its size and its header, rounded up", () => {
  const growthsWith = (indexBytes: number): readonly number[] => planMemory(DEFAULT_MODEL, { indexBytes }).growths;
  const growths = growthsWith(10 * 1024 - 16);
  expect(growths[0]).toBe(10 * 1024 + 16);
  expect(growthsWith(10 * 1024 - 15)[0]).toBe(11 * 1024 + 16);
  expect(growthsWith(100)).toEqual(growths.slice(1));
  const { chunks, largestGrowth } = planMemory(DEFAULT_MODEL, { indexBytes: 10 * 1024 - 16 });
  expect(chunks).toBe(growths.reduce((sum, growth) => sum + growth, CREATION.chunks));
  expect(largestGrowth).toBe(Math.max(...growths));
});

test("every block of the machine needs a piece, in the order of malloc", () => {
  const plan = planMemory(DEFAULT_MODEL);
  const blocks = [CREATION.chunks + 16, plan.stack, plan.slots, ...plan.growths].map((bytes) => bytes + 16);
  const sum = blocks.reduce((all, bytes) => all + bytes, 0);
  const roomy = { total: 2 * plan.total, largestPiece: plan.total };
  expect(fits(plan, { ...roomy, pieces: [sum] })).toBe(true);
  expect(fits(plan, { ...roomy, pieces: [sum - 1] })).toBe(false);
  expect(fits(plan, { ...roomy, pieces: blocks })).toBe(true);
  // The first block takes the first piece with room for it, even if another would fit it better.
  const largest = Math.max(...blocks);
  expect(fits(plan, { ...roomy, pieces: [largest, ...blocks.filter((bytes) => bytes !== largest)] })).toBe(false);
});

test("a model whose buffers do not fit the pieces of an ESP32 is refused, though their sum would", () => {
  const { total, pieces = [] } = CHIPS[0].memory;
  const config = { ...DEFAULT_MODEL, nEmbd: 24 };
  const { growths, largestGrowth } = planMemory(config);
  const scattered = {
    total,
    largestPiece: largestGrowth,
    pieces: pieces.flatMap((bytes) => Array.from({ length: 8 }, () => bytes / 8)),
  };
  expect(largestGrowth).toBeGreaterThan(Math.max(...scattered.pieces));
  expect(growths.length).toBeGreaterThan(4);
  expect(fits(planMemory(config), scattered)).toBe(false);
  expect(() => checkMemory(config, scattered, { indexBytes: 4036 })).toThrow(
    /in pieces of [\d, .]+: (choose fewer layers|n_embd \d+)/,
  );
});

test("a chip with a console keeps something for its commands", () => {
  const plan = planMemory(DEFAULT_MODEL);
  const memory = { total: plan.total + COMMANDS_BYTES, largestPiece: plan.total };
  expect(fits(plan, memory)).toBe(true);
  expect(fits(plan, { ...memory, total: memory.total - 1 })).toBe(false);
  expect(besideCommands(memory).total).toBe(plan.total);
});

test.each<TrainingToPlan["training"]>([{ batchSize: 0 }, { batchSize: -8 }, { batchSize: 2.5 }])(
  "no training with %p is planned",
  (training) => {
    expect(() => planMemory(DEFAULT_MODEL, { ops: chipOps("i32"), training })).toThrow(/^batch_size must be/);
  },
);

test("the dataset's own line index is counted", () => {
  const config = { ...DEFAULT_MODEL, nEmbd: 24 };
  const { total, largestGrowth } = planMemory(config, { indexBytes: 0 });
  const memory = { total, largestPiece: largestGrowth };
  expect(() => checkMemory(config, memory, { indexBytes: 0 })).not.toThrow();
  expect(() => checkMemory(config, memory, { indexBytes: 200_000 })).toThrow(/This model needs/);
});

test("esp32gpt plan prints the sum, and the same as JSON", async () => {
  const { stdout, code } = await esp32gpt("plan", "--n-embd", "24");
  const json = await esp32gpt("plan", "--n-embd", "24", "--json");
  const { total, chips } = JSON.parse(json.stdout) as {
    total: number;
    chips: { name: string; dtype: Dtype; fits: boolean }[];
  };
  expect(code).toBe(0);
  expect(total).toBe(planMemory({ ...DEFAULT_MODEL, nEmbd: 24 }).total);
  expect(stdout).toContain(total.toLocaleString("en-US"));
  expect(chips.map(({ name, dtype }) => [name, dtype])).toEqual(CHIPS.map(({ name, dtype }) => [name, dtype]));
});

test.each([
  // Bytes of weights, gradients and moments.
  ["f32", {}, 16],
  ["f32", { moments: "bf16", batchSize: 8 }, 12],
  ["f32", { moments: "bf16" }, 8],
  ["i32", { batchSize: 8 }, 12],
  ["i32", {}, 8],
] as const)("%s trained with %p takes %d bytes a parameter", (dtype, training, expected) => {
  const config = { ...DEFAULT_MODEL, nEmbd: 32 };
  const { buffers } = planMemory(config, { ops: chipOps(dtype), training });
  const ofParameters = buffers.filter(({ name }) => /^(parameters|gradients|adam\.[mv]|Adam's moments)$/.test(name));
  const bytes = ofParameters.reduce((sum, buffer) => sum + buffer.bytes, 0) / parameterLayout(config).length;
  // In i32 gradients have exponents too.
  expect(bytes).toBeGreaterThanOrEqual(expected);
  expect(bytes).toBeLessThan(expected + 0.01);
});

test("the largest n_embd on each chip", () => {
  const largest = (dtype: Dtype, training: TrainingToPlan["training"] = {}): (number | undefined)[] =>
    CHIPS.map(({ memory }) => largestEmbedding(DEFAULT_MODEL, memory, { ops: chipOps(dtype), training }));
  expect(largest("f32")).toEqual([24, 140, 24, 200, 20, 28]);
  expect(largest("f32", { moments: "bf16", batchSize: 8 })).toEqual([28, 160, 32, 232, 24, 32]);
  expect(largest("f32", { moments: "bf16" })).toEqual([36, 196, 36, 256, 28, 40]);
  expect(largest("i32", { batchSize: 8 })).toEqual([28, 160, 32, 232, 24, 32]);
  expect(largest("i32")).toEqual([36, 196, 36, 256, 28, 40]);
});

const on32Bits = skipUnless(makes32Bits(), "the plan against the 32-bit XS host, which needs gcc-multilib");

on32Bits.test.each([
  [""],
  ["n_layer=2"],
  ["n_layer=4 n_embd=24 n_head=3 block_size=12"],
  ["n_embd=32"],
  ["preset=microgpt"],
  ["dtype=i32 n_embd=32"],
  // The largest of an ESP32, with a batch of one and of several, and of a C3.
  ["moments=bf16 n_embd=36"],
  ["preset=tuned n_embd=28"],
  ["dtype=i32 n_embd=28"],
])(
  "a board on the 32-bit XS host that trains %p, saves and restores it has the memory of the plan",
  async (settings) => {
    const words = settings.split(" ").filter((word) => word !== "");
    const options = words.flatMap((word) => `--${word.replaceAll("_", "-")}`.split("="));
    const { total } = JSON.parse((await esp32gpt("plan", "--json", ...options)).stdout) as { total: number };
    const folder = newFolder(at("flash"));
    const simulated = ["--engine", "xs", "--xs-bits", "32", "--chip", "esp32-psram", "--stats", "--storage", folder];
    const peakOf = async (said: RegExp): Promise<number> => {
      const board = new BoardSession(...simulated, "steps=20", ...words);
      await board.until(said);
      return (await board.end())?.peak ?? NaN;
    };
    const peaks = [await peakOf(/=== Done ===/), await peakOf(/trained already/)];
    console.info(`${settings}: ${total} bytes are planned, ${peaks.join(" and ")} were taken`);
    expect(Math.max(...peaks) / total).toBeLessThan(1.01);
    expect(Math.max(...peaks) / total).toBeGreaterThan(0.92);
  },
);

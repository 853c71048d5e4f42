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
  planMemory,
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

test.each(CONFIGS)("every buffer of %p is in the plan, with its size", (wanted) => {
  const config = { ...DEFAULT_MODEL, ...wanted };
  const dataset = shippedNames();
  const ops = typescriptOps("f32");
  const buffers = new Set<ArrayBufferLike>();
  const watched: Ops = {
    ...ops,
    view(floats, offset, length) {
      buffers.add(floats.buffer);
      return ops.view(floats, offset, length);
    },
  };
  new Trainer(new Model(config, watched), dataset, new Random(42), DEFAULT_TRAINING);
  const allocated = [...buffers]
    .map(({ byteLength }) => byteLength)
    .concat(dataset.indexBytes, vocabularyBytes(config.vocabularySize));
  const planned = planMemory(config, dataset.indexBytes).buffers.map(({ bytes }) => bytes);
  expect(allocated.sort()).toEqual(planned.sort());
});

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
  const check = (wanted: Partial<ModelConfig>): void => checkMemory({ ...DEFAULT_MODEL, ...wanted }, memory, 4036);
  expect(() => check({})).not.toThrow();
  expect(() => check({ nEmbd: 64 })).toThrow(/needs \d+ bytes.*n_embd \d+ would fit/);
  expect(() => check({ nLayer: 64 })).toThrow(/n_embd \d+ would fit|fewer layers/);
});

test("a machine that is running takes what its first chunks have no room for in pieces that must be free", () => {
  const config = { ...DEFAULT_MODEL, nEmbd: 24 };
  const { total, chunks, largestGrowth } = planMemory(config, 4036);
  expect(largestGrowth).toBeGreaterThan(0);
  expect(chunks).toBeGreaterThanOrEqual(CREATION.chunks + largestGrowth);
  const memory = { total, largestPiece: largestGrowth };
  expect(() => checkMemory(config, memory, 4036)).not.toThrow();
  expect(() => checkMemory(config, { ...memory, largestPiece: largestGrowth - 1 }, 4036)).toThrow(
    /n_embd \d+ would fit/,
  );
  expect(() => checkMemory(config, { ...memory, total: total - 1 }, 4036)).toThrow(/n_embd \d+ would fit/);
});

test("a buffer that the first chunks have no room for takes a block of its size and its header, rounded up", () => {
  const growthsWith = (indexBytes: number): readonly number[] => planMemory(DEFAULT_MODEL, indexBytes).growths;
  const growths = growthsWith(10 * 1024 - 16);
  expect(growths[0]).toBe(10 * 1024 + 16);
  expect(growthsWith(10 * 1024 - 15)[0]).toBe(11 * 1024 + 16);
  expect(growthsWith(100)).toEqual(growths.slice(1));
  const { chunks, largestGrowth } = planMemory(DEFAULT_MODEL, 10 * 1024 - 16);
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
  expect(() => checkMemory(config, scattered, 4036)).toThrow(/in pieces of [\d, .]+: (choose fewer layers|n_embd \d+)/);
});

test("a chip with a console keeps something for its commands", () => {
  const plan = planMemory(DEFAULT_MODEL);
  const memory = { total: plan.total + COMMANDS_BYTES, largestPiece: plan.total };
  expect(fits(plan, memory)).toBe(true);
  expect(fits(plan, { ...memory, total: memory.total - 1 })).toBe(false);
  expect(besideCommands(memory).total).toBe(plan.total);
});

test("the dataset's own line index is counted", () => {
  const config = { ...DEFAULT_MODEL, nEmbd: 24 };
  const { total, largestGrowth } = planMemory(config, 0);
  const memory = { total, largestPiece: largestGrowth };
  expect(() => checkMemory(config, memory, 0)).not.toThrow();
  expect(() => checkMemory(config, memory, 200_000)).toThrow(/This model needs/);
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

test("i32 takes 12 bytes a parameter and not 16", () => {
  const bytes = (dtype: Dtype, nEmbd: number): number =>
    planMemory({ ...DEFAULT_MODEL, nEmbd }, 4036, dtype).bufferBytes;
  const parameters = parameterLayout({ ...DEFAULT_MODEL, nEmbd: 32 }).length;
  const saved = bytes("f32", 32) - bytes("i32", 32);
  // Less the exponents of the tensors.
  expect(saved).toBeGreaterThan(4 * parameters - 300);
  expect(saved).toBeLessThan(4 * parameters);
  const largest = (dtype: Dtype): (number | undefined)[] =>
    CHIPS.map(({ memory }) => largestEmbedding(DEFAULT_MODEL, memory, 4036, dtype));
  expect(largest("f32")).toEqual([24, 140, 24, 200, 20, 28]);
  expect(largest("i32")).toEqual([28, 160, 32, 232, 24, 32]);
});

const on32Bits = skipUnless(makes32Bits(), "the plan against the 32-bit XS host, which needs gcc-multilib");

on32Bits.test.each([
  [""],
  ["n_layer=2"],
  ["n_layer=4 n_embd=24 n_head=3 block_size=12"],
  ["n_embd=32"],
  ["preset=microgpt"],
  ["dtype=i32 n_embd=32"],
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

import { DEFAULT_MODEL, type ModelConfig } from "../src/gpt/model/config";
import { parameterLayout } from "../src/gpt/model/parameters";
import { type Box, compactPlan, planOf } from "../web/model-map/plan";

/* The drawing of a model, whatever its shape: all matrices in their blocks, beside each other, in the given width. */

const SHAPES: readonly Partial<ModelConfig>[] = [
  {},
  { nEmbd: 4, nHead: 1 },
  { preset: "tuned", nLayer: 3, nEmbd: 32, blockSize: 64 },
  { preset: "tuned", nEmbd: 64, nHead: 16, vocabularySize: 256 },
  { nEmbd: 512, nLayer: 4, blockSize: 256 },
  { mlpWidth: 1 },
  { mlpWidth: 4096, vocabularySize: 2 },
];

const isWithin = (inner: Box, outer: Box): boolean =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width &&
  inner.y + inner.height <= outer.y + outer.height;

const areApart = (a: Box, b: Box): boolean =>
  a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;

const pairs = <T>(all: readonly T[]): [T, T][] => all.flatMap((a, i) => all.slice(i + 1).map((b): [T, T] => [a, b]));

test.each(SHAPES)("%j", (shape) => {
  const config = { ...DEFAULT_MODEL, ...shape };
  for (const width of [240, 326, 700, 1169, 1170, 1214, 1600]) {
    const plan = planOf(config, config.nLayer - 1, width);
    const whole = { x: 0, y: 0, width, height: plan.height };
    const own = `layers.${config.nLayer - 1}.`;
    expect(plan.matrices.map(({ offset, rows, columns }) => [offset, rows, columns])).toEqual(
      parameterLayout(config)
        .parts.filter(({ name }) => name.startsWith(own) || !name.startsWith("layers."))
        .map(({ offset, rows, columns }) => [offset, rows, columns]),
    );
    for (const { name, slot, block, picture } of plan.matrices) {
      expect([name, isWithin(slot, plan.blocks[block])]).toEqual([name, true]);
      expect(picture.width).toBeLessThanOrEqual(slot.width);
      expect(picture.height).toBeLessThan(slot.height);
      expect(Math.min(picture.width, picture.height)).toBeGreaterThan(0);
    }
    for (const [a, b] of pairs(plan.matrices)) expect([a.name, b.name, areApart(a.slot, b.slot)]).toEqual([a.name, b.name, true]); // prettier-ignore
    const blocks = Object.values(plan.blocks);
    for (const block of [...blocks, plan.layer, plan.letters]) expect(isWithin(block, whole)).toBe(true);
    for (const [a, b] of pairs([...blocks, plan.letters])) expect(areApart(a, b)).toBe(true);
    expect(isWithin(plan.blocks.attention, plan.layer) && isWithin(plan.blocks.mlp, plan.layer)).toBe(true);
    expect(areApart(plan.blocks.embedding, plan.layer) && areApart(plan.blocks.logits, plan.layer)).toBe(true);
  }
});

test("the compact drawing has its blocks apart", () => {
  const { blocks, layer, letters, width, height } = compactPlan();
  const all = [...Object.values(blocks), letters];
  for (const box of [...all, layer]) expect(isWithin(box, { x: 0, y: 0, width, height })).toBe(true);
  for (const [a, b] of pairs(all)) expect(areApart(a, b)).toBe(true);
});

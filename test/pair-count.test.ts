import { readFileSync } from "node:fs";
import { createTrainer } from "../src/gpt/create-trainer";
import { Dataset } from "../src/gpt/data/dataset";
import type { PresetName } from "../src/gpt/model/config";
import { pairCostOf } from "./support/pair-cost";
import { PairCount } from "../web/worker/pair-count";

/* The line in the page's chart that a model of attention should get below: what counting pairs of letters costs. */

function countedIn(count: PairCount): number {
  // A clock that is always late: each call counts as little as it can.
  let calls = 0;
  while (count.count(0, () => 1)) calls++;
  return calls;
}

test.each<[string, PresetName, "names" | "tokens"]>([
  ["data/names.txt", "esp32gpt", "names"],
  ["web/lists/hiragana.txt", "tuned", "tokens"],
  ["web/lists/towns.txt", "microgpt", "names"],
])("%s, %s: in slices as at once, the cost of counted pairs by %s", (file, preset, weighs) => {
  const dataset = new Dataset(readFileSync(file), file);
  const words = readFileSync(file, "utf8").trimEnd().split("\n");
  const count = new PairCount(createTrainer({ dataset, preset }));
  expect(countedIn(count)).toBe(Math.ceil(words.length / 256) - 1);
  expect(count.loss).toBeCloseTo(pairCostOf(words, new Set(words.join("")).size, weighs), 10);
});

test("words that are held out or passed over are not counted", () => {
  const words = readFileSync("web/lists/minerals.txt", "utf8").trimEnd().split("\n");
  const dataset = Dataset.of(words);
  const options = { dataset, model: { blockSize: 9 }, training: { holdout: 20 } };
  const trainer = createTrainer(options);
  const taken = words.filter((word, i) => word.length <= 8 && !trainer.holdout?.has(i));
  expect(taken.length).toBeGreaterThan(100);
  expect(taken.length).toBeLessThan(words.length - 100);
  const count = new PairCount(trainer);
  expect(countedIn(count)).toBeGreaterThan(0);
  expect(count.loss).toBeCloseTo(pairCostOf(taken, new Set(words.join("")).size, "names"), 10);
});

test("a long word that is cut counts as far as it is trained on", () => {
  const count = new PairCount(
    createTrainer({ dataset: Dataset.of(["abab", "ab"]), preset: "microgpt", model: { blockSize: 3 } }),
  );
  expect(count.count(0, () => 1)).toBe(false);
  // Pairs of "abab": ^a, ab, ba; of "ab": ^a, ab, b$. Three tokens.
  const [start, ab, b] = [Math.log(5 / 3), Math.log(5 / 3), Math.log(5 / 2)];
  expect(count.loss).toBeCloseTo((start + ab + b) / 3, 12);
});

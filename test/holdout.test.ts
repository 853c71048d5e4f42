import { readFileSync } from "node:fs";
import fc from "fast-check";
import { Dataset } from "../src/gpt/data/dataset";
import { InputError } from "../src/gpt/base/errors";
import { EvaluationTask } from "../src/gpt/training/evaluation";
import { Holdout } from "../src/gpt/training/holdout";
import { Random } from "../src/gpt/model/random";
import { Trainer } from "../src/gpt/training/trainer";
import {
  datasetOf,
  drawnModel,
  largestDifference,
  lossOf,
  mean,
  NAMES_FILE,
  shippedNames,
  utf8,
  letterOf,
} from "./helpers";

function heldOut(holdout: Holdout, count: number): number[] {
  return Array.from({ length: count }, (_, i) => i).filter((i) => holdout.has(i));
}

/** Different names, as many as are wanted. */
function manyNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    i.toString(26).replace(/./g, (digit) => letterOf(parseInt(digit, 26) + 1)),
  );
}

const shipped = shippedNames();

test.each([1, 5, 10, 20, 50, 90])("%d percent of the names are held out, and none is on both sides", (percent) => {
  const names = readFileSync(NAMES_FILE, "utf8").trim().split("\n");
  const out = heldOut(new Holdout(shipped, percent), shipped.count);
  expect(Math.abs((100 * out.length) / shipped.count - percent)).toBeLessThan(1);
  const isOut = new Set(out);
  const measured = new Set(out.map((i) => names[i]));
  expect(names.filter((name, i) => measured.has(name) && !isOut.has(i))).toEqual([]);
});

test("a name is held out by a hash of itself: in every dataset, and from any larger holdout too", () => {
  const names = manyNames(1000);
  const of = (dataset: Dataset, percent: number): Set<number> =>
    new Set(heldOut(new Holdout(dataset, percent), dataset.count));
  const out = of(datasetOf(...names), 10);
  const reversed = of(datasetOf(...[...names].reverse()), 10);
  expect([...reversed].map((i) => 999 - i).sort((a, b) => a - b)).toEqual([...out]);
  const larger = of(datasetOf(...names), 20);
  expect([...out].filter((i) => !larger.has(i))).toEqual([]);
});

test("the hash is FNV-1a with MurmurHash3's finalizer, and Windows line ends are no part of it", () => {
  const mask = 0xffffffffn;
  const hash = (name: string): number => {
    let h = 0x811c9dc5n;
    for (const byte of utf8(name)) h = ((h ^ BigInt(byte)) * 0x01000193n) & mask;
    h = ((h ^ (h >> 16n)) * 0x85ebca6bn) & mask;
    h = ((h ^ (h >> 13n)) * 0xc2b2ae35n) & mask;
    return Number(h ^ (h >> 16n));
  };
  const names = manyNames(3000);
  const dataset = new Dataset(utf8(`\ufeff\n${names.join("\r\n\n")}`), "names.txt");
  const seen: number[] = [];
  dataset.forEachHash((value, i) => {
    expect(i).toBe(seen.length);
    seen.push(value >>> 0);
  });
  expect(seen).toEqual(names.map(hash));
  expect(names.map((_, i) => dataset.hash(i) >>> 0)).toEqual(seen);
  expect(heldOut(new Holdout(dataset, 10), 3000)).toEqual(
    names.flatMap((name, i) => (hash(name) / 2 ** 32 < 0.1 ? [i] : [])),
  );
});

test("the sample is at most 100 of the names held out, evenly spread", () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 5000 }), fc.integer({ min: 5, max: 90 }), (count, percent) => {
      const holdout = new Holdout(datasetOf(...manyNames(count)), percent);
      const all = heldOut(holdout, count);
      const sample = [...holdout.sample];
      expect(sample).toHaveLength(Math.min(100, all.length));
      const ranks = sample.map((i) => all.indexOf(i));
      const even = all.length / sample.length;
      // Of more than 800 names some are no candidates: a quarter of an even step is the most that this costs.
      const tolerance = all.length > 800 ? 1 + even / 4 : 1;
      ranks.forEach((rank, i) => expect(Math.abs(rank - i * even)).toBeLessThan(tolerance));
    }),
    { numRuns: 30 },
  );
});

test.each<["random" | "sequential"]>([["random"], ["sequential"]])("%s training draws no name held out", (sampling) => {
  const count = 60;
  const letters = "abcdefghijklmnopqrst";
  const names = Array.from({ length: count }, (_, i) => letters[i % 20] + letters[Math.floor(i / 20)]);
  const config = { steps: 300, batchSize: 1, learningRate: 0.01, sampling, holdout: 30 };
  const model = drawnModel({ nEmbd: 4, nHead: 1, blockSize: 4 });
  const trainer = new Trainer(model, datasetOf(...names), new Random(42), config);
  const drawn = new Set<number>();
  for (let step = 0; step < config.steps; step++) {
    trainer.step();
    drawn.add(trainer.documentIndex);
  }
  const out = new Set(heldOut(new Holdout(datasetOf(...names), 30), count));
  expect([...drawn].filter((i) => out.has(i))).toEqual([]);
  expect(drawn.size).toBe(count - out.size);
});

const training = { steps: 10, batchSize: 1, learningRate: 0.01, sampling: "random" as const };

/** The mean loss of the sample, as Training measures it. */
function validationLoss({ model, dataset, holdout }: Trainer): number | undefined {
  if (!holdout) return undefined;
  const evaluation = new EvaluationTask(model, dataset, holdout.sample);
  while (evaluation.work());
  return evaluation.loss;
}

describe("the validation loss", () => {
  test("is the mean loss of the sample, and changes neither parameters nor gradients", () => {
    const names = ["ann", "bob", "cat", "dora", "eve", "fay", "gil", "hal", "ida", "jo"];
    const model = drawnModel({ nEmbd: 4, nHead: 2, blockSize: 8 });
    const trainer = new Trainer(model, datasetOf(...names), new Random(42), { ...training, holdout: 40 });
    trainer.step();
    const parameters = model.parameters.slice();
    const gradients = trainer.gradients.slice();
    const loss = validationLoss(trainer);
    expect(loss).toBeCloseTo(
      mean(heldOut(new Holdout(datasetOf(...names), 40), 10).map((i) => lossOf(model, names[i]))),
      12,
    );
    expect(largestDifference(model.parameters, parameters)).toBe(0);
    expect(largestDifference(trainer.gradients, gradients)).toBe(0);
  });

  test("of fresh weights is about log 27", () => {
    const trainer = new Trainer(drawnModel(), shippedNames(), new Random(42), { ...training, holdout: 10 });
    expect(Math.abs((validationLoss(trainer) ?? 0) - Math.log(27))).toBeLessThan(0.1);
  });

  test("is not there where nothing is held out", () => {
    const trainer = new Trainer(drawnModel(), datasetOf("ann"), new Random(42), { ...training, holdout: 0 });
    expect(validationLoss(trainer)).toBeUndefined();
  });
});

test("too few names to hold some out", () => {
  const dataset = datasetOf("ann");
  const small = (): Holdout => new Holdout(dataset, 10);
  expect(small).toThrow(InputError);
  expect(small).toThrow(/10 % leaves no name to (train on|validate with): the dataset has only 1/);
  const config = { ...training, holdout: 10 };
  expect(() => new Trainer(drawnModel(), dataset, new Random(1), config)).toThrow(InputError);
});

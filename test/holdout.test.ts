import fc from "fast-check";
import { InputError } from "../src/errors";
import { Holdout } from "../src/holdout";
import { Random } from "../src/random";
import { Trainer } from "../src/trainer";
import { datasetOf, drawnModel, largestDifference, lossOf, mean, shippedNames } from "./helpers";

function heldOut(holdout: Holdout, count: number): number[] {
  return Array.from({ length: count }, (_, i) => i).filter((i) => holdout.has(i));
}

test.each([1, 5, 10, 20, 50, 90])("%d percent of the names are held out", (percent) => {
  const share = heldOut(new Holdout(32_257, percent), 32_257).length / 32_257;
  expect(Math.abs(100 * share - percent)).toBeLessThan(1);
});

test("a name is held out by a hash of its index: in every run, and from any larger holdout too", () => {
  expect(heldOut(new Holdout(100, 10), 100)).toEqual(heldOut(new Holdout(32_257, 10), 100));
  const larger = new Holdout(1000, 20);
  expect(heldOut(new Holdout(1000, 10), 1000).filter((i) => !larger.has(i))).toEqual([]);
});

test("the hash is MurmurHash3's finalizer", () => {
  const mask = 0xffffffffn;
  const hash = (index: number): number => {
    let h = BigInt(index + 1); // as the hash of 0 is 0
    h = ((h ^ (h >> 16n)) * 0x85ebca6bn) & mask;
    h = ((h ^ (h >> 13n)) * 0xc2b2ae35n) & mask;
    return Number(h ^ (h >> 16n));
  };
  const holdout = new Holdout(2000, 10);
  expect(heldOut(holdout, 2000)).toEqual(
    Array.from({ length: 2000 }, (_, i) => i).filter((i) => hash(i) / 2 ** 32 < 0.1),
  );
});

test("the sample is at most 100 of the names held out, evenly spread", () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 5000 }), fc.integer({ min: 5, max: 90 }), (count, percent) => {
      const holdout = new Holdout(count, percent);
      const all = heldOut(holdout, count);
      const sample = [...holdout.sample];
      expect(sample).toHaveLength(Math.min(100, all.length));
      const ranks = sample.map((i) => all.indexOf(i));
      const even = all.length / sample.length;
      ranks.forEach((rank, i) => expect(Math.abs(rank - i * even)).toBeLessThan(1));
    }),
    { numRuns: 30 },
  );
});

test.each<["random" | "sequential"]>([["random"], ["sequential"]])("%s training draws no name held out", (sampling) => {
  const count = 60;
  const letters = "abcdefghijklmnopqrst";
  const names = Array.from({ length: count }, (_, i) => letters[i % 20] + letters[Math.floor(i / 20)]);
  const config = { steps: 300, learningRate: 0.01, sampling, holdout: 30 };
  const model = drawnModel({ nEmbd: 4, nHead: 1, blockSize: 4 });
  const trainer = new Trainer(model, datasetOf(...names), new Random(42), config);
  const drawn = new Set<number>();
  for (let step = 0; step < config.steps; step++) {
    trainer.step();
    drawn.add(trainer.nameIndex);
  }
  const out = new Set(heldOut(new Holdout(count, 30), count));
  expect([...drawn].filter((i) => out.has(i))).toEqual([]);
  expect(drawn.size).toBe(count - out.size);
});

const training = { steps: 10, learningRate: 0.01, sampling: "random" as const };

describe("the validation loss", () => {
  test("is the mean loss of the sample, and changes neither parameters nor gradients", () => {
    const names = ["ann", "bob", "cat", "dora", "eve", "fay", "gil", "hal", "ida", "jo"];
    const model = drawnModel({ nEmbd: 4, nHead: 2, blockSize: 8 });
    const trainer = new Trainer(model, datasetOf(...names), new Random(42), { ...training, holdout: 40 });
    trainer.step();
    const parameters = model.parameters.slice();
    const gradients = trainer.gradients.slice();
    const loss = trainer.validationLoss();
    expect(loss).toBeCloseTo(mean(heldOut(new Holdout(10, 40), 10).map((i) => lossOf(model, names[i]))), 12);
    expect(largestDifference(model.parameters, parameters)).toBe(0);
    expect(largestDifference(trainer.gradients, gradients)).toBe(0);
  });

  test("of fresh weights is about log 27", () => {
    const trainer = new Trainer(drawnModel(), shippedNames(), new Random(42), { ...training, holdout: 10 });
    expect(Math.abs((trainer.validationLoss() ?? 0) - Math.log(27))).toBeLessThan(0.1);
  });

  test("is not there where nothing is held out", () => {
    const trainer = new Trainer(drawnModel(), datasetOf("ann"), new Random(42), { ...training, holdout: 0 });
    expect(trainer.validationLoss()).toBeUndefined();
  });
});

test("too few names to hold some out", () => {
  const small = (count: number, percent: number) => (): Holdout => new Holdout(count, percent);
  expect(small(1, 10)).toThrow(InputError);
  expect(small(1, 10)).toThrow(/10 % leaves no name to (train on|validate with): the dataset has only 1/);
  const dataset = datasetOf("ann");
  const config = { ...training, holdout: 10 };
  expect(() => new Trainer(drawnModel(), dataset, new Random(1), config)).toThrow(InputError);
});

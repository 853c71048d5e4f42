import fc from "fast-check";
import { InputError } from "../src/gpt/base/errors";
import { engineFunctions } from "../src/gpt/base/elementary";
import * as portableFunctions from "../src/gpt/base/elementary";
import { fillGaussian, previousState, Random } from "../src/gpt/model/random";
import { mean } from "./helpers";

/** xorshift32 by its definition, in whole numbers of any size. */
function xorshift32(seed: number, count: number): number[] {
  const mask = 0xffffffffn;
  let x = BigInt(seed);
  return Array.from({ length: count }, () => {
    x ^= (x << 13n) & mask;
    x ^= x >> 17n;
    x ^= (x << 5n) & mask;
    return Number(x);
  });
}

function draws(count: number, draw: () => number): number[] {
  return Array.from({ length: count }, draw);
}

function variance(values: number[]): number {
  const center = mean(values);
  return mean(values.map((value) => (value - center) ** 2));
}

function chiSquare(observed: number[], expected: (bucket: number) => number): number {
  return observed.reduce((sum, count, i) => sum + (count - expected(i)) ** 2 / expected(i), 0);
}

function countBuckets(values: number[], buckets: number): number[] {
  const counts = new Array<number>(buckets).fill(0);
  for (const value of values) counts[value]++;
  return counts;
}

test("is xorshift32 with the shifts 13, 17 and 5", () => {
  const random = new Random(42);
  expect(draws(3, () => random.uint32())).toEqual([11355432, 2836018348, 476557059]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 0xffffffff }), (seed) => {
      const random = new Random(seed);
      expect(draws(20, () => random.uint32())).toEqual(xorshift32(seed, 20));
    }),
  );
});

test("a uniform number is the upper 24 bits", () => {
  const random = new Random(7);
  expect(draws(100, () => random.uniform())).toEqual(xorshift32(7, 100).map((x) => Math.floor(x / 256) / 2 ** 24));
});

test("uniform numbers fill [0, 1) evenly", () => {
  const random = new Random(42);
  const values = draws(20_000, () => random.uniform());
  expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
  expect(mean(values)).toBeCloseTo(1 / 2, 2);
  expect(variance(values)).toBeCloseTo(1 / 12, 2);
  const counts = countBuckets(
    values.map((value) => Math.floor(value * 20)),
    20,
  );
  // 19 degrees of freedom: beyond 43.8 once in a thousand seeds.
  expect(chiSquare(counts, () => 1000)).toBeLessThan(43.8);
});

test("normal numbers come in Box and Muller's pairs, the cosine first, the sine kept", () => {
  const random = new Random(42);
  const source = xorshift32(42, 200).map((x) => Math.floor(x / 256) / 2 ** 24);
  for (let pair = 0; pair < 100; pair++) {
    const [u, v] = source.slice(2 * pair);
    const radius = Math.sqrt(-2 * Math.log(u));
    expect(random.gaussian()).toBeCloseTo(radius * Math.cos(2 * Math.PI * v), 12);
    expect(random.gaussian()).toBeCloseTo(radius * Math.sin(2 * Math.PI * v), 12);
  }
});

test("a kept sine takes nothing from the stream", () => {
  const random = new Random(42);
  random.gaussian();
  random.gaussian();
  expect(random.uint32()).toBe(xorshift32(42, 3)[2]);
});

test("normal numbers redraw a uniform 0, of which there is no logarithm", () => {
  const random = new Random(42);
  const uniforms = [0, 0, 0.5, 0.25];
  jest.spyOn(random, "uniform").mockImplementation(() => uniforms.shift() ?? NaN);
  expect(random.gaussian()).toBeCloseTo(0, 12);
  expect(random.gaussian()).toBeCloseTo(Math.sqrt(2 * Math.log(2)), 12);
});

describe("normal numbers, many at once", () => {
  /** Box and Muller's formula, from whole numbers; the first numbers of the stream. */
  function byFormula(seed: number, count: number, scale: number): number[] {
    const source = xorshift32(seed, 2 * count + 100).map((x) => Math.floor(x / 256) / 2 ** 24);
    const numbers: number[] = [];
    while (numbers.length < count) {
      let u = 0;
      while (u <= 1e-12) u = source.shift() ?? NaN;
      const angle = 2 * Math.PI * (source.shift() ?? NaN);
      const radius = Math.sqrt(-2 * Math.log(u));
      numbers.push(scale * (radius * Math.cos(angle)), scale * (radius * Math.sin(angle)));
    }
    return numbers.slice(0, count);
  }

  test("have the bits of the formula", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0xffffffff }), fc.integer({ min: 0, max: 200 }), (seed, count) => {
        const numbers = new Float64Array(count);
        fillGaussian(new Random(seed), numbers, 0.08);
        expect(numbers).toEqual(Float64Array.from(byFormula(seed, count, 0.08)));
      }),
    );
  });

  test("are those that single draws give, and leave the stream at the same place", () => {
    const functions = fc.constantFrom(engineFunctions, portableFunctions);
    const counts = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 5 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 0xffffffff }),
        counts,
        functions,
        fc.boolean(),
        (seed, parts, by, isWide) => {
          const [many, single] = [new Random(seed), new Random(seed)];
          for (const count of parts) {
            const numbers = isWide ? new Float64Array(count) : new Float32Array(count);
            fillGaussian(many, numbers, 0.1, by);
            const expected = draws(count, () => 0.1 * single.gaussian(by));
            expect(numbers).toEqual(isWide ? Float64Array.from(expected) : Float32Array.from(expected));
            expect(many.position).toEqual(single.position);
          }
        },
      ),
    );
  });

  test("redraw a uniform 0, however the state spells it", () => {
    const numbers = new Float64Array(2);
    for (let word = 1; word < 256; word++) {
      const state = previousState(word) >>> 0;
      fillGaussian(Random.at({ state }), numbers, 1);
      expect([...numbers]).toEqual(byFormula(word, 2, 1));
      const single = Random.at({ state });
      expect(draws(2, () => single.gaussian())).toEqual([...numbers]);
    }
  });

  test("have the angle of every sixteenth of the 2^24 uniform numbers, and of the first and last thousand", () => {
    let angle = NaN;
    const recording = { ...engineFunctions, log: Math.log, sin: Math.sin, cos: (x: number) => (angle = x) };
    const one = new Float64Array(1);
    const random = new Random(1);
    const angleOf = (n: number): number => {
      // Of the words with these upper bits one is enough, and 0 is no state.
      random.goTo({ state: previousState(previousState((n << 8) | 1)) >>> 0 });
      fillGaussian(random, one, 1, recording);
      return angle;
    };
    const last = 2 ** 24 - 1;
    const differing: number[] = [];
    const check = (n: number): void => {
      if (angleOf(n) !== 2 * Math.PI * (n * 2 ** -24)) differing.push(n);
    };
    for (let n = 0; n < last; n += 16) check(n);
    for (let n = 0; n < 1000; n++) check(n);
    for (let n = 0; n < 1000; n++) check(last - n);
    expect(differing).toEqual([]);
  });
});

test("normal numbers have the moments of the normal distribution", () => {
  const random = new Random(42);
  const values = draws(20_000, () => random.gaussian());
  expect(Math.abs(mean(values))).toBeLessThan(0.02);
  expect(Math.abs(variance(values) - 1)).toBeLessThan(0.03);
  expect(Math.abs(mean(values.map((x) => x ** 3)))).toBeLessThan(0.06);
  expect(Math.abs(mean(values.map((x) => x ** 4)) - 3)).toBeLessThan(0.15);
  expect(mean(values.map((x) => Number(Math.abs(x) < 1)))).toBeCloseTo(0.6827, 2);
});

test("an index is the whole number modulo n", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 0xffffffff }), fc.integer({ min: 1, max: 1e6 }), (seed, n) => {
      expect(new Random(seed).index(n)).toBe(xorshift32(seed, 1)[0] % n);
    }),
  );
  const random = new Random(42);
  const counts = countBuckets(
    draws(10_000, () => random.index(10)),
    10,
  );
  expect(chiSquare(counts, () => 1000)).toBeLessThan(27.9);
});

describe("categorical", () => {
  test("draws as often as the probabilities say", () => {
    const random = new Random(42);
    const probabilities = [0.5, 0, 0.3, 0.15, 0.05];
    const counts = countBuckets(
      draws(10_000, () => random.categorical(probabilities)),
      5,
    );
    expect(counts[1]).toBe(0);
    const possible = probabilities.filter((p) => p > 0);
    expect(
      chiSquare(
        counts.filter((_, i) => probabilities[i] > 0),
        (i) => 10_000 * possible[i],
      ),
    ).toBeLessThan(16.3);
  });

  test("is the first index whose running sum exceeds the uniform draw", () => {
    const random = new Random(42);
    const draw = jest.spyOn(random, "uniform");
    const at = (uniform: number): number => {
      draw.mockReturnValueOnce(uniform);
      return random.categorical([0.25, 0.25, 0.5]);
    };
    expect([0, 0.2499, 0.25, 0.4999, 0.5, 0.9999].map(at)).toEqual([0, 0, 1, 1, 2, 2]);
  });

  test("is the last index when rounding keeps the sum below the draw", () => {
    const random = new Random(42);
    jest.spyOn(random, "uniform").mockReturnValue(1 - 2 ** -24);
    expect(random.categorical([0.3, 0.3, 0.3])).toBe(2);
  });
});

test.each([0, -1, 1.5, 2 ** 32, NaN, Infinity])("refuses the seed %d", (seed) => {
  expect(() => new Random(seed)).toThrow(InputError);
  expect(() => new Random(seed)).toThrow(/seed .*4294967295/);
});

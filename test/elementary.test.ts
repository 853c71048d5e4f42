import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ElementaryFunctions, engineFunctions } from "../src/gpt/base/elementary";
import { portableFunctions } from "../src/gpt/base/portable-functions";
import { Random } from "../src/gpt/model/random";
import { ROOT } from "./helpers";
import { elementaryChecksum } from "./support/elementary-checksum";

type Name = Exclude<keyof ElementaryFunctions, "pow">;

/** The last place of a number. */
function ulp(x: number): number {
  return Math.max(2 ** (Math.floor(Math.log2(Math.abs(x))) - 52), Number.MIN_VALUE);
}

function draws(count: number, draw: (uniform: number) => number): number[] {
  const random = new Random(42);
  return Array.from({ length: count }, () => draw(random.uniform() + random.uniform() / 2 ** 24));
}

function sorted(values: number[]): number[] {
  return values.sort((a, b) => a - b);
}

afterEach(() => jest.restoreAllMocks());

/** To 17 digits, by arithmetic of 300 bits. */
const KNOWN: [Name, number, number][] = [
  ["log", 2, 0.6931471805599453],
  ["log", 10, 2.302585092994046],
  ["log", 0.1, -2.3025850929940455],
  ["log", 2 ** -24, -16.635532333438686],
  ["log", 1 + 2 ** -52, 2.2204460492503128e-16],
  ["log", 5e-324, -744.4400719213812],
  ["log", Number.MAX_VALUE, 709.782712893384],
  ["exp", 1, 2.718281828459045],
  ["exp", -1, 0.36787944117144233],
  ["exp", 0.5, 1.6487212707001282],
  ["exp", -20, 2.061153622438558e-9],
  ["exp", 1e-10, 1.0000000001],
  ["exp", 709, 8.218407461554972e307],
  ["exp", -708, 3.307553003638408e-308],
  ["sin", 1, 0.8414709848078965],
  ["sin", Math.PI, 1.2246467991473532e-16],
  ["sin", 2 * Math.PI, -2.4492935982947064e-16],
  ["sin", -2.5, -0.5984721441039565],
  ["sin", 1e-9, 1e-9],
  ["sin", 1e6, -0.34999350217129294],
  ["cos", 1, 0.5403023058681398],
  ["cos", Math.PI / 2, 6.123233995736766e-17],
  ["cos", 3, -0.9899924966004454],
  ["cos", -1.5 * Math.PI, -1.8369701987210297e-16],
  ["cos", 2 * Math.PI, 1],
  ["cos", 1e6, 0.9367521275331447],
  ["cbrt", 2, 1.2599210498948732],
  ["cbrt", 0.5, 0.7937005259840998],
  ["cbrt", 10, 2.154434690031884],
  ["cbrt", 0.001, 0.1],
  ["cbrt", 1e300, 1e100],
  ["cbrt", 5e-324, 1.7031839360032603e-108],
];

test.each(KNOWN)("%s(%d) is %d", (name, x, expected) => {
  expect(Math.abs(portableFunctions[name](x) - expected)).toBeLessThanOrEqual(2 * ulp(expected));
});

const EXACT: [Name, number, number][] = [
  ["log", 1, 0],
  ["log", 0, -Infinity],
  ["log", -0, -Infinity],
  ["log", -1, NaN],
  ["log", -Infinity, NaN],
  ["log", Infinity, Infinity],
  ["log", NaN, NaN],
  ["exp", 0, 1],
  ["exp", -0, 1],
  ["exp", 709.79, Infinity],
  ["exp", 1e300, Infinity],
  ["exp", Infinity, Infinity],
  ["exp", -745, 5e-324],
  ["exp", -745.2, 0],
  ["exp", -1e300, 0],
  ["exp", -Infinity, 0],
  ["exp", NaN, NaN],
  ["sin", 0, 0],
  ["sin", -0, -0],
  ["sin", NaN, NaN],
  ["sin", Math.PI / 2, 1],
  ["cos", 0, 1],
  ["cos", Math.PI, -1],
  ["cos", NaN, NaN],
  ["cbrt", 0, 0],
  ["cbrt", -0, -0],
  ["cbrt", Infinity, Infinity],
  ["cbrt", -Infinity, -Infinity],
  ["cbrt", NaN, NaN],
  ["cbrt", 2 ** -1074, 2 ** -358],
];

test.each(EXACT)("%s(%d) is exactly %d", (name, x, expected) => {
  expect(portableFunctions[name](x)).toBe(expected);
});

/** Arguments from a uniform number, and the largest difference from the engine's result, in ulp of it. */
const RANDOM: [string, Name, (u: number) => number, number][] = [
  ["from 0 to 1", "log", (u) => u, 2],
  ["near 1", "log", (u) => 0.7 + u, 2],
  ["of all sizes", "log", (u) => 2 ** (2098 * u - 1074), 2],
  ["of a softmax", "exp", (u) => -30 * u, 2],
  ["around 0", "exp", (u) => u - 0.5, 2],
  ["of all sizes", "exp", (u) => 1400 * u - 700, 2],
  ["of a turn", "sin", (u) => 2 * Math.PI * u, 4],
  ["of a turn", "cos", (u) => 2 * Math.PI * u, 4],
  ["of all sizes", "sin", (u) => 2e6 * (u - 0.5), 4],
  ["of all sizes", "cos", (u) => 2e6 * (u - 0.5), 4],
  ["near multiples of a quarter turn", "sin", (u) => (Math.floor(1000 * u) * Math.PI) / 2, 4],
  ["near multiples of a quarter turn", "cos", (u) => (Math.floor(1000 * u) * Math.PI) / 2, 4],
  ["near 1", "cbrt", (u) => 16 * u, 1],
  ["below 0", "cbrt", (u) => -1000 * u, 1],
  ["of all sizes", "cbrt", (u) => 2 ** (2098 * u - 1074), 1],
];

test.each(RANDOM)("arguments %s: %s agrees with the engine's", (_, name, argument, most) => {
  const differences = draws(20_000, argument).map((x) => {
    const expected = engineFunctions[name](x);
    return Math.abs(portableFunctions[name](x) - expected) / ulp(expected);
  });
  expect(Math.max(...differences)).toBeLessThanOrEqual(most);
});

test("exp agrees with the engine's where numbers have fewer bits", () => {
  for (const x of draws(2000, (u) => -746 + 38 * u))
    expect(Math.abs(portableFunctions.exp(x) - Math.exp(x))).toBeLessThanOrEqual(
      Math.max(Number.MIN_VALUE, 2 * ulp(Math.exp(x))),
    );
});

test("cbrt is exact for cubes", () => {
  for (let root = 1; root <= 200_000; root++) {
    if (portableFunctions.cbrt(root * root * root) !== root) throw new Error(`${root}`);
    if (portableFunctions.cbrt(-root * root * root) !== -root) throw new Error(`-${root}`);
  }
});

test("cbrt is rounded correctly", () => {
  /** x·2^bits */
  const whole = (x: number, bits: number): bigint => BigInt(x * 2 ** 53) << BigInt(bits - 53);
  for (const x of draws(5000, (u) => 1 + 7 * u)) {
    const root = whole(portableFunctions.cbrt(x), 53); // From 1 to 2, half a unit of the last place is 2^-53.
    const cube = whole(x, 159);
    expect((root - 1n) ** 3n < cube && cube < (root + 1n) ** 3n).toBe(true);
  }
});

test("pow squares repeatedly", () => {
  const { pow } = portableFunctions;
  expect([pow(2, 10), pow(-3, 3), pow(10, 22), pow(0.5, 1074)]).toEqual([1024, -27, 1e22, 5e-324]);
  expect([pow(7, 0), pow(0, 0), pow(NaN, 0), pow(0, 5), pow(1, 2 ** 53)]).toEqual([1, 1, 1, 0, 1]);
  expect([pow(0.9, 2 ** 53), pow(2, 1024), pow(-2, 2 ** 53 - 1), pow(NaN, 1)]).toEqual([0, Infinity, -Infinity, NaN]);
  for (const base of [0.85, 0.9, 0.99, 0.999, 1.01])
    for (let n = 1; n <= 10_000; n++) {
      const expected = Math.pow(base, n);
      const limit = expected * n * 2 ** -53 + 2 * ulp(expected);
      if (!(Math.abs(pow(base, n) - expected) <= limit)) throw new Error(`${base}, ${n}: ${pow(base, n)}`);
    }
});

test.each([-1, 0.5, 2 ** 53 + 2, Infinity, NaN])("pow refuses the exponent %d", (exponent) => {
  expect(() => portableFunctions.pow(2, exponent)).toThrow(RangeError);
});

test.each([1_000_001, -1_000_001, Infinity, -Infinity])("sin and cos refuse the angle %d", (angle) => {
  expect(() => portableFunctions.sin(angle)).toThrow(RangeError);
  expect(() => portableFunctions.cos(angle)).toThrow(RangeError);
});

test.each([
  ["log", (u: number) => 2 ** (2098 * u - 1074)],
  ["log", (u: number) => 0.5 + u],
  ["exp", (u: number) => 1500 * u - 750],
  ["exp", (u: number) => u],
  ["cbrt", (u: number) => 16 * u - 8],
] as const)("%s never falls", (name, argument) => {
  const results = sorted(draws(20_000, argument)).map((x) => portableFunctions[name](x));
  expect(results.findIndex((result, i) => i > 0 && result < results[i - 1])).toBe(-1);
});

test("sin is odd, cos is even, and their squares add up to 1", () => {
  const { sin, cos } = portableFunctions;
  for (const x of draws(5000, (u) => 100 * u)) {
    expect([sin(-x), cos(-x)]).toEqual([-sin(x), cos(x)]);
    expect(Math.abs(sin(x) * sin(x) + cos(x) * cos(x) - 1)).toBeLessThan(1e-15);
  }
});

test("the results have the same bits everywhere", () => {
  expect(elementaryChecksum(portableFunctions)).toBe(1812355611);
});

test("the portable functions call no function of Math that is the engine's choice", () => {
  const expected = elementaryChecksum(portableFunctions);
  const exact = ["sqrt", "floor", "abs", "fround", "clz32", "imul", "min", "max"];
  const names = Object.getOwnPropertyNames(Math).filter((name) => typeof Math[name as "log"] === "function");
  const others = names.filter((name) => !exact.includes(name));
  expect(others).toEqual(expect.arrayContaining(["log", "sin", "cos", "exp", "pow", "cbrt", "log2", "expm1"]));
  for (const name of others)
    jest.spyOn(Math, name as "log").mockImplementation(() => {
      throw new Error(name);
    });
  let result: unknown;
  try {
    result = elementaryChecksum(portableFunctions);
  } catch (error) {
    result = error;
  }
  jest.restoreAllMocks();
  expect(result).toBe(expected);
});

test("the engine's functions are those of Math at the time of the call", () => {
  for (const name of ["log", "sin", "cos", "exp", "pow", "cbrt"] as const) {
    const spy = jest.spyOn(Math, name).mockReturnValue(7);
    expect(engineFunctions[name](2, 3)).toBe(7);
    expect(spy.mock.calls).toEqual([[2, 3]]);
    spy.mockRestore();
    expect(engineFunctions[name](2, 3)).toBe(Math[name](2, 3));
  }
});

test("the portable functions are frozen", () => {
  expect(Object.isFrozen(portableFunctions)).toBe(true);
});

test("the source has no operator for powers, which is the engine's choice too", () => {
  const source = readFileSync(join(ROOT, "src", "gpt", "base", "elementary.ts"), "utf8");
  const code = source.replace(/\/\*[^]*?\*\//g, "").replace(/\/\/.*/g, "");
  expect(code).toContain("export function pow(");
  expect(code).not.toContain("**");
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { typescriptOps } from "esp32gpt";
import {
  CusumDetector,
  type Detector,
  EnergyDetector,
  EwmaDetector,
  MarkovDetector,
  ModelDetector,
} from "../examples/rhythm/detectors";
import { Limit } from "../examples/rhythm/limit";
import { type Machine, Pump } from "../examples/rhythm/pump";
import { LENGTH } from "../examples/rhythm/rhythm";
import { candidates, judge, modelBytes, type Plan, record, run } from "../examples/rhythm/study";
import { Symbols, SYMBOLS } from "../examples/rhythm/symbols";
import type { Window } from "../examples/rhythm/windows";
import { ROOT } from "./helpers";

/* examples/rhythm: the program of a device that learns a machine, and the study that compares it. */

const MACHINES: readonly Machine[] = ["transfer", "filter"];
const SHORT: Plan = { learn: 24, measure: 20, heldOut: 10, fault: 5 };

function samplesOf(machine: Machine, seed: number, count: number, hasFault = false): number[] {
  const pump = new Pump(machine, seed);
  if (hasFault) pump.beginFault();
  return Array.from({ length: count }, () => pump.sample());
}

function meanOf(values: readonly number[]): number {
  return values.reduce((a, b) => a + b) / values.length;
}

describe("the app", () => {
  test("has all its modules in the manifest of the chip", () => {
    const folder = join(ROOT, "examples", "rhythm");
    const { modules, preload } = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as {
      modules: Record<string, string>;
      preload: string[];
    };
    const found = new Set<string>();
    const follow = (name: string): void => {
      if (found.has(name)) return;
      found.add(name);
      const text = readFileSync(join(folder, `${name}.ts`), "utf8");
      for (const [, other] of text.matchAll(/^import (?!type ).*"\.\/(\w+)";$/gm)) follow(other);
    };
    follow("main");
    expect(Object.keys(modules).sort()).toEqual([...found].sort());
    expect(Object.entries(modules)).toEqual([...found].sort().map((name) => [name, `./${name}`]));
    expect(preload).toEqual([...found].sort());
  });
});

describe.each(MACHINES)("the %s pump", (machine) => {
  test("gives the same samples for the same seed, and others for another", () => {
    expect(samplesOf(machine, 3, 3000)).toEqual(samplesOf(machine, 3, 3000));
    expect(samplesOf(machine, 4, 3000)).not.toEqual(samplesOf(machine, 3, 3000));
    expect(samplesOf(machine, 3, 3000).every((sample) => Number.isInteger(sample) && sample >= 0)).toBe(true);
  });

  test("makes symbols that are known", () => {
    const symbols = new Symbols();
    const seen = samplesOf(machine, 5, 20_000).map((sample) => symbols.push(sample));
    const made = seen.filter((symbol) => symbol >= 0);
    expect(made.length).toBeGreaterThan(500);
    expect(made.every((symbol) => symbol < SYMBOLS)).toBe(true);
  });
});

test("a worn bearing vibrates more; a counter that errs does not", () => {
  const change = (machine: Machine): number =>
    meanOf(samplesOf(machine, 6, 60_000, true).slice(20_000)) / meanOf(samplesOf(machine, 6, 60_000).slice(20_000));
  expect(change("transfer")).toBeGreaterThan(1.2);
  expect(Math.abs(change("filter") - 1)).toBeLessThan(0.05);
});

test("the filter pump flushes in every third cycle, until its counter errs", () => {
  const cyclesBetweenFlushes = (hasFault: boolean): Set<number> => {
    // A pump without noise cannot be had, so cycles and flushes are counted in symbols that are long enough.
    const symbols = new Symbols();
    const counts = new Map<number, number>();
    let cycles = 0;
    for (const sample of samplesOf("filter", 8, 200_000, hasFault).slice(12_000)) {
      const symbol = symbols.push(sample);
      if (symbol < 0) continue;
      const level = symbol >> 2;
      if (level === 0) cycles++;
      if (level !== 4 || (symbol & 3) === 0) continue;
      counts.set(cycles, (counts.get(cycles) ?? 0) + 1);
      cycles = 0;
    }
    const all = [...counts.values()].reduce((a, b) => a + b);
    return new Set([...counts].filter(([, count]) => count > 0.2 * all).map(([cycles]) => cycles));
  };
  expect(cyclesBetweenFlushes(false)).toEqual(new Set([3]));
  expect(cyclesBetweenFlushes(true)).toEqual(new Set([2, 4]));
});

describe("symbols", () => {
  const symbolsOf = (samples: readonly number[]): number[] => {
    const symbols = new Symbols();
    return samples.map((sample) => symbols.push(sample)).filter((symbol) => symbol >= 0);
  };
  const times = (count: number, sample: number): number[] => new Array<number>(count).fill(sample);

  test("say the level and how long it stayed", () => {
    // A change is seen a sample later: the median of three.
    expect(symbolsOf([...times(20, 100), ...times(5, 3000), ...times(50, 100), ...times(3, 3000)])).toEqual([2, 21, 3]);
  });

  test("pass over a single knock, and noise at the limit of a level", () => {
    expect(symbolsOf([...times(20, 100), 9000, ...times(20, 100)])).toEqual([]);
    expect(symbolsOf(Array.from({ length: 99 }, (_, i) => (i % 5 < 2 ? 480 : 560)))).toEqual([]);
  });
});

describe("the limit", () => {
  test("is what a share of the measured scores reach", () => {
    const limit = new Limit(300, 1, 0.01);
    for (let i = 0; i < 300; i++) expect(limit.isAlarm((i * 7) % 300)).toBe(false);
    expect([limit.isSet, limit.value]).toEqual([true, 297]);
    expect([297, 298, 0].map((score) => limit.isAlarm(score))).toEqual([false, true, false]);
    expect(limit.value).toBe(297);
  });

  test("compares a running mean of the scores", () => {
    const limit = new Limit(3, 0.5);
    // The first score is not compared: it is no mean.
    for (const score of [9, 1, 3]) limit.isAlarm(score);
    expect([limit.score, limit.value]).toEqual([4, 5]);
    expect([limit.isAlarm(6), limit.isAlarm(7), limit.score]).toEqual([false, true, 6]);
  });
});

describe("the detectors", () => {
  const windowOf = (energy: number, symbols = new Uint8Array(LENGTH)): Window => ({ energy, deviation: 1, symbols });
  const taught = (detector: Detector): Detector => {
    for (let i = 0; i < 50; i++) detector.learn({ ...windowOf(90 + (i % 5) * 5), deviation: 9 + (i % 3) });
    return detector;
  };

  test.each([
    ["energy", new EnergyDetector()],
    ["EWMA", new EwmaDetector(0.3)],
    ["CUSUM", new CusumDetector(0.5)],
  ])("of %s scores more and less energy higher than the usual", (_name, detector) => {
    taught(detector);
    const scores = [100, 200, 100, 50].map((energy) => {
      for (let i = 0; i < 30; i++) detector.score({ ...windowOf(100), deviation: 10 });
      return detector.score({ ...windowOf(energy), deviation: 10 });
    });
    expect(Math.min(scores[1], scores[3])).toBeGreaterThan(2 * Math.max(scores[0], scores[2]));
  });

  const alternating = Uint8Array.from({ length: LENGTH }, (_, i) => i % 4);
  const swapped = Uint8Array.from(alternating, (symbol, i) => (i === 20 ? 5 : symbol));
  test.each([
    ["order 2", new MarkovDetector(2, 1)],
    ["back-off", new MarkovDetector(4, 1, true)],
  ])("of a Markov chain, %s, knows the probabilities of what it has seen", (_name, detector) => {
    for (let i = 0; i < 200; i++) detector.learn(windowOf(1, alternating));
    expect(detector.score(windowOf(1, alternating))).toBeLessThan(0.1);
    expect(detector.score(windowOf(1, swapped))).toBeGreaterThan(0.5);
  });

  test("of a Markov chain of order 2 adds to each count", () => {
    const detector = new MarkovDetector(2, 1);
    detector.learn(windowOf(1));
    expect(detector.score(windowOf(1))).toBeCloseTo(-Math.log((16 + 1) / (16 + SYMBOLS)), 10);
  });

  test("the model learns a rule that a chain of order 2 cannot see", () => {
    // 0 1 0 1 0 2: behind 1 0 comes 1 or 2.
    const rule = [0, 1, 0, 1, 0, 2];
    const from = (shift: number): Window =>
      windowOf(
        1,
        Uint8Array.from({ length: LENGTH }, (_, i) => rule[(i + shift) % 6]),
      );
    const model = new ModelDetector(typescriptOps("f32"), 150, 1);
    const chain = new MarkovDetector(2, 0.1);
    for (let i = 0; i < 150; i++) for (const detector of [model, chain]) detector.learn(from(i));
    expect(chain.score(from(0))).toBeGreaterThan(0.2);
    expect(model.score(from(0))).toBeLessThan(0.1);
  });
});

test("the smallest study runs, and says the same again", () => {
  const seeds = [1, 2];
  const study = (): unknown =>
    MACHINES.map((machine) => {
      const recordings = seeds.map((seed) => record(machine, seed, SHORT));
      return candidates("f32").map((candidate) => {
        const runs = recordings.map((windows, i) => run(candidate, windows, seeds[i], SHORT));
        expect(runs.every(({ bytes, scores }) => bytes > 0 && scores.every(Number.isFinite))).toBe(true);
        return judge(runs, 0.3, SHORT);
      });
    });
  const first = study();
  expect(study()).toEqual(first);
});

test("delays count from the window in which the fault begins", () => {
  const plan: Plan = { learn: 0, measure: 100, heldOut: 20, fault: 10 };
  const scoresOf = (at: number): number[] => Array.from({ length: 130 }, (_, i) => Number(i === at) + (i % 100) / 1000);
  const runs = [119, 120, 124, 500].map((at) => ({ scores: scoresOf(at), bytes: 1, learning: 0, scoring: 0 }));
  expect(judge(runs, 1, plan)).toEqual({ falseAlarms: 1 / 80, detected: 0.5, byChance: 1 / 8, medianDelay: Infinity });
  expect(judge(runs.slice(1, 3), 1, plan)).toMatchObject({ detected: 1, medianDelay: 5 });
});

test("the model fits an ESP32-C3", () => {
  expect(modelBytes()).toBeLessThan(116_000);
});

import { type DrawCurve, loadDrawCurve } from "../host/terminal/curve";
import { LossCurve } from "../src/jobs/loss-curve";
import type { StartEvent, StepEvent } from "../src/gpt/training/events";

let drawCurve: DrawCurve;

beforeAll(async () => {
  drawCurve = await loadDrawCurve();
});

function step(number: number, loss: StepEvent["loss"], more: object = {}): StepEvent {
  const common = { type: "step", steps: 1e6, learningRate: 0, name: 0, isLogged: false } as const;
  return { ...common, step: number, loss, validationLoss: undefined, mean: undefined, ...more };
}

function start(from: number): StartEvent {
  const common = { place: "Node", ops: "typescript", parameters: 1, nHead: 1, nEmbd: 1, names: 1 } as const;
  return { type: "start", ...common, steps: 1e6, batchSize: 1, from };
}

function curveOf(losses: readonly number[]): LossCurve {
  const curve = new LossCurve();
  for (const [i, loss] of losses.entries()) curve.onEvent(step(i, loss));
  return curve;
}

test("the smoothed loss of a constant is that constant, from the first step on", () => {
  const curve = new LossCurve();
  for (let i = 0; i < 10; i++) {
    curve.onEvent(step(i, 2.5));
    expect(curve.smoothed).toBeCloseTo(2.5, 12);
  }
});

test("the mean of many steps weighs as much as these do", () => {
  const each = curveOf([4, ...new Array<number>(50).fill(2)]);
  const told = new LossCurve();
  told.onEvent(step(0, 4, { mean: 4 }));
  told.onEvent(step(50, 2, { mean: 2 }));
  expect(told.smoothed).toBeCloseTo(each.smoothed ?? NaN, 12);
});

test("steps that were passed over, and a new training, are no jumps", () => {
  const curve = curveOf([3, 3, 3]);
  curve.onEvent(step(3, "passed over"));
  expect([curve.smoothed?.toFixed(6), curve.loss]).toEqual(["3.000000", undefined]);
  curve.onEvent(step(0, 1));
  expect(curve.smoothed).toBe(1);
});

test("the chart stays within its room, with a number at its foot and at its head", () => {
  const losses = Array.from({ length: 5000 }, (_, i) => 2.2 + 1.1 * Math.exp(-i / 300) + 0.3 * Math.sin(i * 7.3));
  const curve = curveOf(losses);
  for (const [columns, rows] of [
    [80, 14],
    [40, 7],
    [200, 50],
    [61, 9],
  ]) {
    const lines = drawCurve(curve, columns, rows, false)?.split("\n") ?? [];
    expect(lines.length).toBeLessThanOrEqual(rows);
    expect(lines.length).toBeGreaterThan(rows * 0.7);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    const labelled = lines.map((line) => /^ *(\d\.\d+)┤/.exec(line)?.[1]).filter((label) => label !== undefined);
    const numbers = labelled.map(Number);
    expect(numbers).toEqual(numbers.toSorted((a, b) => b - a));
    expect(numbers[0]).toBeGreaterThan(3);
    expect(numbers.at(-1)).toBeLessThan(2.4);
    expect(lines.at(-1)).toMatch(columns > 60 ? /^ +0 +\d{3,}/ : /^ +0/);
  }
});

test("what was held out are points; colours come when they are wanted", () => {
  const curve = curveOf(Array.from({ length: 100 }, () => 2));
  curve.onEvent(step(100, 2, { validationLoss: 2.2 }));
  expect(drawCurve(curve, 60, 12, false)?.split("●")).toHaveLength(3);
  expect(drawCurve(curve, 60, 12, false)).not.toContain("\x1b");
  expect(drawCurve(curve, 60, 12, true)).toContain("\x1b[33m●");
});

test("without room, or with one step, there is none", () => {
  expect(drawCurve(curveOf([2, 2]), 39, 20, false)).toBeUndefined();
  expect(drawCurve(curveOf([2, 2]), 60, 6, false)).toBeUndefined();
  expect(drawCurve(curveOf([2]), 60, 20, false)).toBeUndefined();
  expect(drawCurve(curveOf([2, 2]), 60, 20, false)).toBeDefined();
});

test("a long training takes no more memory than a short one", () => {
  const curve = new LossCurve();
  for (let i = 0; i < 300_000; i++) curve.onEvent(step(i, 2 + (i % 2), i % 10 === 0 ? { validationLoss: 2 } : {}));
  expect(JSON.stringify(curve).length).toBeLessThan(120_000);
});

test("a run of one colour is coloured once", () => {
  const curve = curveOf(Array.from({ length: 100 }, () => 2));
  const chart = drawCurve(curve, 60, 12, true) ?? "";
  expect(chart.split("\x1b[36m")).toHaveLength(2);
  curve.onEvent(step(99.5, 2, { validationLoss: 2 }));
  for (let i = 100; i < 120; i++) curve.onEvent(step(i, 2));
  const dotted = drawCurve(curve, 60, 12, true) ?? "";
  expect(dotted).toMatch(/━\x1b\[0m\x1b\[33m●\x1b\[0m\x1b\[36m━/);
  expect(dotted.replaceAll(/\x1b\[\d+m/g, "")).toBe(drawCurve(curve, 60, 12, false));
});

test("a curve that was kept goes on as if it had never been put away", () => {
  const losses = Array.from({ length: 3000 }, (_, i) => 3 - i / 3000 + (i % 7) / 10);
  const whole = new LossCurve();
  let kept = new LossCurve();
  for (const [i, loss] of losses.entries()) {
    const more = i % 500 === 0 ? { validationLoss: loss } : {};
    whole.onEvent(step(i, loss, more));
    kept.onEvent(step(i, loss, more));
    if (i % 701 !== 0) continue;
    const present = kept.kept;
    const before = structuredClone(present);
    kept.onEvent(step(i + 1, 9));
    expect(present).toEqual(before);
    kept = LossCurve.from(before);
    expect(kept.loss).toBe(loss);
    kept.onEvent(start(i + 1));
  }
  expect(kept.kept).toEqual(whole.kept);
  expect(kept.smoothed).toBe(whole.smoothed);
  kept.onEvent(start(1000));
  expect(kept.points).toEqual([]);
});

test("the mean of the first event weighs as one step, whichever that is", () => {
  const told = new LossCurve();
  told.onEvent(step(99, 4, { mean: 4 }));
  told.onEvent(step(100, 2));
  const each = curveOf([4, 2]);
  expect(told.smoothed).toBeCloseTo(each.smoothed ?? NaN, 12);
});

test("a step that was passed over counts with the mean of those before it", () => {
  const curve = curveOf([3]);
  curve.onEvent(step(10, "passed over", { mean: 2 }));
  expect([curve.points.map(({ loss }) => loss), curve.loss]).toEqual([[3, 2], undefined]);
});

test("another training has points of its own, and one that goes on keeps them", () => {
  const curve = curveOf([3, 3, 3]);
  curve.onEvent(step(3, 3, { validationLoss: 3.5 }));
  curve.onEvent(start(4));
  expect([curve.points.length, curve.validation.length]).toEqual([4, 1]);
  curve.onEvent(start(0));
  expect([curve.points, curve.validation, curve.loss, curve.validationLoss]).toEqual([[], [], undefined, undefined]);
  curve.onEvent(step(0, 1));
  expect(curve.points).toEqual([{ step: 0, loss: 1, smoothed: 1 }]);
});

test("points stay bounded, in their order, from the first step on, and evenly spread", () => {
  const curve = new LossCurve();
  for (let i = 0; i < 10_000; i++) curve.onEvent(step(i, 2, i % 2 === 0 ? { validationLoss: 3 } : {}));
  for (const points of [curve.points, curve.validation]) {
    expect(points.length).toBeGreaterThanOrEqual(512);
    expect(points.length).toBeLessThanOrEqual(1024);
    expect(points[0].step).toBe(0);
  }
  const gaps = curve.points.slice(1).map(({ step: at }, i) => at - curve.points[i].step);
  expect(new Set(gaps).size).toBe(1);
});

import { WeightHistory } from "../web/worker/weight-history";

/* The weights at some steps of a training: evenly spaced, and never more than there is room for. */

/** A history of `steps` steps, of weights that say which step it is. */
function after(steps: number, length: number, from = 0): WeightHistory {
  const history = new WeightHistory(length);
  const weights = new Float32Array(length);
  for (let step = from; step <= from + steps; step++) {
    weights.forEach((_, i) => (weights[i] = step + i / 8));
    history.take(step, weights);
    expect(history.bytes).toBeLessThanOrEqual(4 << 20);
  }
  return history;
}

test.each([
  [3, [0, 1, 2, 3]],
  [127, Array.from({ length: 128 }, (_, i) => i)],
  [128, Array.from({ length: 65 }, (_, i) => 2 * i)],
  [1000, Array.from({ length: 126 }, (_, i) => 8 * i)],
  [20_000, Array.from({ length: 79 }, (_, i) => 256 * i)],
])("after %i steps it has these", (steps, kept) => {
  const curve = after(steps, 3).curve(2);
  expect(curve.steps).toEqual(kept);
  expect(curve.values).toEqual(kept.map((step) => step + 2 / 8));
});

test.each([
  [4192, 128],
  [32_768, 32],
  [100_000, 10],
  [149_796, 7],
  [262_144, 4],
])("of %i weights there are at most %i snapshots", (length, most) => {
  const history = new WeightHistory(length);
  const weights = new Float32Array(length);
  let seen = 0;
  for (let step = 0; step <= 300; step++) {
    history.take(step, weights);
    const { steps } = history.curve(0);
    seen = Math.max(seen, steps.length);
    expect(history.bytes).toBeLessThanOrEqual(4 << 20);
    const distances = new Set(steps.slice(1).map((step, i) => step - (steps[i] ?? NaN)));
    expect(distances.size).toBeLessThanOrEqual(1);
    expect(steps[0]).toBe(0);
  }
  expect(seen).toBe(most);
});

test("of a model that is too large it keeps nothing, and says so", () => {
  const history = new WeightHistory(300_000);
  history.take(0, new Float32Array(300_000));
  expect(history.bytes).toBe(0);
  expect(history.curve(7)).toEqual({ steps: [], values: [], isKept: false });
});

test("it begins where the training does, and a snapshot stays what it was", () => {
  expect(after(2, 3, 640).curve(0)).toEqual({ steps: [640, 641, 642], values: [640, 641, 642], isKept: true });
});

test("integers are converted", () => {
  const history = new WeightHistory(2, 2 ** -27);
  history.take(0, Int32Array.of(1 << 27, -(1 << 26)));
  expect([history.curve(0).values, history.curve(1).values]).toEqual([[1], [-0.5]]);
});

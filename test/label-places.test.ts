// Labels on a map that cover each other are moved apart.
import fc from "fast-check";
import { type Label, placeLabels } from "../web/inside/label-places";
import { drawLetterMap } from "../web/inside/letter-map";
import { labelsOf } from "../web/inside/map-labels";
import { Random } from "../src/gpt/model/random";
import { DEFAULT_MODEL } from "../src/gpt/model/config";
import { parameterLayout } from "../src/gpt/model/parameters";

/** Pairs of boxes that overlap. */
function overlaps(labels: readonly Label[]): number {
  let count = 0;
  for (const [i, a] of labels.entries())
    for (const b of labels.slice(i + 1))
      if (Math.abs(a.x - b.x) < (a.width + b.width) / 2 && Math.abs(a.y - b.y) < (a.height + b.height) / 2) count++;
  return count;
}

const moved = (labels: readonly Label[]): Label[] => placeLabels(labels).map(([x, y], i) => ({ ...labels[i], x, y }));

const random = new Random(3);
const CLOUDS: Readonly<Record<string, (i: number) => readonly [number, number]>> = {
  "spread evenly": () => [2 * random.uniform() - 1, 2 * random.uniform() - 1],
  "in two heaps": (i) => [(i % 2) - 0.5 + 0.02 * random.uniform(), 0.05 * random.uniform()],
  "on a line": (i) => [i / 400, 0],
  "in one point": () => [0.1, -0.2],
};

describe.each(Object.entries(CLOUDS))("labels %s", (_title, at) => {
  test.each([2, 26, 80, 200])("%d of them do not overlap, and are the same again", (count) => {
    const points = Array.from({ length: count }, (_, i) => at(i));
    const labels = labelsOf(points, (i) => (i % 40 === 39 ? "U+200D" : "あ"));
    const places = moved(labels);
    expect(overlaps(places)).toBe(0);
    expect(placeLabels(labels)).toEqual(placeLabels(labels));
    for (const { x, y } of places) expect(Number.isFinite(x) && Number.isFinite(y)).toBe(true);
  });
});

test("boxes of any size and place do not overlap", () => {
  const number = fc.double({ min: -1, max: 1, noNaN: true });
  const size = fc.double({ min: 0.01, max: 0.3, noNaN: true });
  const label = fc.record({ x: number, y: number, width: size, height: size });
  fc.assert(
    fc.property(fc.array(label, { maxLength: 60 }), (labels) => {
      expect(overlaps(moved(labels))).toBe(0);
    }),
    { seed: 1 },
  );
});

test("labels that are free stay where they are", () => {
  const labels = [-1, 0, 1].map((x) => ({ x, y: 0, width: 0.5, height: 0.5 }));
  expect(placeLabels(labels)).toEqual([[-1, 0], [0, 0], [1, 0]]); // prettier-ignore
});

test("two that overlap go apart where they overlap least, as far as they must", () => {
  const labels = [0, 0.3].map((x) => ({ x, y: x / 10, width: 1, height: 2 }));
  const [[x0, y0], [x1, y1]] = placeLabels(labels);
  expect([y0, y1]).toEqual([0, 0.03]);
  expect(x1 - x0).toBeGreaterThanOrEqual(1);
  expect(x1 - x0).toBeLessThan(1.2);
  expect(x0 + x1).toBeCloseTo(0.3);
});

test.each([26, 80, 200])("a map of an untrained model with %d characters has no overlaps", (count) => {
  const config = { ...DEFAULT_MODEL, vocabularySize: count + 1 };
  const stream = new Random(9);
  const weights = Float32Array.from({ length: parameterLayout(config).length }, () => stream.gaussian());
  const labels = labelsOf(drawLetterMap(weights, config).places, () => "あ");
  expect(overlaps(labels)).toBeGreaterThan(0);
  expect(overlaps(moved(labels))).toBe(0);
});

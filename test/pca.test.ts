// The axes along which points spread most, and the map of the alphabet that is drawn along them.
import { DEFAULT_MODEL, DEFAULT_TRAINING } from "../src/gpt/model/config";
import { Random } from "../src/gpt/model/random";
import { Trainer } from "../src/gpt/training/trainer";
import { centred, directions, dot, principalAxes } from "../web/inside/pca";
import { drawLetterMap, nearestTokens } from "../web/inside/letter-map";
import { drawnModel, gaussians, largestDifference, letterOf, shippedNames } from "./helpers";

/** Points in 5 dimensions that spread by 3, 2 and 0.5 along three axes at right angles, about a middle. */
function cloud(): { readonly axes: readonly number[][]; readonly points: Float64Array[] } {
  const axes = [
    [0.6, 0, 0.8, 0, 0],
    [0, 0.6, 0, -0.8, 0],
    [0, 0, 0, 0, 1],
  ];
  const random = new Random(5);
  const points = Array.from({ length: 500 }, () => {
    const along = gaussians(random, 3);
    return Float64Array.from(
      [7, -2, 0, 1, 3],
      (middle, i) => middle + 3 * along[0] * axes[0][i] + 2 * along[1] * axes[1][i] + 0.5 * along[2] * axes[2][i],
    );
  });
  return { axes, points };
}

test("the axes are those along which the points were spread, the widest first", () => {
  const { axes, points } = cloud();
  const found = principalAxes(centred(points), 3);
  // 500 points give an axis to some hundredths.
  found.forEach((axis, i) => expect(Math.abs(dot(axis, axes[i]))).toBeGreaterThan(0.99));
  for (const [i, a] of found.entries())
    for (const [j, b] of found.entries()) expect(dot(a, b)).toBeCloseTo(i === j ? 1 : 0, 9);
});

test("an axis is one of the covariance: the matrix only makes it longer", () => {
  const points = centred(cloud().points);
  for (const axis of principalAxes(points, 2)) {
    const along = points.map((point) => dot(point, axis));
    const image = axis.map((_, i) =>
      dot(
        along,
        points.map((point) => point[i]),
      ),
    );
    const length = Math.sqrt(dot(image, image));
    expect(
      largestDifference(
        image,
        axis.map((value) => value * length),
      ),
    ).toBeLessThan(1e-6 * length);
  }
});

test("an axis keeps its sense when the points have hardly moved", () => {
  const points = centred(cloud().points);
  const before = principalAxes(points, 2);
  const mirrored = before.map((axis) => axis.map((value) => -value));
  const moved = centred(points.map((point) => point.map((value, i) => value + 1e-3 * i)));
  for (const old of [before, mirrored])
    principalAxes(moved, 2, old).forEach((axis, i) => expect(dot(axis, old[i])).toBeGreaterThan(0.999));
});

test("where nothing spreads there is no axis", () => {
  const line = centred([[1, 1], [2, 2], [4, 4]]); // prettier-ignore
  const [axis, none] = principalAxes(line, 2);
  expect(axis[0]).toBeCloseTo(Math.SQRT1_2);
  expect(axis[1]).toBeCloseTo(Math.SQRT1_2);
  expect([...none]).toEqual([0, 0]);
  expect(principalAxes(centred([[3, 4], [3, 4]]), 1)).toEqual([new Float64Array(2)]); // prettier-ignore
});

test("directions have length 1, and nothing stays nothing", () => {
  const [long, zero] = directions([Float32Array.of(3, 4), Float32Array.of(0, 0)]);
  expect([...long]).toEqual([0.6, 0.8]);
  expect([...zero]).toEqual([0, 0]);
});

const VOWELS = new Set(["a", "e", "i", "o", "u"]);

test.each([42, 1, 2, 7])("after the usual training with seed %d the vowels lie together on the map", (seed) => {
  const model = drawnModel({}, "f32", seed);
  const random = new Random(seed);
  // The training goes on where the drawing of the weights has ended.
  gaussians(random, model.parameters.length);
  const trainer = new Trainer(model, shippedNames(), random, DEFAULT_TRAINING);
  for (let step = 0; step < 1000; step++) trainer.step();

  const weights = Float32Array.from(model.parameters);
  const { places } = drawLetterMap(weights, DEFAULT_MODEL);
  expect(places).toHaveLength(26);
  const distance = (a: number, b: number): number =>
    Math.hypot(places[a][0] - places[b][0], places[a][1] - places[b][1]);
  const letters = places.map((_, i) => i);
  const isVowel = (i: number): boolean => VOWELS.has(letterOf(i + 1));
  for (const vowel of letters.filter(isVowel)) {
    const [nearest] = letters
      .filter((other) => other !== vowel)
      .sort((a, b) => distance(vowel, a) - distance(vowel, b));
    expect(letterOf(nearest + 1)).toMatch(/[aeiou]/);
  }
  // By all numbers as well, not only in the picture.
  expect(letterOf(nearestTokens(weights, DEFAULT_MODEL, 1, 1)[0])).toMatch(/[eiou]/);
});

test("a map is not mirrored by a step of training", () => {
  const model = drawnModel({}, "f32");
  const trainer = new Trainer(model, shippedNames(), new Random(42), { ...DEFAULT_TRAINING, steps: 1000 });
  for (let step = 0; step < 300; step++) trainer.step();
  let map = drawLetterMap(Float32Array.from(model.parameters), DEFAULT_MODEL);
  for (let step = 0; step < 100; step++) {
    trainer.step();
    const next = drawLetterMap(Float32Array.from(model.parameters), DEFAULT_MODEL, map);
    next.axes.forEach((axis, i) => expect(dot(axis, map.axes[i])).toBeGreaterThan(0));
    map = next;
  }
});

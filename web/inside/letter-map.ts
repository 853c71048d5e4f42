import type { ModelConfig } from "../../src/gpt/model/config";
import { parameterLayout } from "../../src/gpt/model/parameters";
import { centred, directions, dot, type Point, principalAxes } from "./pca";

/** Where the characters lie, in the plane in which their directions differ most. */
export interface LetterMap {
  /** Of each token from 1 on; a unit is the length of a direction. */
  readonly places: readonly (readonly [x: number, y: number])[];
  readonly axes: readonly Point[];
}

/**
 * Draws the embeddings as a map. Of each only its direction counts: how long it is says mostly how often its
 * character has been seen.
 * @param before a map of a moment ago, which this one is not to mirror
 */
export function drawLetterMap(weights: Float32Array, config: ModelConfig, before?: LetterMap): LetterMap {
  const points = centred(letterDirections(weights, config));
  const axes = principalAxes(points, 2, before?.axes);
  return { places: points.map((point) => [dot(point, axes[0]), dot(point, axes[1])]), axes };
}

/** The tokens whose embeddings point most as that of `token` does, the nearest first. */
export function nearestTokens(weights: Float32Array, config: ModelConfig, token: number, count: number): number[] {
  const points = letterDirections(weights, config);
  const likeness = points.map((point) => dot(point, points[token - 1]));
  return points
    .map((_, i) => i + 1)
    .filter((other) => other !== token)
    .sort((a, b) => likeness[b - 1] - likeness[a - 1])
    .slice(0, count);
}

/** Of each token from 1 on: the start of a name is no letter. */
function letterDirections(weights: Float32Array, config: ModelConfig): Point[] {
  const { offset, rows, columns } = parameterLayout(config).part("wte");
  const row = (i: number): Float32Array => weights.subarray(offset + i * columns, offset + (i + 1) * columns);
  return directions(Array.from({ length: rows - 1 }, (_, i) => row(i + 1)));
}

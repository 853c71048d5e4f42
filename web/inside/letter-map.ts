import type { ModelConfig } from "../../src/gpt/model/config";
import { parameterLayout } from "../../src/gpt/model/parameters";
import { centred, directions, dot, type Point, principalAxes } from "./pca";

/** Positions of the characters in the plane in which their directions differ most. */
export interface LetterMap {
  /** Position of each token from 1 on; directions have length 1. */
  readonly places: readonly (readonly [x: number, y: number])[];
  readonly axes: readonly Point[];
}

/**
 * Projects the embeddings' directions onto their first two principal components. Lengths are ignored: they mostly
 * reflect how often a character was seen.
 * @param before the previous map; the new one keeps its orientation
 */
export function drawLetterMap(weights: Float32Array, config: ModelConfig, before?: LetterMap): LetterMap {
  const points = centred(letterDirections(weights, config));
  const axes = principalAxes(points, 2, before?.axes);
  const [right, up] = axes;
  if (!right || !up) throw new Error("principalAxes() has not found both axes of the map");
  return { places: points.map((point) => [dot(point, right), dot(point, up)]), axes };
}

/** The tokens with the highest cosine similarity to `token`, nearest first. */
export function nearestTokens(weights: Float32Array, config: ModelConfig, token: number, count: number): number[] {
  const points = letterDirections(weights, config);
  const own = points[token - 1];
  if (!own) throw new RangeError(`Token ${token} is no letter`);
  return points
    .map((point, i) => ({ other: i + 1, likeness: dot(point, own) }))
    .filter(({ other }) => other !== token)
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, count)
    .map(({ other }) => other);
}

/** Centred directions of tokens from 1 on; BOS is not a letter. */
function letterDirections(weights: Float32Array, config: ModelConfig): Point[] {
  const { offset, rows, columns } = parameterLayout(config).part("wte");
  const row = (i: number): Float32Array => weights.subarray(offset + i * columns, offset + (i + 1) * columns);
  return directions(Array.from({ length: rows - 1 }, (_, i) => row(i + 1)));
}

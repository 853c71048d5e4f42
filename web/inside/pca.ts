/** Maximum number of power iterations per axis, and of multiplications per axis. */
const MAX_ROUNDS = 300;
const MAX_WORK = 1e7;
/** Convergence threshold: change of the axis per iteration. */
const ENOUGH = 1e-8;

export type Point = Float64Array<ArrayBuffer>;

/** Subtracts the mean from each point. */
export function centred(points: readonly ArrayLike<number>[]): Point[] {
  const mean = Float64Array.from({ length: points[0]?.length ?? 0 }, (_, i) =>
    points.reduce((sum, point) => sum + (point[i] ?? 0) / points.length, 0),
  );
  return points.map((point) => mean.map((value, i) => (point[i] ?? 0) - value));
}

/** Normalises points to length 1; zero stays zero. */
export function directions(points: readonly ArrayLike<number>[]): Point[] {
  return points.map((point) => normalized(Float64Array.from(point)));
}

/**
 * Principal component analysis: the orthonormal axes of greatest variance of centred points, in descending order;
 * zero if no variance is left.
 * @param before the previous axes; each new one keeps its sign, so that the picture does not flip
 */
export function principalAxes(points: readonly Point[], count: number, before: readonly Point[] = []): Point[] {
  const axes: Point[] = [];
  while (axes.length < count) {
    const old = before.at(axes.length);
    const axis = widestAxis(points, axes);
    const sense = old ? dot(axis, old) : (axis.at(indexOfLargest(axis)) ?? 0);
    axes.push(sense < 0 ? axis.map((value) => -value) : axis);
  }
  return axes;
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

/** Power iteration, orthogonal to the axes already found. */
function widestAxis(points: readonly Point[], found: readonly Point[]): Point {
  const width = points[0]?.length ?? 0;
  const rests = points.map((point) => without(point, found));
  const lengths = rests.map((rest) => dot(rest, rest));
  let axis = normalized(rests.at(indexOfLargest(lengths)) ?? new Float64Array(0));
  const rounds = Math.min(MAX_ROUNDS, MAX_WORK / (points.length * width));
  for (let round = 0; round < rounds; round++) {
    const sum = new Float64Array(width);
    for (const rest of rests) {
      const along = dot(rest, axis);
      for (let i = 0; i < width; i++) sum[i] = (sum[i] ?? 0) + along * (rest[i] ?? 0);
    }
    const next = normalized(sum);
    const change = next.reduce((most, value, i) => Math.max(most, Math.abs(value - (axis[i] ?? 0))), 0);
    axis = next;
    if (change < ENOUGH) break;
  }
  return axis;
}

function without(point: Point, axes: readonly Point[]): Point {
  return axes.reduce((rest, axis) => {
    const along = dot(rest, axis);
    return rest.map((value, i) => value - along * (axis[i] ?? 0));
  }, point);
}

function normalized(point: Point): Point {
  const length = Math.sqrt(dot(point, point));
  // A remainder of rounding errors has no direction.
  return length < 1e-12 ? new Float64Array(point.length) : point.map((value) => value / length);
}

function indexOfLargest(values: ArrayLike<number>): number {
  let largest = 0;
  let most = Math.abs(values[0] ?? 0);
  for (let i = 1; i < values.length; i++) {
    const size = Math.abs(values[i] ?? 0);
    if (size > most) [largest, most] = [i, size];
  }
  return largest;
}

import type { Label, Place } from "./label-places";

/** Size of letters on the map, for an alphabet of any size: their boxes cover at most this share of it. */
const LARGEST = 0.1;
const COVERED = 0.3;
const AREA = 1.6 * 1.6;
/** Size of the box of a letter, in sizes of the letter: none has more ink, in any font. */
const HEIGHT = 1.25;
const WIDTH = 1.05;
/** Width of a character in a sign of several, such as U+200D. */
const NARROW = 0.75;

/** The size of letters on a map of that many. */
export function letterSize(count: number): number {
  return Math.min(LARGEST, Math.sqrt((COVERED * AREA) / (count * HEIGHT * WIDTH)));
}

/**
 * The boxes of letters that are centred on their points.
 * @param signOf what is drawn at a point
 */
export function labelsOf(points: readonly Place[], signOf: (index: number) => string): Label[] {
  const size = letterSize(points.length);
  return points.map(([x, y], i) => {
    const { length } = signOf(i);
    return { x, y, width: size * (length > 2 ? NARROW * length : WIDTH), height: size * HEIGHT };
  });
}

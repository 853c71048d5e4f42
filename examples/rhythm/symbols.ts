/*
 * From samples to symbols, on the device: how strong the vibration is, on a scale of 8 levels, and how long it stays
 * there, on a scale of 4. A level is left when the median of three samples leaves it by a margin, so that noise at a
 * limit makes no symbols.
 */

/** Lower limits of the levels in µm/s, from one to the next half as much again. */
const LEVELS = Object.freeze([0, 500, 750, 1125, 1690, 2530, 3800, 5700]);
/** Lower limits of the durations in samples. */
const DURATIONS = Object.freeze([1, 4, 12, 36]);
/** By how much the limit of a level must be exceeded, as a share. */
const MARGIN = 0.2;

/** Their names: the level, and how long, as "5c". */
export const SYMBOL_NAMES: readonly string[] = Object.freeze(
  LEVELS.flatMap((_, level) => DURATIONS.map((_, duration) => `${level}${"abcd"[duration]}`)),
);
export const SYMBOLS = LEVELS.length * DURATIONS.length;

export class Symbols {
  private level = 0;
  private duration = 0;
  private before = 0;
  private beforeThat = 0;

  /** Takes a sample; returns the symbol, from 0 to SYMBOLS - 1, of a level that has just ended, otherwise -1. */
  push(sample: number): number {
    const median = medianOf(sample, this.before, this.beforeThat);
    this.beforeThat = this.before;
    this.before = sample;
    const { level, duration } = this;
    this.duration++;
    const isAbove = level + 1 < LEVELS.length && median > LEVELS[level + 1] * (1 + MARGIN);
    if (!isAbove && median >= LEVELS[level] * (1 - MARGIN)) return -1;
    this.level = placeIn(LEVELS, median);
    this.duration = 1;
    return level * DURATIONS.length + placeIn(DURATIONS, duration);
  }
}

function medianOf(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

/** Index of the last limit that `value` reaches. */
function placeIn(limits: readonly number[], value: number): number {
  let place = limits.length - 1;
  while (place > 0 && value < limits[place]) place--;
  return place;
}

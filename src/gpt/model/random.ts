import { engineFunctions } from "../base/elementary";
import { InputError } from "../base/errors";
import { SETTINGS } from "../base/settings";
import { allowedIn, isInRange } from "../base/ranges";
import type { Floats } from "./ops";

/** The state of a stream of random numbers. */
export interface RandomState {
  /** The state of xorshift32: from 1 to 2^32 - 1. */
  readonly state: number;
  /** The Gaussian that is kept for the next call, if there is one. */
  readonly spare?: number | undefined;
}

const UNIFORM_STEP = 1 / 0x1000000;
/** UNIFORM_STEP is a power of two: n * ANGLE_STEP has the bits of 2π * (n * UNIFORM_STEP), with one product less. */
const ANGLE_STEP = 2 * Math.PI * UNIFORM_STEP;

/**
 * Marsaglia's xorshift32 (Journal of Statistical Software 8:14, 2003; shifts 13, 17, 5) and the draws
 * that the model needs. The same seed gives the same integers, uniform numbers and indices on every
 * engine. Gaussian numbers are the same with portable functions; with the engine's, which differ in the last bits, they
 * are the same after rounding to float32.
 */
export class Random {
  /** The state of xorshift32, as a signed integer. */
  private state: number;
  private spare = 0;
  private hasSpare = false;

  /** @throws InputError unless `seed` is an integer from 1 to 2^32 - 1: from 0, xorshift32 yields only zeros */
  constructor(seed: number) {
    if (!isInRange(seed, SETTINGS.seed))
      throw new InputError(`The seed must be ${allowedIn(SETTINGS.seed)}, not ${seed}.`);
    this.state = seed | 0;
  }

  /** The state of xorshift32, as a signed integer; never 0. */
  get word(): number {
    return this.state;
  }

  /** The position, from which Random.at() and goTo() continue. */
  get position(): RandomState {
    return { state: this.state >>> 0, spare: this.hasSpare ? this.spare : undefined };
  }

  /** A stream at a position. @throws InputError for an invalid state */
  static at({ state, spare }: RandomState): Random {
    const random = new Random(state);
    random.goTo({ state, spare });
    return random;
  }

  /** A stream of the same numbers, which does not advance this one. */
  copy(): Random {
    return Random.at(this.position);
  }

  /** Continues from a value of `position`. */
  goTo({ state, spare }: RandomState): void {
    this.state = state | 0;
    this.hasSpare = spare !== undefined;
    this.spare = spare ?? 0;
  }

  /** The next state: a signed integer, as XS keeps an unsigned one beyond 2^31 as a double. */
  private next(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x;
  }

  /** An integer from 1 to 2^32 - 1. */
  uint32(): number {
    return this.next() >>> 0;
  }

  /** A multiple of 2^-24 in [0, 1). */
  uniform(): number {
    return (this.next() >>> 8) * UNIFORM_STEP;
  }

  /** An integer in [0, n). */
  index(n: number): number {
    return (this.next() >>> 0) % n;
  }

  /** A normal variate, mean 0 and variance 1, by Box and Muller (1958): they come in pairs, the cosine first. */
  gaussian(functions = engineFunctions): number {
    if (this.hasSpare) {
      this.hasSpare = false;
      return this.spare;
    }
    let u = this.uniform();
    while (u === 0) u = this.uniform();
    const radius = Math.sqrt(-2 * functions.log(u));
    const angle = 2 * Math.PI * this.uniform();
    this.spare = radius * functions.sin(angle);
    this.hasSpare = true;
    return radius * functions.cos(angle);
  }

  /** The first index whose running sum of `probabilities` exceeds a uniform draw. */
  categorical(probabilities: ArrayLike<number>): number {
    const threshold = this.uniform();
    const last = probabilities.length - 1;
    let sum = 0;
    for (let i = 0; i < last; i++) {
      sum += probabilities[i];
      if (sum > threshold) return i;
    }
    return last;
  }
}

/**
 * Fills `numbers` with `scale` times the numbers that `random.gaussian(functions)` would return, in less than half the
 * bytecodes: the step of xorshift32 stands here twice instead of two calls for each pair.
 */
export function fillGaussian(random: Random, numbers: Floats, scale: number, functions = engineFunctions): void {
  const { log, sin, cos } = functions;
  const { sqrt } = Math;
  const { length } = numbers;
  let i = 0;
  let angle: number;
  let radius: number;
  let second = 0;
  if (length > 0 && random.position.spare !== undefined) numbers[i++] = scale * random.gaussian();
  let x = random.word;
  for (; i < length; i += 2) {
    do {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
    } while (x >>> 8 === 0);
    radius = sqrt(-2 * log((x >>> 8) * UNIFORM_STEP));
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    angle = (x >>> 8) * ANGLE_STEP;
    second = radius * sin(angle);
    numbers[i] = scale * (radius * cos(angle));
    numbers[i + 1] = scale * second; // Beyond the end a typed array ignores it.
  }
  if (length > 0) random.goTo({ state: x >>> 0, spare: i > length ? second : undefined });
}

/** Inverts a step of xorshift32: the state before `word`, both as signed integers. */
export function previousState(word: number): number {
  let x = word;
  x ^= (x << 5) ^ (x << 10) ^ (x << 15) ^ (x << 20) ^ (x << 25) ^ (x << 30);
  x ^= x >>> 17;
  x ^= (x << 13) ^ (x << 26);
  return x;
}

/** The seed of a second stream, derived from `seed`: from 1 to 2^32 - 1. */
export function siblingSeed(seed: number): number {
  return (seed ^ 0x5bd1e995) >>> 0 || 1;
}

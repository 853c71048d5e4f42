/*
 * The elementary functions, twice: as the engine has them, and with the same bits on every engine. ECMAScript leaves
 * the last bits of Math.log, sin, cos, exp, pow and cbrt, and of the operator for powers, to the engine. It demands
 * the exact rounding of IEEE 754 from + − × ÷ and Math.sqrt; Math.abs, floor and clz32 are exact too.
 */

/** The elementary functions that a training needs. */
export interface ElementaryFunctions {
  /** The natural logarithm. */
  readonly log: (x: number) => number;
  /** @param x in radians */
  readonly sin: (x: number) => number;
  /** @param x in radians */
  readonly cos: (x: number) => number;
  readonly exp: (x: number) => number;
  readonly pow: (base: number, exponent: number) => number;
  /** The cube root. */
  readonly cbrt: (x: number) => number;
}

/** The engine's own functions: fast, but the last bit of a result differs from engine to engine. */
export const engineFunctions: ElementaryFunctions = Math;

const TWO_30 = 0x40000000;
const TWO_32 = 0x100000000;
const TWO_53 = 0x20000000000000;

/** ln 2 in two parts. The first has 42 bits, so that its product with the exponent of any number is exact. */
const LN_2_HIGH = 0.6931471805598903;
const LN_2_LOW = 5.497923018708371e-14;

/** π/2 in three parts. The first two have 33 bits, so that their products with numbers below 2^20 are exact. */
const HALF_PI_HIGH = 1.5707963267341256;
const HALF_PI_MIDDLE = 6.077100506303966e-11;
const HALF_PI_LOW = 2.0222662487959506e-21;
/** The largest argument of sin and cos: 636,620 times π/2. */
const LARGEST_ANGLE = 1e6;

/**
 * ln x, within 1 ulp; -Infinity for 0, NaN for negative numbers. With x = m·2^e and m from √½ to √2, it is
 * e·ln 2 + ln m. With f = m - 1 and s = f / (2 + f), ln m = 2 artanh s, of which
 * R = 2s²/3 + 2s⁴/5 + … is the series without 2s, divided by s. As 2s = f - s·f, ln m = f - s·(f - R), where only
 * a small part has rounding errors.
 */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return x;
  let e = 0;
  for (; x < 1; e -= 32) x *= TWO_32;
  for (; x >= TWO_32; e += 32) x /= TWO_32;
  const shift = 31 - Math.clz32(x);
  e += shift;
  let m = x / ((1 << shift) >>> 0);
  if (m > Math.SQRT2) {
    m /= 2;
    e++;
  }
  const f = m - 1;
  const s = f / (2 + f);
  const z = s * s;
  let r = 0.09523809523809523 + z * 0.08695652173913043; // 2/21, 2/23
  r = 0.11764705882352941 + z * (0.10526315789473684 + z * r); // 2/17, 2/19
  r = 0.15384615384615385 + z * (0.13333333333333333 + z * r); // 2/13, 2/15
  r = 0.2222222222222222 + z * (0.18181818181818182 + z * r); // 2/9, 2/11
  r = z * (0.6666666666666666 + z * (0.4 + z * (0.2857142857142857 + z * r))); // 2/3, 2/5, 2/7
  return e * LN_2_HIGH + (f - (s * (f - r) - e * LN_2_LOW));
}

/**
 * e^x, within 1 ulp; below 2^-1022, where numbers have fewer bits, within one unit of the last. With k the integer
 * nearest to x / ln 2 and r = x - k·ln 2, it is e^r·2^k. From coth(r/2) = (e^r + 1) / (e^r - 1) follows
 * e^r = 1 + 2r / (c - r) with c = r·coth(r/2) = 2 + q, and q = r²/6 - r⁴/360 + …, by the Bernoulli numbers. As
 * 2r / (2 + q - r) = r + r·(r - q) / (2 + q - r), the quotient is a correction of 1 + r.
 */
export function exp(x: number): number {
  if (x > 710) return Infinity;
  if (x < -746) return 0;
  const k = Math.floor(x * 1.4426950408889634 + 0.5); // 1 / ln 2
  const high = x - k * LN_2_HIGH;
  const low = k * LN_2_LOW;
  const r = high - low;
  const z = r * r;
  let q = -0.0000016534391534391535 + z * (4.17535139757362e-8 - z * 1.0568380277374986e-9); // 2·B/n! for 8, 10, 12
  q = z * (0.16666666666666666 + z * (-0.002777777777777778 + z * (0.00006613756613756614 + z * q))); // for 2, 4, 6
  return scaled(1 + ((r * (r - q)) / (2 + q - r) - low + high), k);
}

/** x·2^k for an integer k; exact unless the result is below 2^-1022. */
function scaled(x: number, k: number): number {
  for (; k <= -32; k += 32) x /= TWO_32;
  for (; k >= 32; k -= 32) x *= TWO_32;
  return k < 0 ? x / ((1 << -k) >>> 0) : x * ((1 << k) >>> 0);
}

/**
 * The sine of an angle from -1,000,000 to 1,000,000, within 3 ulp.
 * @throws RangeError for larger angles
 */
export function sin(x: number): number {
  return x === 0 ? x : sine(x, 0); // -0 stays -0.
}

/**
 * The cosine of an angle from -1,000,000 to 1,000,000, within 3 ulp.
 * @throws RangeError for larger angles
 */
export function cos(x: number): number {
  return sine(x, 1);
}

/**
 * sin(x + turns·π/2). With k the integer nearest to x / (π/2), r = x - k·π/2 is within ±π/4, where the Taylor series
 * converges: of the sine or the cosine, by the parity of k + turns.
 */
function sine(x: number, turns: number): number {
  if (Math.abs(x) > LARGEST_ANGLE) throw new RangeError(`The angle must be within ±${LARGEST_ANGLE}, not ${x}.`);
  const k = Math.floor(x * 0.6366197723675814 + 0.5); // 2/π
  const r = x - k * HALF_PI_HIGH - k * HALF_PI_MIDDLE - k * HALF_PI_LOW;
  const z = r * r;
  const quadrant = (k + turns) & 3;
  let y: number;
  if (quadrant & 1) {
    y = 1.1470745597729725e-11 - z * (4.779477332387385e-14 - z * 1.5619206968586225e-16); // 1/14!, 1/16!, 1/18!
    y = 2.755731922398589e-7 - z * (2.08767569878681e-9 - z * y); // 1/10!, 1/12!
    y = 0.041666666666666664 - z * (0.001388888888888889 - z * (0.0000248015873015873 - z * y)); // 1/4!, 1/6!, 1/8!
    y = 1 - (z / 2 - z * z * y);
  } else {
    y = 1.6059043836821613e-10 - z * (7.647163731819816e-13 - z * 2.8114572543455206e-15); // 1/13!, 1/15!, 1/17!
    y = 0.0000027557319223985893 - z * (2.505210838544172e-8 - z * y); // 1/9!, 1/11!
    y = 0.16666666666666666 - z * (0.008333333333333333 - z * (0.0001984126984126984 - z * y)); // 1/3!, 1/5!, 1/7!
    y = r - r * z * y;
  }
  return quadrant & 2 ? -y : y;
}

/**
 * base^exponent by repeated squaring. The relative error is at most exponent·2^-53.
 * @param exponent a whole number from 0 to 2^53
 * @throws RangeError for any other exponent
 */
export function pow(base: number, exponent: number): number {
  if (!(exponent >= 0 && exponent <= TWO_53 && Math.floor(exponent) === exponent))
    throw new RangeError(`The exponent must be a whole number from 0 to 2^53, not ${exponent}.`);
  let result = 1;
  for (;;) {
    const half = Math.floor(exponent / 2);
    if (exponent !== 2 * half) result *= base;
    if (half === 0) return result;
    base *= base;
    exponent = half;
  }
}

/**
 * The cube root: the nearest number, but for about one argument in 100,000, where it is the second nearest.
 * With |x| = m·8^k and m from 1 to 8, it is c·2^k, where c is the cube root of m. Halley's iteration
 * y·(y³ + 2m) / (2y³ + m) triples the digits, from a parabola within 1.7 % to almost all of them. Then, with t the root
 * rounded to 17 bits, whose cube is exact, m - t³ = (c - t)·(c² + c·t + t²) gives c - t to twice the digits.
 */
export function cbrt(x: number): number {
  if (x === 0 || x - x !== 0) return x; // Zeros, infinities, NaN.
  let m = Math.abs(x);
  let k = 0;
  for (; m < 1; k -= 10) m *= TWO_30;
  for (; m >= TWO_30; k += 10) m /= TWO_30;
  const third = Math.floor((31 - Math.clz32(m)) / 3);
  m /= 1 << (3 * third);
  let y = 0.7625 + m * (0.2681 - m * 0.0147);
  for (let i = 0; i < 2; i++) {
    const cube = y * y * y;
    y *= (cube + m + m) / (cube + cube + m);
  }
  const t = Math.floor(y * 65536 + 0.5) / 65536;
  const root = scaled(t + (m - t * t * t) / (y * y + y * t + t * t), k + third);
  return x < 0 ? -root : root;
}

/** 2^exponent, exactly; `exponent` is whole, and its power a normal number. */
export function powerOfTwo(exponent: number): number {
  const power = pow(2, Math.abs(exponent));
  return exponent < 0 ? 1 / power : power;
}

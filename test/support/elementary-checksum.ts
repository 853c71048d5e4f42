import { crc32 } from "../../src/gpt/base/crc32";
import { type ElementaryFunctions } from "../../src/gpt/base/elementary";
import { Random } from "../../src/gpt/model/random";

const ARGUMENTS = 2000;

/** A checksum of the bits of many results. The arguments are the same on every engine. */
export function elementaryChecksum({ log, sin, cos, exp, pow, cbrt }: ElementaryFunctions): number {
  const random = new Random(42);
  const results: number[] = [];
  for (let i = 0; i < ARGUMENTS; i++) {
    const u = random.uniform();
    results.push(log(u + 1e-12), sin(6.25 * u), cos(6.25 * u), exp(-30 * u), exp(700 * u), cbrt(2000 / (1 + i)));
    results.push(log(1 + u), sin(1000 * u), cos(-1000 * u), pow(0.85, i), pow(0.99, i), pow(1 + u, i));
  }
  return crc32(new Uint8Array(Float64Array.from(results).buffer));
}

import { InputError } from "../../src/gpt/base/errors";
import { Random } from "../../src/gpt/model/random";

/** How many inputs a fuzz test tries; ESP32GPT_FUZZ_RUNS says otherwise. */
export function fuzzRuns(inCi: number): number {
  return Number(process.env.ESP32GPT_FUZZ_RUNS ?? inCi);
}

/** One for a test file, so that a test that is tried once more fails once more. */
const SEED = Number(process.env.ESP32GPT_FUZZ_SEED ?? 1 + (Date.now() % 0xfffffffe));

/** Random numbers of a seed that a failure can be repeated with: ESP32GPT_FUZZ_SEED. */
export function fuzzRandom(): Random {
  console.info(`Fuzzing with ESP32GPT_FUZZ_SEED=${SEED}`);
  return new Random(SEED);
}

export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random.index(choices.length)];
}

/** Text that does harm where it is shown or believed. */
export const HOSTILE: readonly string[] = [
  ...[
    "",
    " ",
    "\0",
    "\n",
    "\r\n",
    "\x1b[2J\x1b[1;31m",
    "\x9b31m",
    "\x7f",
    "\u202egnp.exe",
    "\u2066",
    "\u200b",
    "\ufeff",
  ],
  ...[
    "\ud800",
    "\udfff\ud800",
    "\u{e0041}",
    "é",
    "日本",
    "😀",
    "__proto__",
    "constructor",
    "toString",
    "NaN",
    "Infinity",
  ],
  ...["-1", "1e308", "9007199254740993", "0x10", "x".repeat(2000), "\u0300".repeat(500), "😀".repeat(500)],
];

/** Bytes with some of them changed, taken out or put in. */
export function mutated(random: Random, bytes: Uint8Array): Uint8Array {
  const list = [...bytes];
  for (let n = 1 + random.index(4); n > 0; n--) {
    // Half of the changes are made near the beginning, where headers are.
    const at = random.index(random.index(2) === 0 ? list.length + 1 : Math.min(600, list.length + 1));
    const what = random.index(6);
    if (what === 0) list.splice(at, 1 + random.index(9));
    else if (what === 1) list.splice(at, 0, ...new TextEncoder().encode(pick(random, HOSTILE)));
    else if (what === 2) list.length = at;
    else if (what === 3) list[at] = pick(random, [0, 10, 13, 0x1b, 0x22, 0x2d, 0x5c, 0x80, 0xc0, 0xe9, 0xff]);
    else list[at] = (list[at] ?? 0) ^ (1 << random.index(8));
  }
  return Uint8Array.from(list);
}

/** Whether `error` is a sentence for the user that a terminal can show; throws what is none. */
export function checkSentence(error: unknown): void {
  if (!(error instanceof InputError)) throw error;
  const { message } = error;
  if (!/^[^\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029\u200b\ufeff]+$/u.test(message))
    throw new Error(`A message has characters that do not show: ${JSON.stringify(message)}`);
  if (Buffer.byteLength(message) > 500) throw new Error(`A message has over 500 bytes: ${message}`);
}

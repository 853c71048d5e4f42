import { JsonReader } from "../src/gpt/checkpoint/json-reader";
import { storedBytes } from "../src/places/stored-bytes";
import type { Random } from "../src/gpt/model/random";
import type { StoredFile } from "../src/gpt/base/platform";
import { utf8 } from "./helpers";
import { fuzzRandom, fuzzRuns, HOSTILE, mutated, pick } from "./support/fuzz";

class Bad extends Error {}

function reader(bytes: Uint8Array): JsonReader {
  return new JsonReader(storedBytes(bytes), 0, bytes.length, (what) => new Bad(what));
}

/** Whether all of the text is one value. */
function isJson(bytes: Uint8Array): boolean {
  const json = reader(bytes);
  try {
    json.skip();
    json.finish();
    return true;
  } catch (error) {
    if (!(error instanceof Bad)) throw error;
    return false;
  }
}

/** The same by the engine's own parser. */
function isJsonToEngine(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}

const NUMBERS = [0, -0, 1, -1, 0.5, 1e21, 1e-7, 2 ** 53, -1.5e300, 123456789012345];

function randomValue(random: Random, depth: number): unknown {
  switch (random.index(depth > 0 ? 6 : 4)) {
    case 0:
      return pick(random, NUMBERS);
    case 1:
      return pick(random, [true, false, null]);
    case 2:
    case 3:
      return pick(random, HOSTILE);
    case 4:
      return Array.from({ length: random.index(5) }, () => randomValue(random, depth - 1));
    default:
      return Object.fromEntries(
        Array.from({ length: random.index(5) }, () => [pick(random, HOSTILE), randomValue(random, depth - 1)]),
      );
  }
}

test("takes for JSON what the engine takes for it, whatever befalls it", () => {
  const random = fuzzRandom();
  const count = { sound: 0, broken: 0 };
  for (let run = 0; run < fuzzRuns(3000); run++) {
    const text = JSON.stringify(randomValue(random, 4), undefined, random.index(3));
    expect(isJson(utf8(text))).toBe(true);
    const altered = mutated(random, utf8(text));
    const expected = isJsonToEngine(altered);
    if (isJson(altered) !== expected) throw new Error(`Of ${JSON.stringify(Buffer.from(altered).toString("latin1"))}`);
    count[expected ? "sound" : "broken"]++;
  }
  expect(Math.min(count.sound, count.broken)).toBeGreaterThan(fuzzRuns(3000) / 20);
});

test.each([
  "",
  " ",
  "01",
  "-",
  "1.",
  "1e",
  "+1",
  ".5",
  "tru",
  "nul",
  "[1,]",
  '{"a":1,}',
  '{"a"}',
  '"\\x"',
  '"\\u12g4"',
  '"\t"',
  "1 2",
  "[",
  '{"a":',
  "\ufeff1",
])("%j is no JSON", (text) => expect(isJson(utf8(text))).toBe(false));

test("strings and numbers mean what they mean to the engine", () => {
  for (const text of [...HOSTILE, "a\u0080\u07ff\u0800\uffff😀".repeat(50), '\u2028"\\/\b\f\n\r\t']) {
    const json = reader(utf8(JSON.stringify(text)));
    expect(json.string(Infinity)).toBe(text);
    expect([json.wasCut, json.keptBytes]).toEqual([false, Buffer.byteLength(text)]);
    json.finish();
  }
  expect(reader(utf8('"\\u00e9\\uD83D\\uDE00\\/"')).string(99)).toBe("é😀/");
  for (const n of NUMBERS) expect(reader(utf8(String(n))).number()).toBe(n + 0);
  expect(reader(utf8("9".repeat(400_000))).number()).toBe(NaN);
});

test("of a long string as much is kept as was asked for, and no half of a character", () => {
  const json = reader(utf8(`["${"é".repeat(100_000)}","next"]`));
  const texts: string[] = [];
  json.list(() => texts.push(json.string(7)));
  expect(texts).toEqual(["éééé", "next"]);
  json.finish();
});

const SOME = Array.from('abc# !~"\\\n\u007fé愛😀');

test("a string ends with the character that reaches its limit, wherever pieces and buffers end", () => {
  const random = fuzzRandom();
  for (let run = 0; run < fuzzRuns(2000); run++) {
    const characters = Array.from({ length: random.index(150) }, () => pick(random, SOME));
    const limit = random.index(200);
    let [kept, size] = ["", 0];
    for (const character of characters) {
      if (size >= limit) break;
      kept += character;
      size += Buffer.byteLength(character);
    }
    // What is before it shifts the string within the buffer of 512 bytes.
    const json = reader(utf8(" ".repeat(random.index(600)) + JSON.stringify(characters.join(""))));
    expect(json.string(limit)).toBe(kept);
    expect([json.wasCut, json.keptBytes]).toEqual([kept.length < characters.join("").length, size]);
    json.finish();
  }
});

test("16 levels are read, and more are refused whatever their number", () => {
  expect(isJson(utf8("[".repeat(16) + "]".repeat(16)))).toBe(true);
  for (const levels of [17, 1000, 1_000_000])
    expect(() => reader(utf8('{"a":['.repeat(levels / 2) + "[[")).skip()).toThrow(
      "is not JSON, or has more than 16 levels",
    );
});

test("a text of a megabyte is read a few hundred bytes at a time", () => {
  const bytes = utf8(JSON.stringify({ note: "x".repeat(1 << 20), deep: [[[]]] }));
  let largest = 0;
  const stored = storedBytes(bytes);
  const file: StoredFile = {
    ...stored,
    read(position, into) {
      largest = Math.max(largest, into.length);
      return stored.read(position, into);
    },
  };
  const json = new JsonReader(file, 0, bytes.length, (what) => new Bad(what));
  const keys: string[] = [];
  json.object(100, (key) => {
    keys.push(key);
    json.skip();
  });
  expect([keys, largest]).toEqual([["note", "deep"], 512]);
});

import fc from "fast-check";
import { InputError } from "../src/gpt/base/errors";
import { BOS, isLowercaseAscii, lowercaseVocabulary, Vocabulary } from "../src/gpt/data/vocabulary";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz";

test("BOS is 0, and a to z are 1 to 26: the tokens of the published programs", () => {
  const latin = lowercaseVocabulary();
  expect(BOS).toBe(0);
  expect(latin.size).toBe(27);
  expect(Array.from(ALPHABET, (letter) => latin.tokenOf(letter.charCodeAt(0)))).toEqual(
    Array.from(ALPHABET, (_, i) => i + 1),
  );
  expect(String(latin)).toBe(ALPHABET);
  expect(isLowercaseAscii(latin)).toBe(true);
});

test("nothing else has a token", () => {
  const latin = lowercaseVocabulary();
  const known = Array.from({ length: 0x11000 }, (_, code) => code).filter((code) => latin.tokenOf(code) !== 0);
  expect(String.fromCodePoint(...known)).toBe(ALPHABET);
});

test("every character of any vocabulary is found, and gives itself back", () => {
  const character = fc.integer({ min: 32, max: 0x2fff }).filter((code) => code < 127 || (code > 160 && code < 0x600));
  fc.assert(
    fc.property(fc.uniqueArray(character, { minLength: 1, maxLength: 255 }), (codes) => {
      const sorted = codes.toSorted((a, b) => a - b);
      const vocabulary = new Vocabulary(Uint32Array.from(sorted));
      expect(sorted.map((code) => vocabulary.tokenOf(code))).toEqual(sorted.map((_, i) => i + 1));
      expect(String(vocabulary)).toBe(String.fromCodePoint(...sorted));
      expect(String(Vocabulary.of(String(vocabulary)))).toBe(String(vocabulary));
    }),
  );
});

test.each([
  "",
  "ba",
  "aa",
  "a\n",
  "\u001ba",
  "a\u202e",
  "\ud800",
  String.fromCodePoint(...Array.from({ length: 256 }, (_, i) => 0x4e00 + i)),
])("refuses %j", (text) => {
  expect(() => Vocabulary.of(text)).toThrow(InputError);
});

test("is Latin within a to z only", () => {
  expect(
    ["adz", "a z", "Aa", "é", "{"].map((text) => isLowercaseAscii(Vocabulary.of(Array.from(text).sort().join("")))),
  ).toEqual([true, false, false, false, false]);
});

test("encode writes from a position on, and returns the one behind", () => {
  const tokens = new Uint8Array(6);
  expect(lowercaseVocabulary().encode("emma", tokens, 1)).toBe(5);
  expect([...tokens]).toEqual([0, 5, 13, 13, 1, 0]);
  expect(lowercaseVocabulary().encode("", tokens, 6)).toBe(6);
  expect(Vocabulary.of(" é😀").encode("😀 é", tokens, 0)).toBe(3);
  expect([...tokens]).toEqual([3, 1, 2, 13, 1, 0]);
});

test.each(["Emma", "jo e", "zoë", "x1", "a\0", "a\n", "日本", "😀", "`", "{"])("encode refuses %j", (text) => {
  expect(() => lowercaseVocabulary().encode(text, new Uint8Array(8), 0)).toThrow(InputError);
});

test("encode refuses what does not fit", () => {
  expect(() => lowercaseVocabulary().encode("emma", new Uint8Array(4), 1)).toThrow(RangeError);
});

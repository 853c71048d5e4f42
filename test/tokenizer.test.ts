import { InputError } from "../src/errors";
import { BOS, encode, letterOf, tokenOf, VOCABULARY_SIZE } from "../src/tokenizer";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz";
const LETTERS = ALPHABET.split("");

test("BOS is 0, and a to z are 1 to 26", () => {
  expect(BOS).toBe(0);
  expect(VOCABULARY_SIZE).toBe(27);
  expect(LETTERS.map((letter) => tokenOf(letter.charCodeAt(0)))).toEqual(LETTERS.map((_, i) => i + 1));
  expect(LETTERS.map((_, i) => letterOf(i + 1)).join("")).toBe(ALPHABET);
});

test("nothing else has a token", () => {
  const known = Array.from({ length: 0x10000 }, (_, code) => code).filter((code) => tokenOf(code) !== -1);
  expect(String.fromCharCode(...known)).toBe(ALPHABET);
  expect(tokenOf(NaN)).toBe(-1);
});

test("encode writes from a position on, and returns the one behind", () => {
  const tokens = new Uint8Array(6);
  expect(encode("emma", tokens, 1)).toBe(5);
  expect([...tokens]).toEqual([0, 5, 13, 13, 1, 0]);
  expect(encode("", tokens, 6)).toBe(6);
});

test.each(["Emma", "jo e", "zoë", "x1", "a\0", "a\n", "日本", "😀", "`", "{"])("encode refuses %j", (text) => {
  expect(() => encode(text, new Uint8Array(8), 0)).toThrow(InputError);
});

test("encode refuses what does not fit, and leaves the tokens alone", () => {
  const tokens = new Uint8Array(4);
  expect(() => encode("emma", tokens, 1)).toThrow(RangeError);
  expect([...tokens]).toEqual([0, 0, 0, 0]);
});

import fc from "fast-check";
import { InputError } from "../src/gpt/base/errors";
import { utf8 } from "./helpers";

test("a sentence is left as it is", () => {
  const sentence = 'zoë.txt, line 3: "é" is not in the vocabulary.';
  const error = new InputError(sentence);
  expect([error.message, error.name, error instanceof Error]).toEqual([sentence, "InputError", true]);
});

test.each<[string, string, string]>([
  ["an escape sequence", "a\x1b[31mb", "a\\u{1b}[31mb"],
  ["a line end", "a\r\nb", "a\\u{d}\\u{a}b"],
  ["C1", "a\x9bb", "a\\u{9b}b"],
  ["text turned round", "a\u202eb", "a\\u{202e}b"],
])("%s that slipped in is escaped", (_what, message, shown) => {
  expect(new InputError(message).message).toBe(shown);
});

test("no message is longer than 500 bytes, and none is cut that fits", () => {
  expect(new InputError("x".repeat(500)).message).toBe("x".repeat(500));
  expect(new InputError("x".repeat(501)).message).toBe(`${"x".repeat(497)}…`);
  expect(new InputError("é".repeat(250)).message).toBe("é".repeat(250));
  expect(new InputError("😀".repeat(126)).message).toBe(`${"😀".repeat(124)}…`);
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 700 }), (text) => {
      const { message } = new InputError(text);
      expect(utf8(message).length).toBeLessThanOrEqual(500);
      expect(message).toMatch(/^[^\p{Cc}\p{Cs}\p{Bidi_Control}]*$/u);
    }),
  );
});

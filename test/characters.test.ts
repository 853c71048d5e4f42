// Signs and names of the characters that the page shows.
import { Characters } from "../web/inside/characters";

/** The sign and the name of a character. */
function told(character: string): readonly string[] {
  const characters = new Characters(character);
  return [characters.symbolOf(1), characters.nameOf(1)];
}

test.each([
  ["a", "a", "a"],
  ["あ", "あ", "あ"],
  ["😀", "😀", "😀"],
  [" ", "␣", "space"],
  ["\u00a0", "NBSP", "no-break space, U+00A0"],
  ["\u00ad", "SHY", "soft hyphen, U+00AD"],
  ["\u200d", "ZWJ", "zero-width joiner, U+200D"],
  ["\u0301", "◌\u0301", "mark U+0301"],
  ["\u05b8", "◌\u05b8", "mark U+05B8"],
  ["\u3099", "◌\u3099", "mark U+3099"],
  ["\ufe0f", "U+FE0F", "U+FE0F"],
  ["\u{e0061}", "U+E0061", "U+E0061"],
  ["\u2003", "U+2003", "U+2003"],
  ["\u3164", "U+3164", "U+3164"],
  ["\u2800", "U+2800", "U+2800"],
  ["\ue000", "U+E000", "U+E000"],
])("%j", (character, sign, name) => {
  expect(told(character)).toEqual([sign, name]);
});

test("every character that leaves no ink has a sign that does", () => {
  for (let codePoint = 0x20; codePoint < 0x3100; codePoint++) {
    const character = String.fromCodePoint(codePoint);
    const [sign, name] = told(character);
    expect(sign.trim()).not.toBe("");
    if (/\p{Default_Ignorable_Code_Point}|\p{Z}/u.test(character)) expect(sign).not.toContain(character);
    if (/\p{M}/u.test(character)) expect(name).toMatch(/U\+[0-9A-F]{4}$/);
  }
});

test.each([
  ["abc", "ltr", "▸"],
  ["אבגד", "rtl", "◂"],
  ["ابت", "rtl", "◂"],
  [" -אבa", "rtl", "◂"],
  ["abcא", "ltr", "▸"],
  ["123", "ltr", "▸"],
])("words of %j are read %s", (vocabulary, direction, start) => {
  const characters = new Characters(vocabulary);
  expect([characters.direction, characters.symbolOf(0)]).toEqual([direction, start]);
});

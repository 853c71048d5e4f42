import fc from "fast-check";
import { codePointAt, decodeUtf8, encodeUtf8, utf8Size } from "../src/gpt/base/utf8";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What a browser makes of the bytes. */
function reference(bytes: Uint8Array): string | undefined {
  const text = decoder.decode(bytes);
  // A strict decoder takes long to throw, hundreds of thousands of times; what stands for wrong bytes has others.
  return Buffer.from(text).equals(bytes) ? text : undefined;
}

test("every code point has its bytes, and they are its own", () => {
  const wrong: number[] = [];
  for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) {
    if (codePoint >= 0xd800 && codePoint <= 0xdfff) continue;
    const bytes = encodeUtf8(String.fromCodePoint(codePoint));
    const size = codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
    if (bytes.length !== size || utf8Size(codePoint) !== size || codePointAt(bytes, 0) !== codePoint)
      wrong.push(codePoint);
  }
  expect(wrong).toEqual([]);
});

test("of all one, two and three bytes those are UTF-8 that a browser takes", () => {
  const wrong: string[] = [];
  const bytes = new Uint8Array(3);
  // Behind a lead byte those bytes make a difference that begin or end a range.
  const edges = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
  for (let first = 0; first < 256; first++) {
    for (let second = 0; second < 256; second++) {
      for (const third of edges) {
        bytes.set([first, second, third]);
        for (const length of third === 0 ? [1, 2, 3] : [3]) {
          const piece = bytes.subarray(0, length);
          if (decodeUtf8(piece) !== reference(piece)) wrong.push(piece.join(" "));
        }
      }
    }
  }
  expect(wrong).toEqual([]);
});

test("of four bytes as well", () => {
  const wrong: string[] = [];
  const edges = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0xbf, 0xc0];
  for (let first = 0xe0; first < 256; first++)
    for (let second = 0; second < 256; second++)
      for (const third of edges)
        for (const fourth of edges) {
          const bytes = Uint8Array.of(first, second, third, fourth);
          if (decodeUtf8(bytes) !== reference(bytes)) wrong.push(bytes.join(" "));
        }
  expect(wrong).toEqual([]);
});

test.each<[string, number[]]>([
  ["Latin-1", [0xe9, 0x61]],
  ["an overlong NUL", [0xc0, 0x80]],
  ["an overlong slash in three", [0xe0, 0x80, 0xaf]],
  ["a surrogate", [0xed, 0xa0, 0x80]],
  ["U+110000", [0xf4, 0x90, 0x80, 0x80]],
  ["a cut-off é", [0xc3]],
  ["a byte of the middle", [0x80]],
  ["nothing", []],
])("%s is no character", (_what, bytes) => {
  expect(codePointAt(Uint8Array.from(bytes), 0)).toBe(-1);
});

test("texts and random bytes are read and written as a browser does", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const bytes = encodeUtf8(text);
      expect([...bytes]).toEqual([...new TextEncoder().encode(text)]);
      expect(decodeUtf8(bytes)).toBe(reference(bytes));
    }),
  );
  const byte = fc.oneof(fc.nat(255), fc.constantFrom(0x61, 0x80, 0xbf, 0xc3, 0xe2, 0xed, 0xf0, 0xf4));
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 100 }), (numbers) => {
      const bytes = Uint8Array.from(numbers);
      expect(decodeUtf8(bytes)).toBe(reference(bytes));
    }),
    { numRuns: 5000 },
  );
});

test("a lone surrogate is written as the replacement character", () => {
  expect([...encodeUtf8("a\ud800b")]).toEqual([...new TextEncoder().encode("a\ufffdb")]);
});

import fc from "fast-check";
import { decodeUtf8 } from "../src/gpt/base/utf8";
import { LineEditor } from "../src/device/line-editor";
import { utf8 } from "./helpers";

const TOO_LONG = "!The line is too long: at most 120 bytes.";

/** The lines that come of so many bytes; those that are refused with the answer behind an exclamation mark. */
function linesOf(...pieces: (string | readonly number[])[]): string[] {
  const lines: string[] = [];
  const editor = new LineEditor(
    (line) => void lines.push(line),
    (answer) => void lines.push(`!${answer}`),
  );
  for (const piece of pieces) for (const byte of typeof piece === "string" ? utf8(piece) : piece) editor.take(byte);
  return lines;
}

test.each([
  ["a\nb\n", ["a", "b"]],
  ["a\rb\r", ["a", "b"]],
  ["a\r\nb\r\n", ["a", "b"]],
  ["a\n\rb\r\r\n\nc", ["a", "b"]],
  ["\r\n\r\n", []],
  ["status", []],
  ["stas\btus\x7f\x7fe\n", ["state"]],
  ["ä\u{1f426}\x7f\x7fb\n", ["b"]],
  ["\b\x7fa\n", ["a"]],
  ["generate\t3\n", ["generate 3"]],
  ["zoë žofie 愛 \u{1f426}\n", ["zoë žofie 愛 \u{1f426}"]],
])("%j is %j", (typed, lines) => {
  expect(linesOf(typed)).toEqual(lines);
});

test("a line may have 120 bytes", () => {
  expect(linesOf("x".repeat(120), "\n")).toEqual(["x".repeat(120)]);
  expect(linesOf("ä".repeat(60), "\n")).toEqual(["ä".repeat(60)]);
});

test.each([121, 200, 100_000])("a line of %d bytes is refused whole, once, and the next is heard", (length) => {
  expect(linesOf("x".repeat(length), "\r\n", "status\n")).toEqual([TOO_LONG, "status"]);
});

test("what is too long is not mended by taking back its end", () => {
  expect(linesOf("x".repeat(121), "\b\b\b", "\n")).toEqual([TOO_LONG]);
});

test.each([
  ["a lone continuation byte", [0x80]],
  ["a character that is cut", [0x61, 0xe2, 0x82]],
  ["Latin-1", [0x7a, 0x6f, 0xeb, 0x20]],
  ["an overlong form of two bytes", [0xc0, 0xaf]],
  ["an overlong form of three", [0xe0, 0x80, 0xaf]],
  ["an overlong form of four", [0xf0, 0x80, 0x80, 0xaf]],
  ["a surrogate", [0xed, 0xa0, 0x80]],
  ["a number beyond Unicode", [0xf4, 0x90, 0x80, 0x80]],
  ["0xff", [0xff]],
])("%s is answered with one sentence", (_, bytes) => {
  expect(linesOf(bytes, "\r\n", "status\n")).toEqual(["!The line is not UTF-8: set the terminal to UTF-8.", "status"]);
});

test.each(["\x1b[A", "\0", "a\x03b"])("%j is refused: it has a control character", (typed) => {
  expect(linesOf(typed, "\n", "status\n")).toEqual([
    "!The line has a control character (arrow key?): type it again without it.",
    "status",
  ]);
});

test("text is decoded as TextDecoder does it, and so are bytes that are none", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const expected = (bytes: Uint8Array): string | undefined => {
    try {
      return decoder.decode(bytes);
    } catch {
      return undefined;
    }
  };
  const text = fc.string({ unit: "binary" }).map(utf8);
  // Mostly first and continuation bytes, so that something comes of them.
  const byte = fc.oneof(fc.integer({ min: 0x80, max: 0xbf }), fc.integer({ min: 0xc0, max: 0xff }), fc.nat(0x7f));
  const noise = fc.array(byte, { maxLength: 6 }).map((bytes) => Uint8Array.from(bytes));
  fc.assert(
    fc.property(fc.oneof(text, noise), (bytes) => {
      expect(decodeUtf8(bytes)).toBe(expected(bytes));
    }),
    { numRuns: 5000 },
  );
});

test("whatever is typed, a line end is answered at most once, and a line is never over 120 bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const ends = bytes.filter((byte) => byte === 10 || byte === 13).length;
      const lines = linesOf([...bytes]);
      expect(lines.length).toBeLessThanOrEqual(ends);
      for (const line of lines) expect(utf8(line).length).toBeLessThanOrEqual(120);
    }),
    { numRuns: 2000 },
  );
});

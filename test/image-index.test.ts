// The list of the images that lie beside the page.
import { InputError } from "../src/gpt/base/errors";
import { documentOf, fencedBlocks } from "./support/documents";
import { listed } from "./support/full-image";
import { parseIndex } from "../web/board/image-index";

const ENTRY = listed(Buffer.alloc(900_000));

test("the list that docs/page.md shows is one, with every field of an image", () => {
  const blocks = fencedBlocks(documentOf("docs/page.md")).filter(({ language }) => language === "json");
  expect(blocks).toHaveLength(1);
  const [{ text }] = blocks;
  const { source, images } = JSON.parse(text) as { source: string; images: { offset: number }[] };
  expect(images.map((image) => Object.keys(image).sort())).toEqual([Object.keys(ENTRY).sort()]);
  const listed = images.map(({ offset, ...image }) => {
    expect(offset).toBe(0);
    return image;
  });
  expect(parseIndex(text)).toEqual({ source, images: listed });
});

test("a list as docs/page.md has it", () => {
  const { offset, ...listed } = ENTRY;
  expect(offset).toBe(0);
  expect(parseIndex(JSON.stringify({ images: [ENTRY] }))).toEqual({ source: "", images: [listed] });
  const source = "https://example.org/esp32gpt-1.2.3.tar.gz";
  expect(parseIndex(JSON.stringify({ source, images: [], more: 1 }))).toEqual({ source, images: [] });
});

test.each<[string, unknown, RegExp]>([
  ["no JSON", "<html>", /is no JSON/],
  ["no list", { images: "all" }, /no list "images"/],
  ["null", "null", /no list "images"/],
  ["too many", { images: Array.from({ length: 51 }, () => ENTRY) }, /more than 50/],
  ["no object", { images: [ENTRY, "x"] }, /no object as image 2/],
  ["a path", { images: [{ ...ENTRY, file: "../secret.bin" }] }, /wrong "file" in image 1/],
  ["an address", { images: [{ ...ENTRY, file: "https://example.org/x.bin" }] }, /wrong "file"/],
  ["a backslash", { images: [{ ...ENTRY, file: "..\\x.bin" }] }, /wrong "file"/],
  ["an encoded path", { images: [{ ...ENTRY, file: "..%2fx.bin" }] }, /wrong "file"/],
  ["a name that is none", { images: [{ ...ENTRY, name: {} }] }, /wrong "name"/],
  ["a chip of a prototype", { images: [{ ...ENTRY, chip: "constructor" }] }, /wrong "chip"/],
  ["a flash of a prototype", { images: [{ ...ENTRY, flash: "toString" }] }, /wrong "flash"/],
  ["a size beyond all", { images: [{ ...ENTRY, bytes: 1e300 }] }, /wrong "bytes"/],
  ["an offset", { images: [{ ...ENTRY, offset: 4096 }] }, /wrong "offset"/],
  ["no hash", { images: [{ ...ENTRY, sha256: undefined }] }, /wrong "sha256"/],
  ["a script for a source", { source: "javascript:alert(1)", images: [] }, /wrong "source"/],
])("%s is refused in a sentence", (_name, index, message) => {
  const parse = (): unknown => parseIndex(typeof index === "string" ? index : JSON.stringify(index));
  expect(parse).toThrow(InputError);
  expect(parse).toThrow(/^The list of images \(images\/index\.json\) [^\n]+: tell whoever publishes this page\.$/);
  expect(parse).toThrow(message);
});

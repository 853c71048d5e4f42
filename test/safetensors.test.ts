import { InputError } from "../src/gpt/base/errors";
import {
  formatSafetensorsHeader,
  readSafetensorsHeader,
  type SafetensorsHeader,
} from "../src/gpt/checkpoint/safetensors";
import { storedBytes } from "../src/places/stored-bytes";
import { fileOf, headerOf, safetensors } from "./support/safetensors-file";

function read(bytes: Uint8Array): SafetensorsHeader {
  return readSafetensorsHeader(storedBytes(bytes), "f.safetensors");
}

function expectRefusal(bytes: Uint8Array, message: RegExp): void {
  expect(() => read(bytes)).toThrow(InputError);
  expect(() => read(bytes)).toThrow(message);
}

test("reads a file as Python's safetensors writes it", () => {
  const file = safetensors(
    [
      { name: "a", dtype: "F32", shape: [2, 2], values: [1, 2, 3, 4] },
      { name: "b", dtype: "F64", shape: [1], values: [5] },
      { name: "empty", dtype: "F32", shape: [0, 3], values: [] },
    ],
    { format: "pt", note: "é 100 % 日本" },
  );
  const { metadata, tensors } = read(file);
  expect(Object.fromEntries(metadata)).toEqual({ format: "pt", note: "é 100 % 日本" });
  const start = file.length - 24;
  expect(Object.fromEntries(tensors)).toEqual({
    a: { type: "F32", shape: [2, 2], begin: start, end: start + 16 },
    b: { type: "F64", shape: [1], begin: start + 16, end: start + 24 },
    empty: { type: "F32", shape: [0, 3], begin: start + 24, end: start + 24 },
  });
});

test("writes a header that the format's description reads", () => {
  const bytes = formatSafetensorsHeader(new Map([["step", "7"]]), [
    { name: "x", type: "F32", shape: [3, 5] },
    { name: "y", type: "F64", shape: [2] },
  ]);
  const { metadata, tensors, start } = headerOf(bytes);
  expect(start).toBe(bytes.length);
  expect(start % 8).toBe(0);
  expect(metadata).toEqual({ step: "7" });
  expect(tensors).toEqual([
    { name: "x", dtype: "F32", shape: [3, 5], offsets: [0, 60] },
    { name: "y", dtype: "F64", shape: [2], offsets: [60, 76] },
  ]);
});

test("metadata that are not ASCII are written as UTF-8", () => {
  const metadata = { note: "zoë 日本 😀 \u2028", lone: "\ud800" };
  const bytes = formatSafetensorsHeader(new Map(Object.entries(metadata)), [{ name: "é", type: "F32", shape: [0] }]);
  expect(headerOf(bytes)).toMatchObject({ metadata, tensors: [{ name: "é" }], start: bytes.length });
  expect(Object.fromEntries(read(bytes).metadata)).toEqual(metadata);
});

test("tensors of other types are left to those who read them", () => {
  const file = fileOf(
    {
      a: { dtype: "F8_E4M3", shape: [3], data_offsets: [0, 3] },
      b: { dtype: "constructor", shape: [1], data_offsets: [3, 4] },
    },
    new Uint8Array(4),
  );
  expect([...read(file).tensors.values()].map(({ type }) => type)).toEqual(["F8_E4M3", "constructor"]);
});

test("a header of more than a megabyte is beyond a limit of ours, not a defect", () => {
  const file = fileOf(
    `{"a":${JSON.stringify({ dtype: "F32", shape: [1], data_offsets: [0, 4] })}}`.padEnd(1 << 21),
    new Uint8Array(4),
  );
  expectRefusal(file, /^f\.safetensors cannot be used: its header has 2097152 bytes; at most 1048576 are read\.$/);
});

describe("limits", () => {
  const file = safetensors(
    ["own", ...Array.from({ length: 9 }, (_, i) => `foreign ${i}`)].map((name) => ({
      ...{ name, dtype: "F32", shape: [1], values: [1] },
    })),
    { note: "x".repeat(900), step: "7", build: "y".repeat(30) },
  );
  const limits = {
    bytes: 4096,
    tensors: 10,
    valueBytes: 31,
    keepsMetadata: (key: string) => key !== "note",
    keepsTensor: (name: string) => name === "own",
  };
  const readWithin = (altered: Partial<typeof limits>): SafetensorsHeader =>
    readSafetensorsHeader(storedBytes(file), "f", { ...limits, ...altered });

  test("what was not asked for is not kept, but counted", () => {
    const { metadata, tensors, others, otherCount } = readWithin({});
    expect([...metadata.keys()]).toEqual(["step", "build"]);
    expect([...tensors.keys()]).toEqual(["own"]);
    expect([others, otherCount]).toEqual([["foreign 0", "foreign 1", "foreign 2", "foreign 3"], 9]);
  });

  test.each([
    [{ bytes: 500 }, /^f cannot be used: its header has \d+ bytes; at most 500 are read\.$/],
    [{ tensors: 9 }, /^f cannot be used: its header has more tensors; at most 9 are read\.$/],
    [{ valueBytes: 30 }, /^f cannot be used: its header has more bytes of values; at most 30 are read\.$/],
  ])("%j is told", (altered, message) => {
    expect(() => readWithin(altered)).toThrow(InputError);
    expect(() => readWithin(altered)).toThrow(message);
  });

  test("what is there twice is refused", () => {
    const one = '{"dtype":"F32","shape":[1],"data_offsets":';
    expectRefusal(fileOf(`{"a":${one}[0,4]},"a":${one}[4,8]}}`, new Uint8Array(8)), /a is there twice/);
    expectRefusal(fileOf('{"__metadata__":{"k":"1","k":"2"}}', new Uint8Array(0)), /__metadata__ has k twice/);
  });
});

const four = new Uint8Array(4);
const tensor = { dtype: "F32", shape: [1], data_offsets: [0, 4] };

test.each<[string, Uint8Array, RegExp]>([
  ["an empty file", new Uint8Array(0), /only 0 bytes/],
  ["seven bytes", new Uint8Array(7), /only 7 bytes/],
  ["a header length of 0", fileOf({ a: tensor }, four, 0n), /not JSON/],
  ["a header longer than the file", fileOf({ a: tensor }, four, 1000n), /claims 1000 bytes, but the file has only/],
  ["a header that eats the data", fileOf({ a: tensor }, four, 60n), /./],
  ["a header length of 2^63", fileOf({ a: tensor }, four, 1n << 63n), /claims/],
  ["a header length of 2^64 - 1", fileOf({ a: tensor }, four, (1n << 64n) - 1n), /claims/],
  ["a header that is no JSON", fileOf("{a:1}", four), /not JSON/],
  ["a header nested beyond reason", fileOf("[".repeat(200_000), four), /not JSON/],
  ["a header in broken UTF-8", fileOf({ a: tensor }, four).fill(0xff, 10, 11), /not UTF-8/],
  ["a list for a header", fileOf("[]", four), /not a JSON object/],
  ["null for a header", fileOf("null", four), /not a JSON object/],
  ["a tensor that is no object", fileOf({ a: 3 }, four), /no object for a/],
  ["metadata that are a list", fileOf({ __metadata__: [], a: tensor }, four), /no object for __metadata__/],
  ["a number in the metadata", fileOf({ __metadata__: { n: 1 }, a: tensor }, four), /no string for n/],
  ["null in the metadata", fileOf({ __metadata__: { n: null }, a: tensor }, four), /no string for n/],
  ["half precision of the wrong size", fileOf({ a: { ...tensor, dtype: "F16" } }, four), /a has 4 bytes, but F16/],
  ["no type", fileOf({ a: { shape: [1], data_offsets: [0, 4] } }, four), /a has no proper dtype/],
  ["a name that moves the cursor", fileOf({ "\x1b[2J": 3 }, four), /no object for \\u\{1b\}\[2J\.$/],
  ["a shape of many sizes", fileOf({ a: { ...tensor, shape: [2, ...new Array<number>(999).fill(1)] } }, four), /…/],
  ["no shape", fileOf({ a: { dtype: "F32", data_offsets: [0, 4] } }, four), /no proper shape/],
  ["a negative size", fileOf({ a: { ...tensor, shape: [-1] } }, four), /no proper shape/],
  ["a broken size", fileOf({ a: { ...tensor, shape: [0.5] } }, four), /no proper shape/],
  ["a size in letters", fileOf({ a: { ...tensor, shape: ["1"] } }, four), /no proper shape/],
  ["sizes beyond all numbers", fileOf({ a: { ...tensor, shape: [2 ** 53, 2 ** 53] } }, four), /a has/],
  ["no offsets", fileOf({ a: { dtype: "F32", shape: [1] } }, four), /no proper data_offsets/],
  ["three offsets", fileOf({ a: { ...tensor, data_offsets: [0, 2, 4] } }, four), /no proper data_offsets/],
  ["offsets backwards", fileOf({ a: { ...tensor, data_offsets: [4, 0] } }, four), /a has -4 bytes/],
  ["offsets that do not fit the shape", fileOf({ a: { ...tensor, shape: [2] } }, four), /a has 4 bytes/],
  ["a gap at the start", fileOf({ a: { ...tensor, data_offsets: [4, 8] } }, new Uint8Array(8)), /a does not begin/],
  [
    "a gap between",
    fileOf({ a: tensor, b: { ...tensor, data_offsets: [8, 12] } }, new Uint8Array(12)),
    /b does not begin/,
  ],
  ["an overlap", fileOf({ a: tensor, b: { ...tensor, data_offsets: [2, 6] } }, new Uint8Array(6)), /b does not begin/],
  ["two tensors on one place", fileOf({ a: tensor, b: tensor }, four), /b does not begin/],
  ["bytes behind the tensors", fileOf({ a: tensor }, new Uint8Array(5)), /end at byte/],
  ["too few bytes for the tensors", fileOf({ a: tensor }, new Uint8Array(3)), /end at byte/],
])("refuses %s", (_what, bytes, message) => expectRefusal(bytes, message));

test("refuses a file cut off anywhere", () => {
  const file = safetensors([{ name: "a", dtype: "F32", shape: [2, 2], values: [1, 2, 3, 4] }], { k: "v" });
  for (let length = 0; length < file.length; length++) expectRefusal(file.slice(0, length), /not a sound safetensors/);
});

import type { Host } from "../../host/xs/host";
import { datasetKernels } from "../../src/gpt/native/native-ops";
import { CHARACTERS, COUNT, createScanResult, ENTRIES, PROBLEM, scan, skip } from "../../src/gpt/data/scan";
import { encodeUtf8 } from "../../src/gpt/base/utf8";
import type { Answer, Refused } from "./scan-answer";

// Runs on XS: tells xs-scan.test.ts what gpt_text.c does with arguments of all kinds.

declare const host: Host;
declare function native(name: string): never;

type Call = (...args: unknown[]) => unknown;
const scanInC: Call = native("gpt_xs_scan");
const skipInC: Call = native("gpt_xs_skip");
const encodeUtf8InC: Call = native("gpt_xs_encode_utf8");

const UNTOUCHED = 0xa5;
const LIST = encodeUtf8("ann\nzoë\n\nbob");
const NAMES = ["index", "characters", "numbers"];
const SIZES = [1280 * 4, 255 * 4, 12 * 4];

/** Whether the C finds in a list what the TypeScript finds. */
function isSame(bytes: Uint8Array): boolean {
  const [inC, expected] = [createScanResult(), createScanResult()];
  datasetKernels.scan(bytes, inC);
  scan(bytes, expected);
  const { index, characters, numbers } = expected;
  const isEqual = (a: Uint32Array, b: Uint32Array, count: number): boolean =>
    a.subarray(0, count).every((value, i) => value === b[i]);
  let at = index[0];
  for (let i = 1; numbers[PROBLEM] === 0 && i < numbers[COUNT]; i++) {
    const next = skip(bytes, at, 1);
    if (datasetKernels.skip(bytes, at, 1) !== next) return false;
    at = next;
  }
  return (
    isEqual(inC.numbers, numbers, numbers.length) &&
    isEqual(inC.index, index, numbers[ENTRIES]) &&
    isEqual(inC.characters, characters, numbers[CHARACTERS])
  );
}

/** Calls it, and says what it threw and whether it has written to any of the buffers. */
function attempt(wrong: string, call: () => unknown, buffers: readonly Uint8Array[]): Refused {
  let error: string | null = null;
  try {
    call();
  } catch (thrown) {
    error = thrown instanceof Error ? thrown.name : String(thrown);
  }
  return { wrong, error, isTouched: buffers.some((bytes) => bytes.some((byte) => byte !== UNTOUCHED)) };
}

function refusals(): Refused[] {
  const all: Refused[] = [];
  const put = (i: number, wrong: string, change: (view: Uint8Array) => unknown): void => {
    // Eight bytes more on both sides, for what is too large or written outside.
    const buffers = SIZES.map((size) => new Uint8Array(size + 16).fill(UNTOUCHED));
    const views: unknown[] = buffers.map((buffer, i) => buffer.subarray(8, 8 + SIZES[i]));
    const args = [LIST, ...views];
    args[i] = change(args[i] as Uint8Array);
    all.push(attempt(`${["bytes", ...NAMES][i]} ${wrong}`, () => scanInC(...args), buffers));
  };
  for (const i of [1, 2, 3]) {
    put(i, "size 0", () => new Uint8Array(0));
    put(i, "size 4 too few", (view) => view.subarray(4));
    put(i, "size 1 too few", (view) => view.subarray(0, -1));
    put(i, "size 4 too many", (view) => new Uint8Array(view.buffer, 8, view.length + 4));
    for (const by of [1, 2, 3]) put(i, `size, ${by} off`, (view) => new Uint8Array(view.buffer, 8 + by, view.length));
  }
  for (const i of [0, 1, 2, 3]) {
    put(i, "of integers", (view) => new Uint32Array(view.buffer, view.byteOffset, view.length >> 2));
    for (const wrong of [undefined, null, 7, "text", [], {}]) put(i, `is ${JSON.stringify(wrong)}`, () => wrong);
  }
  for (const at of [-1, LIST.length + 1, 2 ** 31 - 1])
    all.push(attempt(`size: at ${at}`, () => skipInC(LIST, at, 1), []));
  all.push(attempt("size: -1 documents", () => skipInC(LIST, 0, -1), []));
  all.push(attempt("skip without bytes", () => skipInC(undefined, 0, 0), []));
  return all;
}

/** Texts that are encoded otherwise: of all code points, 64 at a time, and some that are put together here. */
function otherTexts(): string[] {
  const halves = ["\ud83d", "\ude00", "a", "\0", "é", "€"];
  const texts = [
    "",
    "a text",
    "\ud83d",
    "😀",
    ...halves.flatMap((a) => halves.flatMap((b) => halves.map((c) => a + b + c))),
  ];
  for (let first = 0; first <= 0x10ffff; first += 64)
    texts.push(String.fromCodePoint(...Array.from({ length: 64 }, (_, i) => first + i)));
  return texts.filter((text) => String(datasetKernels.encodeUtf8?.(text)) !== String(encodeUtf8(text)));
}

const answer: Answer = {
  otherTexts: otherTexts().map((text) => JSON.stringify(text)),
  noTexts: [[], [undefined], [7], [LIST], [{}]].map((args) => attempt("", () => encodeUtf8InC(...args), [])),
  refusals: refusals(),
  isSame: [new Uint8Array(host.names), LIST, new Uint8Array(0), Uint8Array.of(0x61, 0xff)].map(isSame),
  ends: [0, LIST.length].map((at) => skipInC(LIST, at, 1000) as number),
  size: LIST.length,
};
host.write(`${JSON.stringify(answer)}\n`);

import type { Host } from "../../host/xs/host";
import { textTools } from "../../src/moddable/ops/native-ops";
import type { Findings, TextTools } from "../../src/platform";
import { CHARACTERS, COUNT, createFindings, ENTRIES, PROBLEM, scan, skip } from "../../src/data/scan";
import { encodeUtf8 } from "../../src/data/utf8";
import type { Answer, Refused } from "./scan-answer";

// Runs on XS: tells xs-scan.test.ts what gpt-text.c does with arguments of all kinds.

declare const host: Host;
declare function native(name: string): never;

type Call = (...args: unknown[]) => unknown;
const scanInC: Call = native("xs_gpt_scan");
const skipInC: Call = native("xs_gpt_skip");

const UNTOUCHED = 0xa5;
const LIST = encodeUtf8("ann\nzoë\n\nbob");
const NAMES = ["index", "characters", "numbers"];
const SIZES = [1280 * 4, 255 * 4, 10 * 4];

/** What there is to be seen of a list, by these tools. */
function seen({ scan, skip }: TextTools, bytes: Uint8Array): number[] {
  const { index, characters, numbers }: Findings = createFindings();
  scan(bytes, { index, characters, numbers });
  const offsets: number[] = [];
  for (let i = 0; numbers[PROBLEM] === 0 && i < numbers[COUNT]; i++)
    offsets.push(i === 0 ? index[0] : skip(bytes, offsets[i - 1], 1));
  const entries = index.slice(0, numbers[ENTRIES]);
  return [...numbers, ...entries, ...characters.slice(0, numbers[CHARACTERS]), ...offsets];
}

function isSame(bytes: Uint8Array): boolean {
  const [a, b] = [seen(textTools, bytes), seen({ scan, skip }, bytes)];
  return a.length === b.length && a.every((value, i) => value === b[i]);
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

const answer: Answer = {
  refusals: refusals(),
  isSame: [new Uint8Array(host.names), LIST, new Uint8Array(0), Uint8Array.of(0x61, 0xff)].map(isSame),
  ends: [0, LIST.length].map((at) => skipInC(LIST, at, 1000) as number),
  size: LIST.length,
};
host.write(`${JSON.stringify(answer)}\n`);

import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import {
  CHARACTERS,
  COUNT,
  createScanResult,
  ENTRIES,
  LETTERS,
  PROBLEM,
  PROBLEM_AT,
  PROBLEM_LINE,
  LONGEST,
  RETURN_LINE,
  scan,
  SHORTEST,
  SHORTEST_LINE,
  skip,
  STRIDE,
} from "../src/gpt/data/scan";
import { NAMES_FILE, ROOT, utf8 } from "./helpers";
import { temporaryFolder } from "./support/cli";
import { fuzzRandom, fuzzRuns } from "./support/fuzz";
import { type Expected, expectedOf, randomList } from "./support/lists";
import { skipUnless } from "./support/skipping";

/*
 * The pass over a list: scan.ts against the engine's own decoder, and gpt_text.c against scan.ts. The C
 * runs in a program of its own, support/scan.c, as it is and under AddressSanitizer and
 * UndefinedBehaviorSanitizer.
 */

const COMPILER = process.env.CC ?? "cc";
const OPS = join(ROOT, "src", "gpt", "native");
const SOURCES = [join(OPS, "gpt_text.c"), join(ROOT, "test", "support", "scan.c")];
const STRICT = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-I", OPS];
const SANITIZED = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
const MAX_INSTRUCTIONS = 50;
const ALPHABETS = join(ROOT, "test", "data", "alphabet");
const LISTS = [NAMES_FILE, ...textFiles(ALPHABETS).map((name) => join(ALPHABETS, name))].map(
  (file): [string, Uint8Array] => [basename(file), readFileSync(file)],
);
const at = temporaryFolder();

function textFiles(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith(".txt"));
}

function succeeds(program: string, ...options: string[]): boolean {
  return spawnSync("sh", ["-c", `${program} "$@"`, program, ...options], { stdio: "pipe" }).status === 0;
}

/** So often that it has at least this size. */
function repeated(list: Uint8Array, size: number): Uint8Array {
  return Uint8Array.from(Buffer.concat(Array.from({ length: Math.ceil(size / list.length) }, () => list)));
}

function letters(count: number, from = 0x100): string {
  return Array.from({ length: count }, (_, i) => String.fromCodePoint(from + i)).join("");
}

const EDGES: Record<string, string | number[]> = {
  nothing: "",
  "a mark only": "\ufeff",
  "a mark and a line end": "\ufeff\r\n",
  "two marks": "\ufeff\ufeffann\n",
  "part of a mark": [0xef, 0xbb],
  "a mark and white space": "\ufeff \u3000ann",
  "one character": "a",
  "one of four bytes": "\u{10ffff}",
  newlines: "\n\n\n",
  "white space only": " \t\u00a0\u3000\r",
  "white space in all lines": " \n\t\n\u3000\n\u0085\r\n\u2028\n",
  "white space around": "\u3000\u00a0ann\u1680\u2029\n\x1cbob\x1f\r\n \u2000cy\u200a ",
  "white space inside": "new  york\na\u00a0\u3000b\n",
  "white space that is cut off": [0x61, 0xe3, 0x80],
  "two bytes, cut off": [0x61, 0xc3],
  "three bytes, cut off": [0x61, 0xe6, 0x9d],
  "four bytes, cut off": [0x61, 0xf0, 0x9f, 0x98],
  "white space before what is cut off": [0x61, 0x20, 0xe2, 0x80],
  "a tab inside": "ann\n\tbob\tcy\t\n",
  "a tab before what is broken": [0x61, 0x09, 0xff],
  "a space before what is broken": [0x61, 0x20, 0xff],
  "a return inside": "ann\rbob\n",
  "U+2028 inside": "a\u2028b",
  "U+0085 inside": "a\u0085b",
  "Windows line ends": "ann\r\nbob\r\n\r\ncy",
  "line ends of old Macs": "ann\r\rzoe\rbob\r",
  "all line ends": "\n\rann\r\r\nbob\r \ncy\rdee\r\n\r\reve \rf",
  "a return before a problem": "ann\rb\tc\r",
  "blank lines": "\n\nann\n \n\nbob\n\n",
  "no last newline": "ann\nbob",
  "a long run of spaces": `a${" ".repeat(5000)}b${" ".repeat(5000)}\nc`,
  "no character twice": "a\u0300\u00e0\n",
  "the shortest last": "anna\nbob\nal\ncy\na",
  "255 characters": letters(255),
  "255 characters and again": `${letters(255)}\n${letters(255)}`,
  "255 characters of one byte and more": ` !~${letters(252)}~`,
  "256 characters": letters(256),
  "256 characters, the last of one byte": `${letters(255)}\na`,
  "256 characters, the last a space": `${letters(255)}\n\u0100 \u0100`,
  "255 characters and spaces around": ` ${letters(255)} \n \u0100\u3000`,
  "descending characters": Array.from(letters(255)).reverse().join("\n"),
  ...Object.fromEntries(
    [1279, 1280, 1281, 2559, 2560, 2561, 5120, 5121, 20_000].map((count) => [
      `${count} documents`,
      Array.from({ length: count }, (_, i) => "ab".repeat(1 + (i % 3)) + (i % 5 === 0 ? "\r\n\n" : "\n")).join(""),
    ]),
  ),
};
const EDGE_LISTS = Object.entries(EDGES).map(([what, list]): [string, Uint8Array] => [
  what,
  typeof list === "string" ? utf8(list) : Uint8Array.from(list),
]);

const random = fuzzRandom();
const RANDOM_LISTS = Array.from({ length: fuzzRuns(1500) }, () => randomList(random));

/** What scan.ts finds, and where skip() finds the documents: from one to the next, then from the index. */
function findingsOf(bytes: Uint8Array): Uint32Array {
  const { index, characters, numbers } = createScanResult();
  scan(bytes, { index, characters, numbers });
  const offsets: number[] = [];
  const isSound = numbers[PROBLEM] === 0;
  for (let i = 0; isSound && i < numbers[COUNT]; i++) offsets.push(i === 0 ? index[0] : skip(bytes, offsets[i - 1], 1));
  const stride = numbers[STRIDE];
  for (let i = 0; isSound && i < numbers[COUNT]; i++)
    offsets.push(skip(bytes, index[Math.floor(i / stride)], i % stride));
  return Uint32Array.from([
    ...numbers,
    ...index.subarray(0, numbers[ENTRIES]),
    ...characters.subarray(0, numbers[CHARACTERS]),
    ...offsets,
  ]);
}

/** Expects scan.ts to find what is there. */
function check(bytes: Uint8Array): Expected {
  const expected = expectedOf(bytes);
  const { offsets, problem } = expected;
  const count = offsets.length;
  let stride = 1;
  while (count > 1280 * stride) stride *= 2;
  const { index, characters, numbers } = createScanResult();
  scan(bytes, { index, characters, numbers });
  const figures = [COUNT, ENTRIES, STRIDE, SHORTEST, SHORTEST_LINE, LETTERS, CHARACTERS, PROBLEM, RETURN_LINE, LONGEST];
  expect(figures.map((i) => numbers[i])).toEqual([
    ...[count, Math.ceil(count / stride), stride, expected.shortest, expected.shortestLine, expected.letters],
    ...[expected.characters.length, problem?.kind ?? 0, expected.returnLine, expected.longest],
  ]);
  if (problem) expect([numbers[PROBLEM_AT], numbers[PROBLEM_LINE]]).toEqual([problem.at, problem.line]);
  expect([...characters.subarray(0, numbers[CHARACTERS])]).toEqual(expected.characters);
  expect([...index.subarray(0, numbers[ENTRIES])]).toEqual(offsets.filter((_, i) => i % stride === 0));
  if (!problem) expect([...findingsOf(bytes).slice(-2 * count || Infinity)]).toEqual([...offsets, ...offsets]);
  return expected;
}

describe("finds what the engine's decoder finds:", () => {
  test.each(EDGE_LISTS)("%s", (_what, list) => {
    check(list);
  });

  test.each(LISTS)("%s", (_name, list) => {
    check(list);
  });

  test("random lists", () => {
    const kinds = [0, 0, 0, 0];
    for (const list of RANDOM_LISTS) {
      try {
        kinds[check(list).problem?.kind ?? 0]++;
      } catch (error) {
        throw new Error(`Of the list ${Buffer.from(list).toString("hex")}`, { cause: error });
      }
    }
    console.info(`${kinds.join(", ")} lists without problem, no UTF-8, not admissible, with too many characters`);
    // Each is worth nothing where there are none of it.
    if (RANDOM_LISTS.length >= 1000) expect(kinds.filter((count) => count < RANDOM_LISTS.length / 200)).toEqual([]);
  });
});

const inC = skipUnless(succeeds(COMPILER, "--version"), `gpt_text.c, which needs a C compiler (${COMPILER})`);

inC.describe("gpt_text.c", () => {
  const compile = (program: string, ...options: string[]): void => {
    const all = [...STRICT, ...options, ...SOURCES, "-o", at(program)];
    execFileSync("sh", ["-c", `${COMPILER} "$@"`, COMPILER, ...all], { stdio: "pipe" });
  };

  beforeAll(() => {
    compile("plain", "-O2");
    compile("sanitized", ...SANITIZED);
  });

  /** What the program writes about these lists. */
  const run = (command: readonly string[], lists: readonly Uint8Array[]): { said: Uint32Array; stderr: string } => {
    const input = Buffer.concat(lists.flatMap((list) => [new Uint8Array(Uint32Array.of(list.length).buffer), list]));
    const { status, stdout, stderr } = spawnSync(command[0], command.slice(1), {
      input,
      maxBuffer: 1 << 30,
      timeout: 50_000,
    });
    if (status !== 0) throw new Error(`It ended with ${status ?? "a signal"}: ${stderr.toString()}`);
    return { said: new Uint32Array(Uint8Array.from(stdout).buffer), stderr: stderr.toString() };
  };

  const expectSame = (program: string, lists: readonly Uint8Array[]): void => {
    const { said } = run([at(program)], lists);
    let from = 0;
    for (const list of lists) {
      const expected = findingsOf(list);
      const found = said.subarray(from, (from += expected.length));
      if (expected.every((value, i) => found[i] === value)) continue;
      const begin = Buffer.from(list.subarray(0, 1000)).toString("hex");
      expect({ begin, found: [...found] }).toEqual({ begin, found: [...expected] });
    }
    expect(said).toHaveLength(from);
  };

  describe.each(["plain", "sanitized"])("%s, finds what scan.ts finds:", (program) => {
    test("in lists at the edge", () =>
      expectSame(
        program,
        EDGE_LISTS.map(([, list]) => list),
      ));
    test.each(LISTS)("in %s", (_name, list) => expectSame(program, [list]));
    test("in random lists", () => expectSame(program, RANDOM_LISTS));
  });

  const counted = skipUnless(succeeds("valgrind", "--version"), "the instructions of gpt_text.c, which need valgrind");

  const spaces = utf8(`a${" ".repeat(20_000)}b${" ".repeat(20_000)}\n`);
  const sound = [...LISTS.filter(([, list]) => !expectedOf(list).problem), ["spaces", spaces] as const];
  counted.test.each(sound)(`takes at most ${MAX_INSTRUCTIONS} instructions a byte for %s`, (name, once) => {
    // So many that what is done once for each character no longer counts.
    const list = repeated(once, 200_000);
    const options = ["--tool=callgrind", "--toggle-collect=gpt_scan", "--callgrind-out-file=/dev/null"];
    const { stderr } = run(["valgrind", ...options, at("plain")], [list]);
    const perByte = Number(/Collected : (\d+)/.exec(stderr)?.[1]) / list.length;
    console.info(`gpt_scan takes ${perByte.toFixed(1)} instructions a byte for ${name}`);
    expect(perByte).toBeGreaterThan(1);
    expect(perByte).toBeLessThanOrEqual(MAX_INSTRUCTIONS);
  });
});

import { spawn } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./helpers";
import { type Outcome, outcomeOf, temporaryFolder } from "./support/cli";

/* What bin/ keeps of the command line in compiled form, in a package whose command line is another program. */

const at = temporaryFolder();
const NAME = `cli.cjs-${process.version}-${process.arch}`;
const kept = at(`build/node/${NAME}`);

beforeAll(() => {
  cpSync(join(ROOT, "bin"), at("bin"), { recursive: true });
  mkdirSync(at("dist"));
});

beforeEach(() => rmSync(at("build"), { recursive: true, force: true }));

/** A program that prints the word; all such programs have the same length. */
const programOf = (word: string): string => `
exports.main = async () => {
  const { default: mark } = await require("../bin/import.js")("../dist/mark.mjs");
  const { sep } = require("node:path");
  console.log("${word}" + mark, __filename.endsWith(sep + "cli.cjs"));
};
`;

function run(...flags: string[]): Promise<Outcome> {
  return outcomeOf(spawn(process.execPath, [...flags, at("bin/esp32gpt.js")]));
}

async function expectWord(word: string, ...flags: string[]): Promise<void> {
  writeFileSync(at("dist/mark.mjs"), 'export default "!";\n');
  writeFileSync(at("dist/cli.cjs"), programOf(word));
  expect(await run(...flags)).toEqual({ code: 0, stdout: `${word}! true\n`, stderr: "" });
}

/** Which file it is: one that is written anew is another. */
const identity = (): number => statSync(kept).ino;

test("it is written once, and used from then on", async () => {
  await expectWord("one");
  expect(readdirSync(at("build/node"))).toEqual([NAME]);
  const written = identity();
  await expectWord("one");
  expect(identity()).toBe(written);
});

test("that of another program of the same length is replaced", async () => {
  await expectWord("one");
  const written = identity();
  await expectWord("two");
  expect(identity()).not.toBe(written);
});

test("that of a V8 with other settings is replaced", async () => {
  await expectWord("one", "--no-opt");
  const written = identity();
  await expectWord("one");
  expect(identity()).not.toBe(written);
});

test("one that is cut off or damaged is replaced", async () => {
  await expectWord("one");
  const whole = readFileSync(kept);
  const damaged = [40, whole.length >> 1, whole.length - 1].map((place) => {
    const bytes = Buffer.from(whole);
    bytes[place] ^= 1;
    return bytes;
  });
  const cut = [0, 31, 32, 33, whole.length - 1].map((size) => whole.subarray(0, size));
  for (const bytes of [...cut, ...damaged]) {
    writeFileSync(kept, bytes);
    const written = identity();
    await expectWord("one");
    expect(identity()).not.toBe(written);
  }
});

test("where it cannot be written, the program runs all the same", async () => {
  writeFileSync(at("build"), "no folder");
  await expectWord("one");
  rmSync(at("build"));
  mkdirSync(kept, { recursive: true });
  await expectWord("one");
  expect(readdirSync(at("build/node"))).toEqual([NAME]);
});

test("starts at the same time leave one whole file", async () => {
  writeFileSync(at("dist/mark.mjs"), 'export default "!";\n');
  writeFileSync(at("dist/cli.cjs"), programOf("one"));
  const outcomes = await Promise.all([run(), run(), run()]);
  expect(outcomes.map(({ stdout }) => stdout)).toEqual(["one! true\n", "one! true\n", "one! true\n"]);
  expect(readdirSync(at("build/node"))).toEqual([NAME]);
  const written = identity();
  await expectWord("one");
  expect(identity()).toBe(written);
});

test("of many versions of Node the last four are kept", async () => {
  mkdirSync(at("build/node"), { recursive: true });
  for (let i = 0; i < 7; i++) {
    const file = at(`build/node/cli.cjs-v${i}.0.0-x64`);
    writeFileSync(file, "");
    utimesSync(file, 1000 + i, 1000 + i);
  }
  await expectWord("one");
  const names = [4, 5, 6].map((i) => `cli.cjs-v${i}.0.0-x64`);
  expect(readdirSync(at("build/node")).sort()).toEqual([NAME, ...names].sort());
});

test("an error shows where it was thrown, with source maps in the source", async () => {
  const map = { version: 3, sources: ["../host/cli.ts"], sourcesContent: ["throw"], names: [], mappings: "AAKA;AAKA" };
  writeFileSync(at("dist/cli.cjs.map"), JSON.stringify(map));
  writeFileSync(
    at("dist/cli.cjs"),
    'exports.main = () => {\nthrow new Error("broken on purpose");\n};\n//# sourceMappingURL=cli.cjs.map\n',
  );
  // The second time it is kept in compiled form.
  for (const { code, stderr } of [await run(), await run()]) {
    expect([code, stderr]).toEqual([1, expect.stringMatching(/Error: broken on purpose\n.*\bcli\.cjs:2:7\)/)]);
  }
  expect((await run("--enable-source-maps")).stderr).toMatch(/Error: broken on purpose\n.*\bhost.cli\.ts:11:1\)/);
});

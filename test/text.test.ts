import fc from "fast-check";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { isOwnTensor } from "../src/gpt/checkpoint/format";
import { readTagged, tagCommand } from "../src/protocol/lines";
import { firstWord, isDigits, parseDecimal, wordsOf } from "../src/gpt/base/text";
import { ROOT } from "./helpers";
import { firmwareManifests } from "./support/firmware-modules";

/* What the firmware reads by characters is what regular expressions would read, which it has none of. */

/** Texts of few letters, among which those that matter come often. */
const textOf = (letters: string): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...Array.from(letters)), maxLength: 12 });

test("words are what white space separates", () => {
  fc.assert(
    fc.property(textOf("ab \t\n\u00a0\u2028é😀"), (text) => {
      expect(wordsOf(text)).toEqual(text.trim() === "" ? [] : text.trim().split(/\s+/));
      expect(firstWord(text)).toBe(/^\S*/.exec(text)?.[0]);
    }),
  );
});

test("numbers are decimal", () => {
  fc.assert(
    fc.property(textOf("0179.eE+-x "), (text) => {
      const isNumber = /^[-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?$/i.test(text);
      expect(parseDecimal(text)).toBe(isNumber ? Number(text) : undefined);
    }),
    { numRuns: 5000 },
  );
  for (const [text, value] of Object.entries({ "1": 1, "-2.": -2, "+0.5": 0.5, "1e3": 1000, "12.5E-1": 1.25 }))
    expect(parseDecimal(text)).toBe(value);
  for (const text of ["", ".5", "0x10", "1e", "1e+", "--1", "1.2.3", "Infinity", "１"])
    expect(parseDecimal(text)).toBeUndefined();
});

test("digits are those of a base", () => {
  fc.assert(
    fc.property(textOf("019afgAF "), (text) => {
      expect(isDigits(text)).toBe(/^\d+$/.test(text));
      expect(isDigits(text, 16)).toBe(/^[0-9a-f]+$/.test(text));
    }),
  );
});

test("a tagged line is taken as PROTOCOL.md has it, and no other", () => {
  const sound = tagCommand(12, "status");
  expect(readTagged(sound)).toEqual({ id: 12, command: "status" });
  fc.assert(
    fc.property(fc.nat(sound.length), fc.constantFrom("", " ", "0", "1", "@", "x", "é"), (at, piece) => {
      for (const line of [sound.slice(0, at) + piece + sound.slice(at + 1), sound.slice(0, at) + piece]) {
        const match = /^@([1-9]\d{0,4}) ([0-9a-f]{8}) (.+)$/.exec(line);
        const tagged = match && { id: Number(match[1]), command: match[3] };
        const isSound = tagged && tagged.id <= 65535 && tagCommand(tagged.id, tagged.command) === line;
        expect(readTagged(line)).toEqual(isSound ? tagged : undefined);
      }
    }),
  );
});

test("tensors of a checkpoint are known by their names", () => {
  const pattern = /^(?:wte|wpe|wout|adam\.[mv]|layers\.\d+\.(?:wq|wk|wv|wo|w1|w2|bias))$/;
  const names = ["wte", "wpe", "wout", "adam.m", "adam.v", "adam.x", "layers.0.wq", "layers.12.bias", "layers.0.w3"];
  for (const name of [...names, "layers", "layers.", "layers.0", "layers..wq", "layers.x.wq", "layers.0.wq.", "", "."])
    expect([name, isOwnTensor(name)]).toEqual([name, pattern.test(name)]);
});

describe("ESLint holds regular expressions out", () => {
  const FIRMWARE = "No regular expression in the firmware: see src/gpt/base/text.ts.";
  const AT_THE_TOP = "No regular expression at the top of a module of src/: see src/gpt/base/text.ts.";
  const TOP = [
    "export const X = /a/;",
    'export const X = new RegExp("a");',
    'export const X = RegExp("a");',
    "export const X = Object.freeze({ y: [/a/] });",
    "export class X { static readonly y = /a/; }",
    "export class X { static { String(/a/); } }",
  ];
  const INSIDE = ["export const f = (x: string): boolean => /a/.test(x);", "export function f(x = /a/) { return x; }"];
  const STRINGS = ['export const f = (x: string) => x.match("a");', 'export const f = (x: string) => x.search("a");'];

  const files = firmwareManifests().flatMap(({ modules }) => Object.values(modules).flat());

  type Case = readonly [path: string, text: string, message: string | undefined];
  const cases: readonly Case[] = [
    ...files.map((path): Case => [path, TOP[0], FIRMWARE]),
    ...[...TOP, ...INSIDE, ...STRINGS].map((text): Case => ["src/device/console.ts", text, FIRMWARE]),
    ...TOP.map((text): Case => ["src/client/client.ts", text, AT_THE_TOP]),
    ...[...INSIDE, ...STRINGS].map((text): Case => ["src/client/client.ts", text, undefined]),
  ];
  let messages: readonly string[][] = [];

  beforeAll(() => {
    const script = join(ROOT, "test", "support", "lint-texts.mjs");
    const texts = cases.map(([path, text]) => [path, text]);
    const options = { cwd: ROOT, input: JSON.stringify(texts), encoding: "utf8" } as const;
    messages = JSON.parse(execFileSync(process.execPath, [script, "no-restricted-syntax"], options)) as string[][];
  });

  test.each(cases)("in %s: %s gives %s", (path, text, message) => {
    const i = cases.findIndex((entry) => entry[0] === path && entry[1] === text);
    expect(messages[i]).toEqual(message === undefined ? [] : [message]);
  });
});

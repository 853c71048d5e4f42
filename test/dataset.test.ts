import { readFileSync } from "node:fs";
import fc from "fast-check";
import { Dataset } from "../src/gpt/data/dataset";
import { InputError } from "../src/gpt/base/errors";
import { BOS, lowercaseVocabulary } from "../src/gpt/data/vocabulary";
import { letterOf, NAMES_FILE, shippedNames, utf8 } from "./helpers";

function read(text: string): Dataset {
  return new Dataset(utf8(text), "names.txt");
}

function nameAt(dataset: Dataset, i: number): string {
  const tokens = new Uint8Array(100);
  const length = dataset.tokens(i, tokens);
  if (tokens[0] !== BOS || tokens[length - 1] !== BOS) throw new Error(`Name ${i} is not between two BOS.`);
  let name = "";
  for (let at = 1; at < length - 1; at++) name += dataset.vocabulary.characterOf(tokens[at]);
  return name;
}

function namesOf(dataset: Dataset): string[] {
  return Array.from({ length: dataset.count }, (_, i) => nameAt(dataset, i));
}

const letter = fc.integer({ min: 1, max: 26 }).map(letterOf);
const name = fc.array(letter, { minLength: 1, maxLength: 12 }).map((letters) => letters.join(""));
const lineEnd = fc.constantFrom("\n", "\r\n", "\r");
const blankLines = fc.array(lineEnd, { maxLength: 3 }).map((lines) => lines.join(""));

/** A file of names as people write them. */
const file = fc.record({
  mark: fc.constantFrom("", "\ufeff"),
  before: blankLines,
  lines: fc.array(fc.tuple(name, lineEnd, blankLines), { minLength: 1, maxLength: 60 }),
  hasLastEnd: fc.boolean(),
});

test("every name of every file is found, wherever it stands", () => {
  fc.assert(
    fc.property(file, ({ mark, before, lines, hasLastEnd }) => {
      const ended = lines.map((parts) => parts.join("")).join("");
      const dataset = read(mark + before + (hasLastEnd ? ended : ended.trimEnd()));
      const names = lines.map(([name]) => name);
      expect(namesOf(dataset)).toEqual(names);
      expect(names.every((name) => dataset.has(name))).toBe(true);
      expect(dataset.shortest).toBe(Math.min(...names.map(({ length }) => length)));
    }),
  );
});

test.each<[string, string, string[]]>([
  ["Windows line ends", "ann\r\nbob\r\n", ["ann", "bob"]],
  ["no newline at the end", "ann\nbob", ["ann", "bob"]],
  ["a return at the end", "ann\r\nbob\r", ["ann", "bob"]],
  ["line ends of old Macs", "ann\rbob\r\rcy\r", ["ann", "bob", "cy"]],
  ["line ends of all kinds", "ann\rbob\ncy\r\r\n dee \r\neve", ["ann", "bob", "cy", "dee", "eve"]],
  ["a byte-order mark", "\ufeffann\nbob\n", ["ann", "bob"]],
  ["blank lines at the beginning", "\n\r\n\nann\nbob\n", ["ann", "bob"]],
  ["blank lines between", "ann\n\n\r\n\nbob\n", ["ann", "bob"]],
  ["blank lines at the end", "ann\nbob\n\n\r\n", ["ann", "bob"]],
  ["a single letter", "a", ["a"]],
])("understands %s", (_what, text, names) => {
  expect(namesOf(read(text))).toEqual(names);
});

test("the file that comes with the program has 32,257 names, and the index takes at most 5 KB", () => {
  const dataset = shippedNames();
  expect(dataset.count).toBe(32_257);
  expect(dataset.indexBytes).toBeLessThanOrEqual(5 * 1024);
  expect(namesOf(dataset)).toEqual(readFileSync(NAMES_FILE, "utf8").trim().split("\n"));
});

test.each([1279, 1280, 1281, 2560, 2561, 5121, 200_000])("%d names: at most 5 KB, and each is found", (count) => {
  const names = Array.from({ length: count }, (_, i) =>
    i.toString(26).replace(/./g, (digit) => letterOf(parseInt(digit, 26) + 1)),
  );
  const dataset = read(names.join("\n"));
  expect(dataset.count).toBe(count);
  expect(dataset.indexBytes).toBeLessThanOrEqual(5 * 1024);
  const some = [0, 1, count - 2, count - 1, ...Array.from({ length: 2000 }, (_, i) => (i * 7919) % count)];
  expect(some.filter((i) => nameAt(dataset, i) !== names[i])).toEqual([]);
});

test("blank lines and Windows line ends do not mislead the index of a long file", () => {
  const ends = ["\n", "\r\n", "\r", "\n\n", "\r\n\r\n", "\n\r\n\n"];
  fc.assert(
    fc.property(
      fc.array(fc.tuple(name, fc.constantFrom(...ends)), { minLength: 50, maxLength: 50 }),
      fc.constantFrom(26, 55, 110),
      (lines, copies) => {
        const all = Array.from({ length: copies }, () => lines).flat();
        const dataset = read(all.map((parts) => parts.join("")).join(""));
        expect(namesOf(dataset)).toEqual(all.map(([name]) => name));
      },
    ),
    { numRuns: 10 },
  );
});

test("has finds whole names only", () => {
  const dataset = read("\ufeffanna\r\nbob\njoanna\nbo\n");
  expect(["anna", "bob", "joanna", "bo"].filter((name) => !dataset.has(name))).toEqual([]);
  expect(
    ["", "ann", "nna", "b", "ob", "jo", "joann", "bobb", "zoe", "Bob"].filter((name) => dataset.has(name)),
  ).toEqual([]);
});

test("has agrees with a set of the names", () => {
  const short = fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 4 }).map((letters) => letters.join(""));
  fc.assert(
    fc.property(fc.array(short, { minLength: 1, maxLength: 12 }), short, lineEnd, (names, name, end) => {
      expect(read(names.join(end)).has(name)).toBe(names.includes(name));
    }),
  );
});

test("tokens says how many a name has, and writes as many as fit", () => {
  const tokens = Uint8Array.of(9, 9, 9);
  expect(read("emma\n").tokens(0, tokens)).toBe(6);
  expect([...tokens]).toEqual([0, 2, 3]);
});

test("knows its shortest name and the line it stands on", () => {
  const { shortest, shortestLine } = read("\nemma\r\n\njo\nal\n");
  expect([shortest, shortestLine]).toEqual([2, 4]);
});

test.each([-1, 3, 3.5, NaN, Infinity])("there is no name %d", (i) => {
  expect(() => read("ann\nbob\ncat").tokens(i, new Uint8Array(9))).toThrow(RangeError);
});

test.each<[string, string, string[]]>([
  ["spaces inside", "São Tomé\nnew  york\n", ["São Tomé", "new  york"]],
  ["white space around", " \t ann \r\n\u00a0bob\u3000\n\u2003cy\u2029", ["ann", "bob", "cy"]],
  ["lines of white space", " \nann\n\t\r\n\u3000\nbob\n  ", ["ann", "bob"]],
  ["a mark and white space", "\ufeff  ann\n", ["ann"]],
  ["unusual white space inside", "a\u00a0b\u3000c\n", ["a\u00a0b\u3000c"]],
  ["a long run of white space behind", `ann${" ".repeat(300)}\nbob`, ["ann", "bob"]],
  ["other planes", "😀a\n𐍈\n", ["😀a", "𐍈"]],
  ["joiners and variation selectors", "می‌خواهم\n❤️\n", ["می‌خواهم", "❤️"]],
  ["a mark that is not at the beginning", "ann\n\ufeffbob\n", ["ann", "\ufeffbob"]],
])("understands %s", (_what, text, names) => {
  const dataset = read(text);
  expect(namesOf(dataset)).toEqual(names);
  expect(names.filter((name) => !dataset.has(name))).toEqual([]);
  expect(dataset.shortest).toBe(Math.min(...names.map((name) => Array.from(name).length)));
  expect(dataset.letters).toBe(Array.from(names.join("")).length);
});

test("the vocabulary is the distinct characters of the names, in ascending order", () => {
  const { vocabulary } = read("  Zoé é\n b a\t\n");
  expect([vocabulary.size, String(vocabulary)]).toEqual([6 + 1, " Zabo" + "é"].map((x) => x));
  expect(String(shippedNames().vocabulary)).toBe("abcdefghijklmnopqrstuvwxyz");
});

test("use takes another vocabulary, or names the line of a character that it lacks", () => {
  const dataset = read("\n ann\n\nbob\nzo zé\nbé");
  expect(() => dataset.use(lowercaseVocabulary())).toThrow(
    /^names\.txt, line 5: a space is not in the model's vocabulary\.$/,
  );
  const other = read("ann\nbob\n  zoé\nbé ");
  expect(() => other.use(lowercaseVocabulary())).toThrow(
    /^names\.txt, line 3: "é" is not in the model's vocabulary\.$/,
  );
  const latin = read("bad\n");
  latin.use(lowercaseVocabulary());
  const tokens = new Uint8Array(5);
  latin.tokens(0, tokens);
  expect([...tokens]).toEqual([0, 2, 1, 4, 0]);
});

test.each<[string, string, number, RegExp]>([
  ["NUL", "ann\r\nbob\0\r\n", 2, /U\+0000/],
  ["a tab within", "ann\t5\n", 1, /U\+0009/],
  ["an escape code", "ann\n\x1b[2J", 2, /U\+001B/],
  ["a control of C1", "ann\nb\u0085b", 2, /U\+0085/],
  ["a line separator within", "a\u2028b\n", 1, /U\+2028/],
  ["a bidirectional control", "\n\nab\u202ec\n", 3, /U\+202E/],
  ["a mark of direction", "a\u200fb\n", 1, /U\+200F/],
])("refuses %s and names the line", (_what, text, line, character) => {
  const create = (): Dataset => read(text);
  expect(create).toThrow(InputError);
  expect(create).toThrow(new RegExp(`^names\\.txt, line ${line}: .* is a control character`));
  expect(create).toThrow(character);
});

test("255 different characters are taken; of more it is said how many there are, and where the first is too many", () => {
  const lines = (count: number): string[] => Array.from({ length: count }, (_, i) => String.fromCodePoint(0x4e00 + i));
  expect(read(lines(255).join("\n")).vocabulary.size).toBe(256);
  const many = [...lines(255), "ab", ...lines(255), "c"].join("\n");
  expect(() => read(many)).toThrow(InputError);
  expect(() => read(many)).toThrow(
    /^names\.txt, line 256: the list has 258 different characters, and a model can know 255/,
  );
});

test.each<[string, number[], number, string]>([
  ["Latin-1", [0x7a, 0x6f, 0xe9, 0x0a, 0x61], 1, "0xe9"],
  ["Latin-1 before two letters", [0x61, 0x0a, 0xe9, 0x62, 0x63, 0x0a], 2, "0xe9"],
  ["cp1252", [0x61, 0x0a, 0x93, 0x61, 0x94], 2, "0x93"],
  ["an overlong NUL", [0xc0, 0x80], 1, "0xc0"],
  ["an overlong a", [0xe0, 0x81, 0xa1], 1, "0xe0"],
  ["an overlong character of three bytes", [0xe0, 0x80, 0x80], 1, "0xe0"],
  ["a surrogate", [0x61, 0xed, 0xa0, 0x80], 1, "0xed"],
  ["a character beyond the last", [0xf4, 0x90, 0x80, 0x80], 1, "0xf4"],
  ["a character cut off by the end", [0x61, 0x0a, 0x61, 0xc3], 2, "0xc3"],
  ["a character cut off by a newline", [0xe2, 0x82, 0x0a, 0x61], 1, "0xe2"],
])("%s is named as the byte that it is", (_what, bytes, line, byte) => {
  const create = (): Dataset => new Dataset(Uint8Array.from(bytes), "f");
  expect(create).toThrow(InputError);
  expect(create).toThrow(new RegExp(`^f, line ${line}: byte ${byte} is not valid UTF-8: save`));
});

test.each([
  ["little", [0xff, 0xfe, 0x61, 0, 0x0a, 0]],
  ["big", [0xfe, 0xff, 0, 0x61, 0, 0x0a]],
])("UTF-16 with its mark, %s end first, is named", (_order, bytes) => {
  expect(() => new Dataset(Uint8Array.from(bytes), "f")).toThrow(InputError);
  expect(() => new Dataset(Uint8Array.from(bytes), "f")).toThrow(/^f is in UTF-16: save it as UTF-8/);
});

test("UTF-16 without a mark has a byte 0x00", () => {
  expect(() => read("a\0n\0\n\0")).toThrow(/^names\.txt, line 1: U\+0000 is a control character/);
});

test("the file's name is shown without what would move the cursor", () => {
  expect(() => new Dataset(utf8("\0"), "a\x1b[2J\nb")).toThrow(/^a\\u\{1b\}\[2J\\u\{a\}b, line 1: U/);
});

test("refuses any bytes that are not names with an InputError of one line", () => {
  const byte = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(10, 13, 97, 122));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 30 }), fc.array(byte, { maxLength: 12 }), (wild, tame) => {
      for (const bytes of [wild, Uint8Array.from(tame)]) {
        try {
          expect(new Dataset(bytes, "f").count).toBeGreaterThan(0);
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          expect(error.message).toMatch(/^[^\p{Cc}\p{Cs}\p{Bidi_Control}\ufffd]+$/u);
          expect(utf8(error.message).length).toBeLessThanOrEqual(500);
        }
      }
    }),
  );
});

test.each(["", "\ufeff", "\n", "\r\n\r\n", "\n\n\n"])("a file of nothing but %j has no names", (text) => {
  expect(() => read(text)).toThrow(InputError);
  expect(() => read(text)).toThrow(/^names\.txt has no names/);
});

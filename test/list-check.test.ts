import { writeFileSync } from "node:fs";
import { Dataset } from "../src/gpt/data/dataset";
import { remarksOf } from "../src/gpt/data/list-check";
import { utf8 } from "./helpers";
import { esp32gpt, outcomeOf, start, temporaryFolder } from "./support/cli";
import { MemoryStorage } from "./support/memory-storage";
import { onPosix, script } from "./support/scripts";
import { TestDevice } from "./support/test-device";

/* What a list has that one may not want, and that is taken all the same: told once, kind by kind, with the line. */

const at = temporaryFolder();
const TIMEOUT_MS = 300_000;

function remarks(...lines: string[]): readonly string[] {
  return remarksOf(new Dataset(utf8(lines.join("\n")), "f"));
}

test.each<[string, string[], RegExp[]]>([
  [
    "NFC with one in NFD",
    ["zoé", "née", "a", "rene\u0301", "e\u0301"],
    [/^f, line 4: "é" is written as a letter and a mark there, .* one character; /],
  ],
  [
    "NFD with one in NFC",
    ["e\u0301", "o\u0308", "zoé", "e\u0301é"],
    [/^f, line 3: "é" is written as one character there, .* a letter and a mark; /],
  ],
  ["a form each, of two letters", ["é", "é", "o\u0308"], [/^f, line 3: "ö" is written as a letter and/]],
  ["as often one as the other", ["é", "e\u0301"], [/^f, line 2: "é" is written as a letter and/]],
  ["kana", ["か\u3099", "が", "が"], [/^f, line 1: "が" is written as a letter and/]],
  ["Hangul", ["각", "가\u11a8", "\u1100\u1161"], [/^f, line 2: "각" is written as a letter and/]],
  ["Vietnamese, the tones apart", ["ê\u0301", "ấ", "ấ", "ế"], [/^f, line 1: "ế" is written as a letter and/]],
  [
    "Hindi, in a form that NFC takes apart",
    ["क\u093c", "\u0958", "\u0958"],
    [/^f, line 1: "\u0958" is written as a letter and/],
  ],
  [
    "a mark within the file",
    ["ann", "\ufeffbob", "\ufeffcy"],
    [/^f, line 2: a byte-order mark \(U\+FEFF\) is inside the file/],
  ],
  [
    "one invisible character",
    ["ann", "b\u200bob", "c\u200by"],
    [/^f, line 2: U\+200B cannot be seen; it is taken as a character/],
  ],
  [
    "many of them",
    ["a\u200bb\u00adc", "d\u2060e", "x\u00a0y", "\u200c\u200d"],
    [
      /^f has characters that cannot be seen: U\+00A0 \(line 3\), U\+00AD \(line 1\), U\+200B \(line 1\), U\+200C \(line 4\) and 2 more;/,
    ],
  ],
  ["line ends of old Macs", ["ann\rbob\rcy\r"], [/^f, line 1: it ends with CR alone/]],
  ["one of them", ["ann\r", "bob\rcy\r", "dee\r"], [/^f, line 2: it ends with CR alone/]],
  [
    "everything",
    ["\ufeffé", "\ufeffe\u0301\u200b", "a\rb"],
    [
      /line 3: it ends with CR/,
      /line 2: a byte-order mark/,
      /line 2: U\+200B/,
      /line 2: "é" is written as a letter and/,
    ],
  ],
])("%s", (_what, lines, expected) => {
  const found = remarks(...lines);
  expect(found).toHaveLength(expected.length);
  expected.forEach((pattern, i) => expect(found[i]).toMatch(pattern));
});

test.each<[string, string[]]>([
  ["plain", ["ann", "bob"]],
  ["a mark at the beginning, Windows line ends", ["\ufeffann\r", "\r", "bob\r"]],
  ["line ends that came twice", ["ann\r\r", "bob\r\r"]],
  ["a return at the end", ["ann\r", "bob\r"]],
  ["NFC with marks that nothing composes with", ["ẹ́", "é", "ẹ", "e"]],
  ["NFD", ["e\u0301", "o\u0308", "e"]],
  ["Hindi in NFC", ["\u0928\u0929", "क\u093c", "क", "\u0958".normalize("NFC")]],
  ["kana", ["がか", "パ"]],
  ["Hebrew with points", ["שָׁלוֹם"]],
  ["spaces around that cannot be seen", ["\u00a0ann\u3000", "bob"]],
])("nothing is told of a list that is %s", (_what, lines) => {
  expect(remarks(...lines)).toEqual([]);
});

test("the sentence about forms says what to do", () => {
  expect(remarks("é", "é", "e\u0301")[0]).toBe(
    `f, line 3: "é" is written as a letter and a mark there, but most such letters of the list are ` +
      `one character; to a model these are different letters: convert the list to one form (NFC).`,
  );
});

const ODD = "zoe\u0301\ranné\nbobé\ncy\u200b\n\ufeffdee\n";
const KINDS = [
  /line 1: it ends with CR/,
  /line 5: a byte-order mark/,
  /line 4: U\+200B/,
  /line 1: "é" is written as a letter and/,
];

describe("an odd list is taken, and told once", () => {
  beforeAll(() => writeFileSync(at("odd"), ODD));

  const expectRemarks = (stderr: string, begin = "esp32gpt: "): void => {
    const lines = stderr.trimEnd().split("\n");
    expect(lines).toHaveLength(KINDS.length);
    KINDS.forEach((kind, i) => {
      expect(lines[i]).toMatch(kind);
      expect(lines[i].startsWith(begin)).toBe(true);
    });
  };

  test.each(["node", "xs"])(
    "by train, generate and eval on %s",
    async (engine) => {
      const model = at(`model-${engine}`);
      const options = ["--engine", engine, "--data", at("odd")];
      const trained = await esp32gpt("train", ...options, "--steps", "3", "--samples", "0", "--save", model);
      expect(trained.code).toBe(0);
      expect(trained.stdout).toContain("Dataset: 5 names");
      expectRemarks(trained.stderr);
      expectRemarks((await esp32gpt("generate", ...options, "--model", model, "-n", "1")).stderr);
      const { stderr } = await esp32gpt("eval", ...options, "--model", model);
      expectRemarks(stderr.replace(/^esp32gpt: All names are measured.*\n/m, ""));
      const resumed = ["train", ...options, "--resume", model, "--samples", "0"];
      const again = await esp32gpt(...resumed);
      expectRemarks(again.stderr.replace(/^esp32gpt: [^\n]* is trained already.*\n/m, ""));
    },
    TIMEOUT_MS,
  );

  test("by plan and by the firmware's scripts", async () => {
    expectRemarks((await esp32gpt("plan", "--data", at("odd"))).stderr);
    const { stderr } = await script("qemu", [`data=${at("odd")}`], { PATH: at("nowhere") });
    expectRemarks(stderr.split("\n").slice(0, KINDS.length).join("\n"), at("odd"));
  });

  onPosix("out of a pipe", async () => {
    const program = start("train", "--data", "/dev/stdin", "--steps", "1", "--samples", "0");
    program.stdin.end(ODD);
    expectRemarks((await outcomeOf(program)).stderr, "esp32gpt: /dev/stdin");
  });

  test("by a device, when it starts", async () => {
    const device = new TestDevice({ steps: 2, samples: 0 }, new MemoryStorage(), { names: ODD.split("\n") });
    await device.live();
    const lines = device.take().split("\n");
    KINDS.forEach((kind, i) => expect(lines[i]).toMatch(kind));
    expect(lines[KINDS.length]).toMatch(/^=== esp32gpt/);
  });
});

test("a list in another form than the model is refused with what helps", () => {
  const use = (list: string, model: string) => (): void =>
    new Dataset(utf8(list), "f").use(new Dataset(utf8(model), "m").vocabulary);
  expect(use("zo\nzoé", "zoe\u0301")).toThrow(
    `f, line 2: "é" is not in the model's vocabulary, which has it in another form: convert the list to NFD.`,
  );
  expect(use("zoe\u0301", "zoeé")).toThrow(
    "f, line 1: U+0301 is not in the model's vocabulary, which has letters that contain it: convert the list to NFC.",
  );
  expect(use("zö", "zo")).toThrow(`f, line 1: "ö" is not in the model's vocabulary.`);
});

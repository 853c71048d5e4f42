import { once } from "node:events";
import { join } from "node:path";
import fc from "fast-check";
import { respell } from "../src/gpt/data/canonical";
import { compositions } from "../src/gpt/data/compositions";
import { compositions as engineCompositions } from "../src/places/compositions";
import { outcomeOf, temporaryFolder } from "./support/cli";
import { fuzzRuns } from "./support/fuzz";
import { bundle, hostExecutable, startHost } from "./support/xs";

/* Canonical equivalence by our table, against the engine's own normalize(). */

const isSurrogate = (c: number): boolean => c >= 0xd800 && c <= 0xdfff;
/** What the table leaves out. */
const isLeftOut = (c: number): boolean => (c >= 0xf900 && c <= 0xfaff) || c > 0xffff;

const DECOMPOSABLE = Array.from({ length: 0x110000 }, (_, c) => c)
  .filter((c) => !isSurrogate(c))
  .map((c) => String.fromCodePoint(c))
  .filter((character) => character.normalize("NFD") !== character);
const COVERED = DECOMPOSABLE.filter((character) => !isLeftOut(Number(character.codePointAt(0))));
const MARKS = Array.from({ length: 0x10000 }, (_, c) => String.fromCharCode(c)).filter((c) => /^\p{Mn}$/u.test(c));

test("the table that the engine makes is the one in the source, whatever version of Unicode the engine has", () => {
  const { entries, ...others } = engineCompositions();
  const { entries: expected, ...expectedOthers } = compositions();
  const entriesOf = (text: string): string[] => text.match(/[^]{3}/g) ?? [];
  expect(entriesOf(entries)).toEqual(entriesOf(expected));
  expect(entriesOf(entries)).toHaveLength(1033);
  expect(others).toEqual(expectedOthers);
  expect(engineCompositions()).toBe(engineCompositions());
});

/** A text in the characters of another. */
function in_(vocabulary: string, text: string): string {
  const known = new Set(Array.from(vocabulary, (character) => character.codePointAt(0)));
  return respell(text, (codePoint) => known.has(codePoint));
}

test("every character that is made of others is found in both forms; the others are ideographs and beyond U+FFFF", () => {
  expect(COVERED.length).toBeGreaterThan(12_000);
  const wrong = COVERED.filter((character) => {
    const [nfc, nfd] = [character.normalize("NFC"), character.normalize("NFD")];
    return in_(nfc, character) !== nfc || in_(nfc, nfd) !== nfc || in_(nfd, character) !== nfd || in_(nfd, nfc) !== nfd;
  });
  expect(wrong).toEqual([]);
  const leftOut = DECOMPOSABLE.filter((character) => !COVERED.includes(character));
  const ideographs = leftOut.filter((character) => /^\p{Script=Han}$/u.test(character));
  // Musical symbols, and letters of scripts that few use: Kaithi, Chakma, Grantha, Tirhuta and the like.
  expect(leftOut.length - ideographs.length).toBeLessThan(60);
});

test("one that no normal form has is kept where the list has it, and found but for six", () => {
  expect(COVERED.filter((character) => in_(character, character) !== character)).toEqual([]);
  const missed = COVERED.filter((character) => {
    const forms = [character.normalize("NFC"), character.normalize("NFD")];
    return forms.some((text) => in_(character, text) !== character);
  });
  // Marks that are made of marks, and shin with two.
  expect(missed).toEqual(Array.from("\u0344\u0f73\u0f75\u0f81\ufb2c\ufb2d"));
});

const starter = fc.oneof(
  fc.constantFrom(...Array.from("aeouyAEOsdcnlgkrtzhαωηιиук")),
  fc.constantFrom(...Array.from("かきはヘ각가ᄒ값שבकநোেਗ")),
  fc.constantFrom(...COVERED),
  fc
    .integer({ min: 0x21, max: 0xfaff })
    .filter((c) => !isSurrogate(c) && !isLeftOut(c))
    .map((c) => String.fromCharCode(c)),
);
const mark = fc.oneof(
  fc.constantFrom(
    ...Array.from("\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u0309\u030a\u031b\u0323\u0327\u0328\u0331\u0345"),
  ),
  fc.constantFrom(...Array.from("\u3099\u309a\u05bc\u05c1\u093c\u09be\u0bbe\u1161\u11a8\u0334")),
  fc.constantFrom(...MARKS),
);
const cluster = fc.tuple(starter, fc.array(mark, { maxLength: 4 })).map(([first, marks]) => first + marks.join(""));
const anyText = fc.array(cluster, { minLength: 1, maxLength: 6 }).map((clusters) => clusters.join(""));

test("NFC and NFD of any text are the same text in the characters of either", () => {
  fc.assert(
    fc.property(fc.array(anyText, { maxLength: 5 }), anyText, (list, typed) => {
      for (const form of ["NFC", "NFD"] as const) {
        const wanted = typed.normalize(form);
        const vocabulary = [...list, typed].join(" ").normalize(form);
        for (const other of [typed, typed.normalize("NFC"), typed.normalize("NFD")])
          expect(in_(vocabulary, other)).toBe(wanted);
      }
    }),
    { numRuns: fuzzRuns(1000) },
  );
});

test.each([
  ["Vietnamese as some keyboards write it", "ê \u0301 e", "ế", "ê\u0301"],
  ["marks in another order", "ọ \u0302 x", "o\u0302\u0323", "ọ\u0302"],
  ["the Angstrom sign", "\u212bngstrom", "A\u030angstrom", "\u212bngstrom"],
  ["a form each", "é \u0308 a e", "e\u0301ä", "éa\u0308"],
  ["what is plain", "abc", "cab", "cab"],
  ["what is not known in any form", "zo", "zoe\u0301", "zoé"],
  ["nothing", "abc", "", ""],
  ["a mark alone", "a\u0301", "\u0301a", "\u0301a"],
  ["other planes, and half a surrogate pair", "a😀", "😀\ud800", "😀\ud800"],
])("%s", (_what, vocabulary, text, expected) => {
  expect(in_(vocabulary, text)).toBe(expected);
});

const at = temporaryFolder();

test("XS, which need not have normalize(), respells as Node does", async () => {
  await bundle(join(__dirname, "support", "canonical-main.ts"), at("main.js"));
  const host = startHost(await hostExecutable(), at("main.js"));
  const outcome = outcomeOf(host);
  const texts = [...COVERED.slice(0, 1100), ...fc.sample(anyText, 500)];
  const questions = texts.flatMap((text) => {
    const forms = [text.normalize("NFC"), text.normalize("NFD")];
    return forms.flatMap((form) => [text, ...forms].map((typed): [string, string, string] => [form, typed, form]));
  });
  for (const [form, typed] of questions)
    if (!host.stdin.write(`${JSON.stringify([form, typed])}\n`)) await once(host.stdin, "drain");
  host.stdin.end();
  const { code, stdout, stderr } = await outcome;
  expect([code, stderr]).toEqual([0, ""]);
  const answers = stdout.trimEnd().split("\n");
  expect(answers.map((answer) => JSON.parse(answer) as string)).toEqual(questions.map(([, , expected]) => expected));
}, 300_000);

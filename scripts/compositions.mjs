// node scripts/compositions.mjs: generates src/gpt/data/compositions.ts with the engine's normalize().
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";

const FILE = join(fileURLToPath(new URL("..", import.meta.url)), "src", "gpt", "data", "compositions.ts");
const LAST = 0xffff;
/** Characters per line of the generated source. */
const LINE = 16;
/** Characters of combining classes 1 and 240, the lowest and the highest. */
const [OVERLAY, YPOGEGRAMMENI] = ["\u0334", "\u0345"];

const isSurrogate = (/** @type {number} */ c) => c >= 0xd800 && c <= 0xdfff;
const isHangul = (/** @type {number} */ c) => c >= 0xac00 && c <= 0xd7a3;
const isCompatibilityIdeograph = (/** @type {number} */ c) => c >= 0xf900 && c <= 0xfaff;
const nfc = (/** @type {string} */ text) => text.normalize("NFC");
const nfd = (/** @type {string} */ text) => text.normalize("NFD");

const characters = Array.from({ length: LAST + 1 }, (_, c) => c)
  .filter((c) => !isSurrogate(c))
  .map((c) => String.fromCharCode(c));
const composites = characters.filter((c) => {
  const code = c.charCodeAt(0);
  return nfd(c) !== c && !isHangul(code) && !isCompatibilityIdeograph(code);
});
// Those that NFC composes come first, so that a search finds them before equivalent ones.
const sorted = [...composites.filter((c) => nfc(c) === c), ...composites.filter((c) => nfc(c) !== c)];
/** @type {Map<string, string>} */
const byParts = new Map();
for (const c of sorted) if (!byParts.has(nfd(c))) byParts.set(nfd(c), c);

/** @param {string} c */
function partsOf(c) {
  const same = nfc(c);
  if (same !== c && same.length === 1) return `${same} `;
  const all = nfd(c);
  const before = all.slice(0, -1);
  const first = before.length === 1 ? before : byParts.get(before);
  if (first === undefined) throw new Error(`U+${c.charCodeAt(0).toString(16)} does not decompose into two characters`);
  return first + all.at(-1);
}

const isOrdered = (/** @type {string} */ text) => nfd(text) === text;
const marks = characters.filter((c) => nfd(c) === c && !(isOrdered(YPOGEGRAMMENI + c) && isOrdered(c + OVERLAY)));
marks.sort((a, b) => (isOrdered(a + b) ? 0 : 1) - (isOrdered(b + a) ? 0 : 1) || (a < b ? -1 : 1));
let classes = "";
marks.forEach((mark, i) => (classes += (i === 0 || !isOrdered(mark + marks[i - 1]) ? " " : "") + mark));

const joiners = [...new Set(composites.map((c) => partsOf(c)[1]))]
  .filter((c) => c !== " " && !marks.includes(c))
  .sort();

/** @param {string} text */
function literal(text) {
  const escaped = Array.from(text, (c) =>
    /[!#-[\]-~ ]/.test(c) ? c : `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  /** @type {string[]} */
  const lines = [];
  for (let at = 0; at < escaped.length; at += LINE) lines.push(`"${escaped.slice(at, at + LINE).join("")}"`);
  return lines.join(" +\n");
}

const source = `/*
 * Canonical equivalence up to U+FFFF, as Unicode ${process.versions.unicode} has it; written by scripts/compositions.mjs.
 * Strings, as these are searched by native code and lie in flash. Not here: Hangul, which is computed, the
 * CJK compatibility ideographs and what lies beyond U+FFFF.
 */

/**
 * Three characters each: a character and the two that it is made of, the second a space where it is another
 * name of the first. The first so many of the string are those that NFC composes.
 */
export const PRIMARY = ${3 * composites.filter((c) => nfc(c) === c).length};
export const COMPOSITIONS = ${literal(sorted.map((c) => c + partsOf(c)).join(""))};

/** The combining marks in the order of their classes, each class behind a space. */
export const MARKS = ${literal(classes)};

/** What composes with the character before it, and is no combining mark. */
export const JOINERS = ${literal(joiners.join(""))};
`;
writeFileSync(FILE, await format(source, { ...(await resolveConfig(FILE)), parser: "typescript" }));

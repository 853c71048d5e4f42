import type { Compositions } from "../gpt/data/compositions";
import { COMPOSED, MARKED } from "./composition-runs";

/*
 * The table of src/gpt/data/compositions.ts for engines with String.prototype.normalize: the builds for Node and for
 * pages have this module in its place, as it is a tenth of its size. Only the decompositions are the engine's own, which
 * no version of Unicode changes; which characters are in the table, and the classes of marks, are not: an engine may
 * know an older Unicode or a newer one, and the table is to be the same.
 */

let table: Compositions | undefined;

/** The table; it is made when it is needed first. */
export function compositions(): Compositions {
  return (table ??= make());
}

function make(): Compositions {
  const composed: string[] = [];
  for (let i = 0, at = 0; i < COMPOSED.length; i += 2) {
    at += COMPOSED[i];
    for (const end = at + COMPOSED[i + 1]; at < end; at++) {
      const c = String.fromCharCode(at);
      if (nfd(c) !== c) composed.push(c);
    }
  }
  const isPrimary = (c: string): boolean => nfc(c) === c;
  const primary = composed.filter(isPrimary);
  const sorted = [...primary, ...composed.filter((c) => !isPrimary(c))];
  const byParts = new Map<string, string>();
  for (const c of sorted) if (!byParts.has(nfd(c))) byParts.set(nfd(c), c);
  const pairs = sorted.map((c) => {
    const same = nfc(c);
    if (same !== c && same.length === 1) return `${same} `;
    const all = nfd(c);
    const before = all.slice(0, -1);
    return (before.length === 1 ? before : (byParts.get(before) ?? "")) + all.slice(-1);
  });
  const marks = marksInOrder();
  const seconds = new Set(pairs.map((pair) => pair[1]));
  return {
    entries: sorted.map((c, i) => c + pairs[i]).join(""),
    primary: 3 * primary.length,
    marks,
    joiners: [...seconds]
      .filter((c) => !marks.includes(c))
      .sort()
      .join(""),
  };
}

function marksInOrder(): string {
  const classes: string[] = [];
  for (let i = 0, at = 0; i < MARKED.length; i += 3) {
    at += MARKED[i];
    for (const end = at + MARKED[i + 1]; at < end; at++)
      classes[MARKED[i + 2]] = (classes[MARKED[i + 2]] ?? " ") + String.fromCharCode(at);
  }
  return classes.join("");
}

function nfc(text: string): string {
  return text.normalize("NFC");
}

function nfd(text: string): string {
  return text.normalize("NFD");
}

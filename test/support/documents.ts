import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { COMMANDS } from "../../src/device/commands/table";
import { ROOT } from "../helpers";

/** A document of the repository's folder. */
export function documentOf(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

/** README and the documents in docs/, from the repository's folder on. */
export function userDocuments(): string[] {
  const docs = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
  return ["README.md", ...docs.map((name) => `docs/${name}`)];
}

/** What stands between two fences in a document. */
export interface Block {
  /** What stands behind the first fence: `sh`, `js`, `text`, `console`, `json`. */
  readonly language: string;
  readonly text: string;
  /** The number of its first fence's line. */
  readonly line: number;
  /** Why the tests do not run it, as a comment before it says; undefined where there is none. */
  readonly notRun: string | undefined;
}

const NOT_RUN = /^<!-- not run by the tests: (.+) -->$/;

export function fencedBlocks(document: string): Block[] {
  const lines = document.split("\n");
  const blocks: Block[] = [];
  for (let i = 0; i < lines.length; i++) {
    const language = /^\s*```(.*)$/.exec(lines[i])?.[1];
    if (language === undefined) continue;
    const end = lines.findIndex((line, at) => at > i && line.trim() === "```");
    if (end < 0) throw new Error(`the block of line ${i + 1} does not end`);
    const before = lines.slice(0, i).findLast((line) => line.trim() !== "");
    const text = lines.slice(i + 1, end).map((line) => `${line}\n`);
    blocks.push({ language, text: text.join(""), line: i + 1, notRun: NOT_RUN.exec(before?.trim() ?? "")?.[1] });
    i = end;
  }
  return blocks;
}

/** What can be pasted into the console of a board. */
export function consoleBlocks(document: string): string[] {
  return fencedBlocks(document).flatMap(({ language, text }) => (language === "console" ? [text] : []));
}

/** What a document shows that a block says: the block behind it. */
export function shownBehind(document: string, block: string): string {
  const blocks = fencedBlocks(document);
  return blocks[blocks.findIndex(({ text }) => text === block) + 1].text.trimEnd();
}

/** Whether a line begins with the name of a command. */
export function isCommand(line: string): boolean {
  return COMMANDS.some(({ name }) => new RegExp(`^${name}(?:\\s|$)`).test(line));
}

/** The words that a block adds. */
export function wordsAddedIn(block: string): string[] {
  return [...block.matchAll(/^add (.*)$/gm)].map(([, word]) => word);
}

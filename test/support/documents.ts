import { readFileSync } from "node:fs";
import { join } from "node:path";
import { COMMANDS } from "../../src/device/commands/table";
import { ROOT } from "../helpers";

/** A document of the repository's folder. */
export function documentOf(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

/** What stands between fences in a document, without them. */
export function fencedBlocks(document: string): string[] {
  return [...document.matchAll(/^```.*\n([^]*?)^```$/gm)].map(([, block]) => block);
}

/** The blocks of which the first line begins with a command of the console. */
export function consoleBlocks(document: string): string[] {
  return fencedBlocks(document).filter((block) => isCommand(block));
}

/** Whether a line begins with the name of a command. */
export function isCommand(line: string): boolean {
  return COMMANDS.some(({ name }) => new RegExp(`^${name}(?:\\s|$)`).test(line));
}

/** The words that a block adds. */
export function wordsAddedIn(block: string): string[] {
  return [...block.matchAll(/^add (.*)$/gm)].map(([, word]) => word);
}

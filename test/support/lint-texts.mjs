// node lint-texts.mjs RULE: what one of ESLint's rules has against texts, each in the place of a file of the
// project. Reads [path, text][] and writes messages[][], both JSON. A process, as Jest cannot load ESLint's configuration.
import { readFileSync } from "node:fs";
import { ESLint } from "eslint";

const [, , rule] = process.argv;
const eslint = new ESLint({ ruleFilter: ({ ruleId }) => ruleId === rule });
/** @type {string[][]} */
const found = [];
for (const [filePath, text] of /** @type {[string, string][]} */ (JSON.parse(readFileSync(0, "utf8")))) {
  const [{ messages }] = await eslint.lintText(text, { filePath });
  found.push(messages.map(({ message }) => message));
}
console.log(JSON.stringify(found));

// The public surface of the library, docs/api.txt: the declarations that src/gpt/index.ts exports, and those that they
// name, without comments and private members. This writes it; --check reports where it is out of date, so that every
// change of the surface is a line in a diff.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { rollup } from "rollup";
import { dts } from "rollup-plugin-dts";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FILE = join(ROOT, "docs", "api.txt");
/** Differing lines that are reported. */
const MOST = 20;

process.chdir(ROOT);
const wanted = publicOf(await declarations());
if (!process.argv.includes("--check")) writeFileSync(FILE, wanted);
else {
  const found = existsSync(FILE) ? readFileSync(FILE, "utf8") : "";
  if (found !== wanted) {
    console.error(`${relative(ROOT, FILE)} is not what src/gpt/index.ts exports: run node scripts/api.mjs.`);
    for (const line of [...linesOnlyIn(found, wanted, "-"), ...linesOnlyIn(wanted, found, "+")].slice(0, MOST))
      console.error(line);
    process.exitCode = 1;
  }
}

/** As in dist/index.d.ts. */
async function declarations() {
  const bundle = await rollup({ input: "src/gpt/index.ts", plugins: [dts()] });
  const { output } = await bundle.generate({ format: "es" });
  await bundle.close();
  return output[0].code;
}

/** @param {string} text declarations */
function publicOf(text) {
  const source = ts.createSourceFile("index.d.ts", text, ts.ScriptTarget.Latest, true);
  const printer = ts.createPrinter({ removeComments: true });
  const statements = source.statements.map((statement) => {
    const shown = ts.isClassDeclaration(statement) ? withoutPrivate(statement) : statement;
    return printer.printNode(ts.EmitHint.Unspecified, shown, source);
  });
  return `${statements.join("\n\n")}\n`;
}

/** @param {import("typescript").ClassDeclaration} node */
function withoutPrivate(node) {
  const { modifiers, name, typeParameters, heritageClauses, members } = node;
  const isPublic = (/** @type {import("typescript").ClassElement} */ member) =>
    !(ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private);
  return ts.factory.updateClassDeclaration(
    node,
    modifiers,
    name,
    typeParameters,
    heritageClauses,
    members.filter(isPublic),
  );
}

/** @param {string} text @param {string} other @param {string} mark */
function linesOnlyIn(text, other, mark) {
  const known = new Set(other.split("\n"));
  return text.split("\n").flatMap((line) => (known.has(line) ? [] : [`${mark} ${line}`]));
}

// The public surface of the package, docs/api.txt: for each subpath the declarations that its module exports, and those
// that they name, without comments and private members. This writes it; --check reports where it is out of date, so that
// every change of the surface is a line in a diff. --index FILE takes another file for src/gpt/index.ts, for the tests.
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

const indexAt = process.argv.indexOf("--index");
const INDEX = indexAt < 0 ? "src/gpt/index.ts" : process.argv[indexAt + 1];

/** The subpaths that need no engine; esp32gpt/platform has the same types on each. */
const SUBPATHS = {
  esp32gpt: INDEX,
  "esp32gpt/inference": "src/gpt/inference.ts",
  "esp32gpt/platform": "src/places/node/index.ts",
  "esp32gpt/native": "src/gpt/native/native-ops.ts",
  "esp32gpt/client": "src/client/index.ts",
};

process.chdir(ROOT);
const wanted = await surface();
if (!process.argv.includes("--check")) writeFileSync(FILE, wanted);
else {
  const found = existsSync(FILE) ? readFileSync(FILE, "utf8") : "";
  if (found !== wanted) {
    console.error(`${relative(ROOT, FILE)} is not what the package exports: run node scripts/api.mjs.`);
    for (const line of [...linesOnlyIn(found, wanted, "-"), ...linesOnlyIn(wanted, found, "+")].slice(0, MOST))
      console.error(line);
    process.exitCode = 1;
  }
}

/** The text of docs/api.txt. A declaration stands in the first subpath that needs it, and later ones only export it. */
async function surface() {
  const known = new Set();
  const sections = [];
  for (const [subpath, input] of Object.entries(SUBPATHS)) {
    const statements = publicOf(await declarations(input)).filter((statement) => !known.has(statement));
    for (const statement of statements) known.add(statement);
    sections.push([`/* ${subpath} */`, ...statements].join("\n\n"));
  }
  return `${sections.join("\n\n")}\n`;
}

/** As in dist/. @param {string} input */
async function declarations(input) {
  const bundle = await rollup({ input, external: [/^node:/], plugins: [dts()] });
  const { output } = await bundle.generate({ format: "es" });
  await bundle.close();
  return output[0].code;
}

/** @param {string} text declarations @returns {string[]} */
function publicOf(text) {
  const source = ts.createSourceFile("index.d.ts", text, ts.ScriptTarget.Latest, true);
  const printer = ts.createPrinter({ removeComments: true });
  return source.statements.map((statement) => {
    const shown = ts.isClassDeclaration(statement) ? withoutPrivate(statement) : statement;
    return printer.printNode(ts.EmitHint.Unspecified, shown, source);
  });
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

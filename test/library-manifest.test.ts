import { readFileSync } from "node:fs";
import { posix, relative } from "node:path";
import ts from "typescript";
import { ROOT } from "./helpers";
import { libraryManifests } from "./support/firmware-modules";

/* The manifest that an app on Moddable includes: moddable/manifest.json. */

const manifests = libraryManifests();
const modules = new Map(manifests.flatMap((each) => Object.entries(each.modules)));
const ENTRIES = ["esp32gpt", "esp32gpt/moddable", "esp32gpt/native", "esp32gpt/platform"];
/** Modules of the SDK that the manifest includes, or each platform has. */
const OF_THE_SDK = ["embedded:storage/files", "modules", "time", "timer"];

/** What a module loads, by name, as XS resolves it: relative to the importing module's name, not to its file. */
function importsOf(specifier: string): string[] {
  const files = modules.get(specifier);
  if (!files) throw new Error(`the library has no module ${specifier}`);
  return files.flatMap((file) => {
    const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2023, true);
    return source.statements.flatMap((statement) => {
      const isLoaded = ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement);
      if (!isLoaded || !statement.moduleSpecifier || !ts.isStringLiteral(statement.moduleSpecifier)) return [];
      const { text } = statement.moduleSpecifier;
      return text.startsWith(".") ? [posix.join(posix.dirname(specifier), text)] : [text];
    });
  });
}

function reachable(specifier: string, seen = new Set<string>()): Set<string> {
  if (seen.has(specifier) || OF_THE_SDK.includes(specifier)) return seen;
  seen.add(specifier);
  for (const next of importsOf(specifier)) reachable(next, seen);
  return seen;
}

test.each(ENTRIES)("%s finds each module that it imports", (entry) => {
  expect(reachable(entry).size).toBeGreaterThan(1);
});

test("nothing of the firmware comes along: no program, no settings, no data, no modules", () => {
  const keys = manifests.flatMap(({ file }) => Object.keys(JSON.parse(readFileSync(file, "utf8")) as object));
  expect([...new Set(keys)].sort()).toEqual(["include", "modules", "preload"]);
  const files = [...modules.values()].flat().map((file) => relative(ROOT, file));
  expect(files.filter((file) => !/^src\/(gpt|places\/moddable)\//.test(file))).toEqual([]);
});

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { CREATION } from "../src/gpt/plan";
import { checkSettings, firmwareNames } from "../src/device/settings";
import { ROOT } from "./helpers";
import { firmwareManifests } from "./support/firmware-modules";

/*
 * The manifest against the sources: every module of the firmware is there and preloaded, none is there
 * for nothing, and none does anything when it is loaded, as all of them are frozen into flash.
 */

interface Manifest {
  readonly include: string[];
  readonly creation: {
    chunk: { initial: number };
    heap: { initial: number };
    stack: number;
    static: number;
    main: string;
  };
  readonly config: { readonly esp32gpt: Record<string, string | number> };
  readonly modules: Record<string, string | string[]>;
  readonly preload?: string[];
  readonly platforms: Record<
    string,
    { modules: Record<string, string>; build?: Record<string, string>; dependency?: { idf: string }[] }
  >;
}

const CHIP_FOLDER = join(ROOT, "src", "firmware", "chip");
const readManifest = (file: string): Manifest => JSON.parse(readFileSync(file, "utf8")) as Manifest;
const manifest = readManifest(join(ROOT, "firmware", "manifest.json"));
const settings = manifest.config.esp32gpt;
const chipManifest = readManifest(join(CHIP_FOLDER, "manifest.json"));
/** The files behind each module of the firmware. */
const listed = firmwareManifests();
const modules = new Map(listed.flatMap((each) => Object.entries(each.modules)));
const preloaded = listed.flatMap(({ file }) => readManifest(file).preload ?? []);

/** The one module whose source depends on the platform. */
const CHIP = "esp32gpt/chip";

function specifierOf(file: string): string {
  for (const [specifier, files] of modules) if (files.includes(file)) return specifier;
  throw new Error(`the firmware has no module of ${file}`);
}

const filesOf = (specifier: string): readonly string[] => modules.get(specifier) ?? [];

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2023, true);
}

/** The modules of this project that a module imports, for types as well. */
function importsOf(file: string): string[] {
  return parse(file).statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) return [];
    const { text } = statement.moduleSpecifier;
    if (text === CHIP) return [CHIP];
    return text.startsWith(".") ? [specifierOf(join(file, "..", `${text}.ts`))] : [];
  });
}

/** Everything that the firmware's entry leads to. */
function reachable(specifier: string, seen = new Set<string>()): Set<string> {
  if (seen.has(specifier)) return seen;
  seen.add(specifier);
  for (const next of filesOf(specifier).flatMap(importsOf)) reachable(next, seen);
  return seen;
}

test("every module that the entry leads to is there and preloaded, and no other", () => {
  expect(manifest.creation.main).toBe("esp32gpt/firmware/main");
  expect([...preloaded].sort()).toEqual([...reachable(manifest.creation.main)].sort());
  expect([...preloaded].sort()).toEqual([...modules.keys()].sort());
});

test("the device is one module, of a folder of its own on the chip and on every simulator", () => {
  const folders = { esp32: "esp32", lin: "simulator", mac: "simulator", win: "simulator" };
  expect(Object.keys(chipManifest.platforms).sort()).toEqual(Object.keys(folders));
  for (const [platform, folder] of Object.entries(folders)) {
    expect(chipManifest.platforms[platform].modules).toEqual({ [CHIP]: `./${folder}/*` });
    const sources = readdirSync(join(CHIP_FOLDER, folder));
    // All that the pattern finds becomes this module: one of TypeScript, and its C.
    expect(sources.filter((name) => name.endsWith(".ts"))).toEqual(["device.ts"]);
    expect(sources.every((name) => /\.(ts|c|h)$/.test(name))).toBe(true);
  }
  // The chip's makefile is the SDK's and a line more; see idf/make.esp32.mk.
  expect(chipManifest.platforms.esp32.build).toEqual({
    "MAKE_FRAGMENT ?=": "./idf/make.esp32.mk",
    ESP32GPT_COMPONENTS: "./idf",
  });
  expect(chipManifest.platforms.esp32.dependency).toEqual([
    { idf: "esp_driver_uart" },
    { idf: "esp_driver_usb_serial_jtag" },
  ]);
  const { compilerOptions } = JSON.parse(readFileSync(join(ROOT, "tsconfig.json"), "utf8")) as {
    compilerOptions: { paths: Record<string, string[]> };
  };
  expect(compilerOptions.paths[CHIP]).toEqual(["./src/firmware/chip/esp32/device.ts"]);
});

test("the machine has the sizes that the plan and the simulator reckon with", () => {
  const { chunk, heap, stack, static: fixed } = manifest.creation;
  expect({ chunks: chunk.initial, slots: heap.initial, stack }).toEqual(CREATION);
  expect(fixed).toBe(0);
});

test("the firmware has the version and the codename of the package", () => {
  const { version, codename } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Record<string, string>;
  expect(settings).toMatchObject({ version, codename });
  expect(codename).toMatch(/^[a-z]+$/);
});

test("the manifest lists every setting, and what it sets makes sense", () => {
  expect(Object.keys(manifest.config)).toEqual(["esp32gpt"]);
  expect(Object.keys(settings)).toEqual(firmwareNames());
  expect(() => checkSettings(settings)).not.toThrow();
});

/** What may stand at the top of a module: declarations whose values are constants. */
const DECLARATIONS = new Set([
  ts.SyntaxKind.ImportDeclaration,
  ts.SyntaxKind.ExportDeclaration,
  ts.SyntaxKind.FunctionDeclaration,
  ts.SyntaxKind.ClassDeclaration,
  ts.SyntaxKind.InterfaceDeclaration,
  ts.SyntaxKind.TypeAliasDeclaration,
]);
const HARMLESS_CALLS = new Set(["Object.freeze", "native"]);

/** What a statement would do when its module is loaded, in words; undefined for nothing. */
function sideEffect(statement: ts.Statement): string | undefined {
  if (DECLARATIONS.has(statement.kind)) return undefined;
  if (!ts.isVariableStatement(statement)) return statement.getText();
  if (!(statement.declarationList.flags & ts.NodeFlags.Const)) return `not const: ${statement.getText()}`;
  let found: string | undefined;
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node)) return;
    if (ts.isNewExpression(node)) found = node.getText();
    if (ts.isCallExpression(node) && !HARMLESS_CALLS.has(node.expression.getText())) found = node.getText();
    if (ts.isObjectLiteralExpression(node) || ts.isArrayLiteralExpression(node)) {
      const { parent } = ts.isAsExpression(node.parent) ? node.parent : node;
      const isFrozen = ts.isCallExpression(parent) && parent.expression.getText() === "Object.freeze";
      if (!isFrozen) found = `not frozen: ${node.getText()}`;
    }
    ts.forEachChild(node, visit);
  };
  visit(statement.declarationList);
  return found;
}

test.each(preloaded)("%s does nothing when it is loaded", (specifier) => {
  const effects = filesOf(specifier)
    .flatMap((file) => [...parse(file).statements])
    .map(sideEffect)
    .filter((effect) => effect !== undefined);
  expect(effects).toEqual([]);
});

test.each([
  ["let x = 1;", /not const/],
  ["const x = new Map();", /new Map/],
  ["const x = Math.random();", /Math\.random/],
  ["const x = { y: 1 };", /not frozen/],
  ["console.log(1);", /console/],
])("and this would be seen: %s", (text, effect) => {
  const [statement] = ts.createSourceFile("x.ts", text, ts.ScriptTarget.ES2023, true).statements;
  expect(sideEffect(statement)).toMatch(effect);
});

test("every native function that TypeScript names is defined in C beside it", () => {
  const natives = (folder: string): { named: string[]; defined: string[] } => {
    const texts = (ending: string): string =>
      readdirSync(folder)
        .filter((name) => name.endsWith(ending))
        .map((name) => readFileSync(join(folder, name), "utf8"))
        .join("\n");
    return {
      named: [...texts(".ts").matchAll(/native\("(\w+)"\)/g)].map(([, name]) => name).sort(),
      defined: [...texts(".c").matchAll(/^void (\w*xs_\w+)\(xsMachine \*the\)/gm)].map(([, name]) => name).sort(),
    };
  };
  const ops = join(ROOT, "src", "gpt", "native");
  for (const folder of [ops, join(CHIP_FOLDER, "esp32")]) {
    const { named, defined } = natives(folder);
    expect(named.length).toBeGreaterThan(5);
    expect(defined).toEqual(named);
  }
  const table = readFileSync(join(ROOT, "host", "xs", "engine", "natives.c"), "utf8");
  const listed = [...table.matchAll(/_\((\w*xs_\w+)\)/g)].map(([, name]) => name);
  expect(listed.sort()).toEqual(natives(ops).named);
});

import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "./helpers";
import { type Outcome, outcomeOf, temporaryFolder } from "./support/cli";
import { startElsewhere } from "./support/xs";

/*
 * The published package: what npm pack puts into it is enough to run and to build on, and XS comes with its optional
 * peer.
 */

const at = temporaryFolder();
const XS = "@agoric/xsnap";
const TARBALL = at("esp32gpt.tgz");

beforeAll(() => {
  execFileSync("npm", ["pack", "--silent", "--pack-destination", at(".")], { cwd: ROOT, stdio: "pipe" });
  const [packed] = readdirSync(at(".")).filter((name) => name.endsWith(".tgz"));
  renameSync(at(packed), TARBALL);
  execFileSync("tar", ["-xzf", TARBALL, "-C", at(".")]);
  // What npm install brings: the dependencies, not the optional peer.
  for (const name of readdirSync(join(ROOT, "node_modules"))) {
    if (name.startsWith(".") || name === "@agoric") continue;
    mkdirSync(at("package/node_modules"), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), at(join("package/node_modules", name)));
  }
  // An app that has nothing but the package.
  mkdirSync(at("app/node_modules"), { recursive: true });
  symlinkSync(at("package"), at("app/node_modules/esp32gpt"));
}, 600_000);

/** What may be in the package: all files of it match one of these. */
const FILES = [
  /^(LICENSE|README\.md|package\.json|moddable\/manifest(-inference)?\.json)$/,
  /^bin\/((esp32gpt|compiled|import)\.js|package\.json)$/,
  /^data\/names\.txt$/,
  // The command line and the library, the programs for XS, the declarations.
  /^dist\/(built\.json|[\w-]+\.(c?js|c?js\.map|d\.ts))$/,
  // The sources of the XS host, and of the library for Moddable.
  /^host\/xs\/engine\/\w+\.[ch]$/,
  /^src\/gpt\/(\w+\/)?[\w-]+\.ts$/,
  /^src\/gpt\/native\/\w+\.[ch]$/,
  /^src\/gpt\/(native\/)?manifest(-library|-inference)?\.json$/,
  /^src\/places\/moddable\/(modules\/)?\w+\.ts$/,
];
const MOST_BYTES = 1_700_000;

test("it has the files that it needs and no others, in 1.7 MB", () => {
  const listed = execFileSync("tar", ["-tzf", TARBALL], { encoding: "utf8" }).trim().split("\n");
  const files = listed.map((file) => file.replace(/^package\//, ""));
  expect(files.filter((file) => !FILES.some((pattern) => pattern.test(file)))).toEqual([]);
  for (const pattern of FILES) expect([pattern, files.some((file) => pattern.test(file))]).toEqual([pattern, true]);
  expect(statSync(TARBALL).size).toBeLessThan(MOST_BYTES);
});

/** Runs a script of the project, or a program of a package. */
function node(...words: string[]): Promise<Outcome> {
  return outcomeOf(spawn(process.execPath, words, { cwd: at("app") }));
}

const checkPackage = (tarball: string): Promise<Outcome> => node(join(ROOT, "scripts", "check-package.mjs"), tarball);

test("publint and attw find nothing", async () => {
  expect(await checkPackage(TARBALL)).toEqual({ code: 0, stdout: "", stderr: "" });
});

test("and would find a declaration or a module that is missing", async () => {
  execFileSync(
    "tar",
    ["-czf", at("less.tgz"), "--exclude=client.d.ts", "--exclude=node.js", "-C", at("."), "package"],
    {
      stdio: "pipe",
    },
  );
  const { code, stderr } = await checkPackage(at("less.tgz"));
  expect(code).toBe(1);
  expect(stderr).toMatch(/^publint: .*node\.js/m);
  expect(stderr).toMatch(/^attw: .*client/m);
});

/** An app that is the same on Node, in a page and on a chip. */
const APP = `
import { createTrainer, Dataset, generate, Random, train } from "esp32gpt";
import { clock, openStorage, opsFor, print } from "esp32gpt/platform";

const trainer = createTrainer({ dataset: Dataset.of(["isrrx", "isrrrx"]), ops: opsFor("i32"), training: { steps: 20 } });
print(await train(trainer, { clock }));
print(typeof generate(trainer.model, { random: new Random(1) }));
const storage = await openStorage("models");
print(String(await storage.open("none")));
`;

test("an app imports it, on Node and in a page", async () => {
  writeFileSync(at("app/app.mjs"), APP);
  const lines = "done\nstring\nundefined\n";
  expect(await node("app.mjs")).toEqual({ code: 0, stdout: lines, stderr: "" });
  // What a bundler for pages takes; there is no database here, so files are in memory.
  expect(await node("--conditions=browser", "app.mjs")).toEqual({ code: 0, stdout: lines, stderr: "" });
});

test("an app of CommonJS requires it", async () => {
  writeFileSync(
    at("app/app.cjs"),
    'console.log(typeof require("esp32gpt").createTrainer, require("esp32gpt/package.json").name);',
  );
  const { code, stdout, stderr } = await node("app.cjs");
  expect([code, stdout]).toEqual([0, "function esp32gpt\n"]);
  // Some versions of Node say that this is experimental.
  expect(stderr).toMatch(/^(\(node:.*\n)*$/);
});

test("an app talks with a board through the client", async () => {
  writeFileSync(
    at("app/client.mjs"),
    `import { spawn } from "node:child_process";
    import { Board } from "esp32gpt/client";

    const options = ["--engine", "node", "steps=5", "samples=0"];
    const simulator = spawn(process.execPath, ["node_modules/esp32gpt/bin/esp32gpt.js", "simulate", ...options]);
    const link = {
      send: (line) => simulator.stdin.write(line + "\\n"),
      now: () => performance.now(),
      after(milliseconds, call) {
        const timer = setTimeout(call, milliseconds);
        return () => clearTimeout(timer);
      },
    };
    const ignore = () => undefined;
    const listener = { onLine: ignore, onText: ignore, onXsbug: ignore, onNoise: ignore };
    const board = new Board(link, listener, 7);
    simulator.stdout.setEncoding("utf8").on("data", (text) => board.take(text));
    const { type, protocol } = await board.client.open();
    console.log(type, protocol, (await board.client.run("status")).ok);
    await board.client.run("hello").catch(({ name }) => console.log(name));
    simulator.kill();`,
  );
  expect(await node("client.mjs")).toEqual({ code: 0, stdout: "hello 1 true\nInputError\n", stderr: "" });
});

/** Each subpath's types, and that those of two subpaths are the same. */
const TYPES = `
import { Dataset, InputError, type Ops, Runner, typescriptOps } from "esp32gpt";
import * as browser from "esp32gpt/browser";
import { Board, type Link, Restarted } from "esp32gpt/client";
import * as moddable from "esp32gpt/moddable";
import { nativeI32Ops } from "esp32gpt/native";
import * as node from "esp32gpt/node";
import * as platform from "esp32gpt/platform";

const places: (typeof platform)[] = [browser, node, moddable];
export const ops: Ops[] = [nativeI32Ops, typescriptOps("f64"), ...places.map(({ opsFor }) => opsFor("i32"))];
export const runners = places.map(({ clock }) => new Runner(clock));
export const isCorrectable: boolean = new Restarted("") instanceof InputError;
export const board = (link: Link): Board => new Board(link, { onLine() {}, onText() {}, onXsbug() {}, onNoise() {} }, 1);
// @ts-expect-error it takes strings
export const dataset = Dataset.of([1]);
`;

test.each([
  ["esnext", "bundler"],
  ["node16", "node16"],
])("its types serve an app with module %s and moduleResolution %s", async (module, moduleResolution) => {
  writeFileSync(at("app/types.mts"), TYPES);
  const options = ["--noEmit", "--strict", "--target", "es2023", "--module", module];
  const words = [...options, "--moduleResolution", moduleResolution, "--lib", "es2023", "types.mts"];
  const { code, stdout } = await node(join(ROOT, "node_modules", "typescript", "bin", "tsc"), ...words);
  expect([code, stdout]).toEqual([0, ""]);
});

function train(engine: string): Promise<Outcome> {
  const options = ["--engine", engine, "--steps", "3", "--samples", "1"];
  return outcomeOf(startElsewhere(at("package"), {}, "train", ...options));
}

test("without the peer, auto runs on Node and says which command brings XS", async () => {
  const { code, stdout, stderr } = await train("auto");
  expect(stderr).toMatch(
    /^esp32gpt: XS is not available: running on Node\. [^\n]*npm install --ignore-scripts @agoric\/xsnap[^\n]*\n$/,
  );
  expect(stdout).toMatch(/on Node ===\n[^]*=== Done ===\n$/);
  expect(code).toBe(0);
});

test("without the peer, xs says so", async () => {
  const { code, stdout, stderr } = await train("xs");
  expect(stderr).toMatch(/^esp32gpt: [^\n]*npm install --ignore-scripts @agoric\/xsnap\.\n$/);
  expect([code, stdout]).toEqual([2, ""]);
});

test("with the peer, where its folder cannot be written to, auto runs on Node", async () => {
  mkdirSync(at("package/node_modules/@agoric"), { recursive: true });
  symlinkSync(join(ROOT, "node_modules", XS), at(join("package/node_modules", XS)));
  rmSync(at("package/build"), { recursive: true, force: true });
  writeFileSync(at("package/build"), "no folder");
  const { code, stderr } = await train("auto");
  expect(stderr).toMatch(/^esp32gpt: XS is not available: running on Node\. Cannot write [^\n]*\n$/);
  expect(code).toBe(0);
  rmSync(at("package/build"));
});

test("with the peer it builds XS and runs on it", async () => {
  mkdirSync(dirname(at(join("package/node_modules", XS))), { recursive: true });
  const { code, stdout } = await train("xs");
  expect(stdout).toMatch(/on XS ===\n[^]*=== Done ===\n$/);
  expect(code).toBe(0);
}, 600_000);

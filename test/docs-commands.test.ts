import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { ROOT } from "./helpers";
import { newFolder, temporaryFolder } from "./support/cli";
import { type Block, documentOf, fencedBlocks, userDocuments } from "./support/documents";

/*
 * Every command and program in README and docs/ runs as it is written, from a fresh clone, or a comment before its
 * block says why the tests do not run it: `<!-- not run by the tests: needs a board -->`. What a document shows behind a
 * block is what its commands print. Links lead somewhere.
 */

/** What a block may be: commands, a program that uses the package, output, lines for a board's console, a file. */
const LANGUAGES = ["sh", "js", "text", "console", "json"];
/** Those that are run. */
const RUN = ["sh", "js"];
/** What the repository has that commands name. */
const REACHABLE = ["bin", "data", "docs", "web"];
/** A command of the program, to which another one may write. */
const COMMAND = /^(?:(?:echo|printf|sort) [^|;&<>]+ \| )?(?:npx esp32gpt|node bin\/esp32gpt\.js)(?: [^|;&<>]*)?$/;
/** A document's commands, on a busy machine. */
const TIMEOUT_MS = 120_000;

const at = temporaryFolder();
const { scripts } = JSON.parse(documentOf("package.json")) as { scripts: Record<string, string> };

/** A folder of its own with what a command finds in a clone; what it writes stays there. */
function cloneFor(name: string): string {
  const folder = newFolder(at(name.replaceAll("/", "-")));
  for (const part of REACHABLE) symlinkSync(join(ROOT, part), join(folder, part));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(ROOT, join(folder, "node_modules", "esp32gpt"));
  return folder;
}

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** npx starts the same program, but takes a second for it. */
function run(command: string, cwd: string): Promise<Outcome> {
  const line = command.replace(/\b(?:npx esp32gpt|node bin\/esp32gpt\.js)/, `"${process.execPath}" bin/esp32gpt.js`);
  return new Promise((resolve) => {
    const child = execFile("sh", ["-c", line], { cwd, timeout: TIMEOUT_MS }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
    child.stdin?.end();
  });
}

/** The command that runs a block as a program in a folder. */
function programOf({ text }: Block, folder: string): string {
  writeFileSync(join(folder, "program.mjs"), text);
  return `"${process.execPath}" program.mjs`;
}

/** The commands of a block, each on a line, without comments behind them. */
function commandsOf({ text }: Block): string[] {
  const lines = text.split("\n").map((line) => line.replace(/\s+# .*$/, ""));
  return lines.filter((line) => line.trim() !== "");
}

/** What of the lines that a document shows is not there, in this order; "..." is for any number of lines. */
function missingIn(shown: string, said: string): string[] {
  const lines = said.split("\n").map((line) => line.trimEnd());
  let from = 0;
  return shown.split("\n").filter((line) => {
    if (line === "..." || line === "") return false;
    const found = lines.indexOf(line.trimEnd(), from);
    if (found >= 0) from = found + 1;
    return found < 0;
  });
}

/** What is wrong with how a document's blocks are marked. */
function faultsOf(document: string): string[] {
  return fencedBlocks(document).flatMap((block) => {
    const where = `line ${block.line}`;
    if (!LANGUAGES.includes(block.language)) return [`${where}: a block of the kind "${block.language}"`];
    if (block.language === "js") return [];
    if (block.language !== "sh") return block.notRun === undefined ? [] : [`${where}: there is nothing to run`];
    if (block.notRun !== undefined) return [];
    return commandsOf(block)
      .filter((command) => !COMMAND.test(command))
      .map((command) => `${where}: the tests cannot run "${command}", and no comment says why`);
  });
}

describe.each(userDocuments())("%s", (name) => {
  const document = documentOf(name);
  const blocks = fencedBlocks(document);

  test("says of each block what it is, and why its commands are not run", () => {
    expect(faultsOf(document)).toEqual([]);
  });

  const runnable = blocks.filter(({ language, notRun }) => RUN.includes(language) && notRun === undefined);
  if (runnable.length > 0)
    test(
      "has commands that run in this order, and print what stands there",
      async () => {
        const folder = cloneFor(name);
        for (const block of runnable) {
          let said = "";
          const commands = block.language === "js" ? [programOf(block, folder)] : commandsOf(block);
          for (const command of commands) {
            const { code, stdout, stderr } = await run(command, folder);
            expect({ command, code, stderr: code === 0 ? "" : stderr }).toEqual({ command, code: 0, stderr: "" });
            said += stdout;
          }
          const next = blocks[blocks.indexOf(block) + 1] as Block | undefined;
          if (next?.language === "text")
            expect({ of: block.text, missing: missingIn(next.text, said) }).toEqual({ of: block.text, missing: [] });
        }
      },
      TIMEOUT_MS,
    );
});

test("a block that nobody can run, of an unknown kind, or marked without need is a fault", () => {
  const document = [
    ["```sh", "npx esp32gpt plan", "rm -rf /", "npm run flash", "```"],
    ["```", "npx esp32gpt plan", "```"],
    ["<!-- not run by the tests: needs a board -->", "", "```sh", "npm run flash", "```"],
    ["<!-- not run by the tests: needs a board -->", "", "```text", "npm run flash", "```"],
    ["```sh", "npx esp32gpt plan && rm -rf /", "npx esp32gpt-other", "echo status | npx esp32gpt monitor", "```"],
  ];
  expect(faultsOf(document.map((lines) => lines.join("\n")).join("\n\n"))).toEqual([
    'line 1: the tests cannot run "rm -rf /", and no comment says why',
    'line 1: the tests cannot run "npm run flash", and no comment says why',
    'line 7: a block of the kind ""',
    "line 19: there is nothing to run",
    'line 23: the tests cannot run "npx esp32gpt plan && rm -rf /", and no comment says why',
    'line 23: the tests cannot run "npx esp32gpt-other", and no comment says why',
  ]);
});

test("what is shown has to be printed in that order", () => {
  expect(missingIn("a\n...\nc\n", "a\nb\nc \n")).toEqual([]);
  expect(missingIn("c\na\nd\n", "a\nb\nc\n")).toEqual(["a", "d"]);
});

test("npm start prints the log that README shows", async () => {
  const readme = fencedBlocks(documentOf("README.md"));
  const start = readme.findIndex(({ text }) => text === "npm ci && npm start\n");
  const { code, stdout } = await run(scripts.start, cloneFor("start"));
  expect([code, missingIn(readme[start + 1].text, stdout)]).toEqual([0, []]);
});

test("the presets generate the names that docs/model.md lists", async () => {
  const listed = [...documentOf("docs/model.md").matchAll(/^- `(\w+)`: ([a-z,\s]+)$/gm)];
  expect(listed.map(([, preset]) => preset)).toEqual(["esp32gpt", "microgpt", "tuned"]);
  const folder = cloneFor("presets");
  for (const [, preset, names] of listed) {
    const { stdout } = await run(`npx esp32gpt train --preset ${preset}`, folder);
    const written = [...stdout.matchAll(/^ +\d+\. (.*)$/gm)].map(([, written]) => written);
    expect(written).toEqual(names.trim().split(/,\s+/));
  }
});

test("README has at most 200 lines", () => {
  expect(documentOf("README.md").trimEnd().split("\n").length).toBeLessThanOrEqual(200);
});

// --- links ---

const NOT_OURS = ["node_modules", "dist", "build", "coverage", ".git"];

/** The Markdown files of the repository, from its folder on. */
function markdownFiles(folder = ROOT): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.includes(entry.name) ? [] : markdownFiles(path);
    return entry.isFile() && entry.name.endsWith(".md") ? [relative(ROOT, path)] : [];
  });
}

interface Link {
  readonly text: string;
  /** The file or folder, from the repository's folder on. */
  readonly path: string;
  readonly anchor: string | undefined;
}

/** A document without its code. */
function proseOf(document: string): string {
  return document.replace(/^\s*```[^]*?^\s*```$/gm, "");
}

/** The links of a document to the repository. */
function linksOf(name: string, document: string): Link[] {
  return [...proseOf(document).matchAll(/\[((?:[^[\]]|`[^`]*`)*)\]\(([^)\s]+)\)/g)]
    .filter(([, , target]) => !/^(?:https?|mailto):/.test(target))
    .map(([, text, target]) => {
      const [file, anchor] = target.split("#");
      const path = file === "" ? name : relative(ROOT, resolve(ROOT, dirname(name), decodeURIComponent(file)));
      return { text, path, anchor };
    });
}

/** The anchors that GitHub gives to the headings of a document. */
function anchorsOf(document: string): string[] {
  const seen = new Map<string, number>();
  return [...proseOf(document).matchAll(/^#+ +(.*)$/gm)].map(([, heading]) => {
    const anchor = heading
      .replace(/[`*]|\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-");
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}

/** What is wrong with a link; a link like [`name()`](file) names something that stands in that file. */
function faultOf({ text, path, anchor }: Link): string | undefined {
  const file = join(ROOT, path);
  if (path.startsWith("..") || !existsSync(file)) return `${path} does not exist`;
  if (anchor !== undefined && !anchorsOf(readFileSync(file, "utf8")).includes(anchor))
    return `${path} has no heading ${anchor}`;
  const identifier = /^`(\w+)(?:\(\))?`$/.exec(text)?.[1];
  if (identifier !== undefined && statSync(file).isFile()) {
    if (!new RegExp(`\\b${identifier}\\b`).test(readFileSync(file, "utf8"))) return `${path} has no ${identifier}`;
  }
  return undefined;
}

test.each(markdownFiles())("the links of %s lead to what there is", (name) => {
  const faults = linksOf(name, documentOf(name)).map(faultOf);
  expect(faults.filter((fault) => fault !== undefined)).toEqual([]);
});

test.each(markdownFiles())("%s names scripts that there are", (name) => {
  const named = [...documentOf(name).matchAll(/\bnpm run (?:-s )?([\w:]+(?:-\w+)*)/g)].map(([, script]) => script);
  expect(named.filter((script) => !Object.hasOwn(scripts, script))).toEqual([]);
});

test("a link that leads nowhere is found, and so is a heading or a name that is not there", () => {
  const document = "[a](docs/none.md) [b](#nothing) [`nothing()`](src/gpt/index.ts) [`Trainer`](src/gpt/index.ts)\n";
  expect(linksOf("README.md", document).map(faultOf)).toEqual([
    "docs/none.md does not exist",
    "README.md has no heading nothing",
    "src/gpt/index.ts has no nothing",
    undefined,
  ]);
});

test("every file in docs/ is linked, and every document there from README", () => {
  const files = readdirSync(join(ROOT, "docs"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
  const targetsOf = (name: string): string[] =>
    linksOf(name, documentOf(name)).flatMap(({ path }) => (path === name ? [] : [path]));
  const linked = new Set(markdownFiles().flatMap(targetsOf));
  expect(files.filter((file) => !linked.has(file))).toEqual([]);
  const fromReadme = targetsOf("README.md");
  expect(files.filter((file) => file.endsWith(".md") && !fromReadme.includes(file))).toEqual([]);
});

test("no document has a path of somebody's machine", () => {
  const paths = markdownFiles().flatMap((name) =>
    [...documentOf(name).matchAll(/(?<![\w.$:/])\/(?:home|root|work|Users)\/\S*/g)].map(([path]) => `${name}: ${path}`),
  );
  expect(paths).toEqual([]);
});

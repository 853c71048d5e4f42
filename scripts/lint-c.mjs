// Checks the C code with clang-format and cppcheck; with --fix, formats it. Folders may be given as arguments. A
// missing tool is reported, and is an error if nothing may be skipped (ESP32GPT_NO_SKIPS=1).
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** The layout depends on the version of clang-format. */
const VERSION = /^clang-format==(.+)$/m.exec(readFileSync(join(ROOT, "test", "requirements.txt"), "utf8"))?.[1] ?? "";
const LAYOUT = [`--style=file:${join(ROOT, ".clang-format")}`];
const CHECKS = ["--enable=warning,performance,portability", "--std=c99", "--inline-suppr", "--error-exitcode=1"];

const options = process.argv.slice(2);
const fixes = options.includes("--fix");
const folders = options.filter((option) => !option.startsWith("--"));
const files = (folders.length > 0 ? folders : ["src", "host", "scripts", "test"].map((name) => join(ROOT, name)))
  .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)))
  .filter((name) => /\.[ch]$/.test(name))
  .sort();

if (!versionOf("clang-format").includes(` ${VERSION}`))
  miss(`clang-format ${VERSION}`, "pip install -r test/requirements.txt");
else run("clang-format", [...LAYOUT, ...(fixes ? ["-i"] : ["--dry-run", "--Werror"]), ...files]);

if (!fixes) {
  if (versionOf("cppcheck") === "") miss("cppcheck", "apt-get install cppcheck");
  else run("cppcheck", [...CHECKS, "--quiet", ...files.filter((name) => name.endsWith(".c"))]);
}

/** @param {string} program */
function versionOf(program) {
  const { status, stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : "";
}

/**
 * @param {string} tool
 * @param {string} way how to install it
 */
function miss(tool, way) {
  console.error(`The C code is not checked by ${tool}, which is missing: ${way}.`);
  if (process.env.ESP32GPT_NO_SKIPS === "1") process.exitCode = 1;
}

/**
 * @param {string} program
 * @param {readonly string[]} words
 */
function run(program, words) {
  if (spawnSync(program, words, { stdio: "inherit" }).status !== 0) process.exitCode = 1;
}

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { InputError } from "../../src/errors";
import { fileError } from "../node-storage";
import { type Bits, headerDigest, hostUnits, ROOT, type Unit } from "./sources";

/** Told how many of how many files are compiled. */
export type BuildProgress = (done: number, total: number) => void;

const run = promisify(execFile);
const COMPILER = process.env.CC ?? "cc";
/** Whether to build the variant that watches memory, in its own folder: see scripts/sanitize.mjs. */
const IS_SANITIZED = process.env.ESP32GPT_XS_VARIANT === "sanitize";

/** There is no C compiler, or not for so many bits. */
export class NoCompilerError extends InputError {}

/**
 * Compiles the XS host, or what of it has changed since the last time, into build/xs/.
 * @returns the executable
 * @throws NoCompilerError; InputError when the folder cannot be written
 */
export async function buildHost(bits: Bits, progress: BuildProgress): Promise<string> {
  const units = hostUnits(bits, IS_SANITIZED);
  const setting = `${await compilerVersion(bits)}\n${headerDigest()}\n`;
  const folder = join(ROOT, "build", "xs", IS_SANITIZED ? `${bits}-sanitize` : String(bits));
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw fileError("write", folder, error);
  }
  const objects = units.map((unit) => join(folder, objectName(unit, setting)));
  const executable = join(folder, `esp32gpt-xs-${digest(objects.join("\n"))}`);
  if (existsSync(executable)) return executable;

  let next = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    while (next < units.length) {
      const i = next++;
      if (!existsSync(objects[i])) await compile(units[i], objects[i]);
      progress(++done, units.length + 1);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  await atomically(executable, (output) => run(COMPILER, [...linkFlags(bits), ...objects, "-lm", "-o", output]));
  removeStale(folder, new Set([...objects, executable].map((path) => basename(path))));
  progress(units.length + 1, units.length + 1);
  return executable;
}

/** The compiler and what it compiles for, having seen that it can link a program. */
async function compilerVersion(bits: Bits): Promise<string> {
  const machine = linkFlags(bits);
  try {
    const { stdout } = await run(COMPILER, ["--version"]);
    await run("sh", [
      "-c",
      `echo 'int main(void) { return 0; }' | "$0" "$@" -x c - -o /dev/null`,
      COMPILER,
      ...machine,
    ]);
    return stdout;
  } catch {
    throw new NoCompilerError(
      bits === 32
        ? `The C compiler (${COMPILER}) makes no 32-bit programs: install gcc-multilib.`
        : `There is no C compiler (${COMPILER}) to build XS with: install gcc or clang, or use --engine node.`,
    );
  }
}

function linkFlags(bits: Bits): string[] {
  return [...(bits === 32 ? ["-m32"] : []), ...(IS_SANITIZED ? ["-fsanitize=address,undefined"] : [])];
}

function objectName({ source, flags }: Unit, setting: string): string {
  const key = digest(`${setting}${flags.join(" ")}\n${readFileSync(source, "utf8")}`);
  return `${basename(source, ".c")}-${key}.o`;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

async function compile({ source, flags }: Unit, object: string): Promise<void> {
  await atomically(object, (output) => run(COMPILER, [...flags, "-c", source, "-o", output]));
}

/** Two builds may run at once: each file appears whole. */
async function atomically(path: string, make: (output: string) => Promise<unknown>): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await make(temporary);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    if (error instanceof Error && "stderr" in error)
      throw new InputError(`${basename(path)} could not be built: ${String(error.stderr).trim()}`);
    throw fileError("write", path, error);
  }
}

function removeStale(folder: string, current: ReadonlySet<string>): void {
  for (const name of readdirSync(folder)) {
    if (!current.has(name) && !name.endsWith(".tmp")) rmSync(join(folder, name), { force: true });
  }
}

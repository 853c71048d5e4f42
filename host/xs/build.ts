import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { InputError, printable } from "../../src/gpt/base/errors";
import { fileError } from "../../src/places/node/file-errors";
import { isAlive } from "../files/outputs";
import { findProgram } from "./programs";
import {
  type Bits,
  chosenEngine,
  headerStamps,
  type HostKind,
  hostUnits,
  LOOPS,
  ROOT,
  stampOf,
  type Unit,
} from "./sources";

/** Called with the number of compiled files and the total. */
export type BuildProgress = (done: number, total: number) => void;

/** Whether to build with AddressSanitizer (scripts/sanitize.mjs), in a separate folder. */
const IS_SANITIZED = process.env.ESP32GPT_XS_VARIANT === "sanitize";

/** The XS host cannot be built; the message says why. */
export class XsUnavailable extends InputError {}

type Command = readonly [program: string, ...options: string[]];

/** A compiler: its command line, and an identity that changes when it is updated. */
interface Compiler {
  readonly words: Command;
  readonly identity: string;
}

/**
 * Builds the XS host incrementally in build/xs/.
 * @param ending aborts the build
 * @returns the path of the executable
 * @throws XsUnavailable when it cannot be built
 */
export async function buildHost(kind: HostKind, progress: BuildProgress, ending: AbortSignal): Promise<string> {
  try {
    return await build(kind, progress, ending);
  } catch (error) {
    throw error instanceof InputError ? new XsUnavailable(error.message) : error;
  }
}

async function build(kind: HostKind, progress: BuildProgress, ending: AbortSignal): Promise<string> {
  const { bits } = kind;
  const compiler = findCompiler();
  const setting = digest(`${compiler.identity}\n${headerStamps()}`);
  const folder = join(ROOT, "build", "xs", folderName(bits));
  const { units, executable } = planOf(kind, folder, setting);
  if (existsSync(executable)) return executable;

  const compile = (options: readonly string[], output: string): Promise<void> =>
    atomically(output, (file) => run([...compiler.words, ...options, "-o", file], ending));
  await requireBits(compiler, bits, ending);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw fileError("write", folder, error);
  }
  let done = 0;
  const queue = units.values();
  const worker = async (): Promise<void> => {
    // All workers take from one queue.
    for (const unit of queue) {
      const object = objectOf(unit, folder);
      if (!existsSync(object)) await compile([...unit.flags, "-c", unit.source], object);
      progress(++done, units.length + 1);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  await compile([...linkFlags(bits), ...units.map((unit) => objectOf(unit, folder)), "-lm"], executable);
  const plans = LOOPS.map((loops) => planOf({ bits, loops }, folder, setting));
  const files = plans.flatMap((plan) => [...plan.units.map((unit) => objectOf(unit, folder)), plan.executable]);
  removeStale(folder, new Set(files.map((path) => basename(path))));
  progress(units.length + 1, units.length + 1);
  return executable;
}

function folderName(bits: Bits): string {
  const engine = chosenEngine();
  return [bits, ...(engine === "xsnap" ? [] : [engine]), ...(IS_SANITIZED ? ["sanitize"] : [])].join("-");
}

/** A unit, and what changes with its object file. */
interface PlannedUnit extends Unit {
  readonly key: string;
}

/** The units to compile. A start that finds the executable asks for nothing else: a hundred digests take a while. */
function planOf(kind: HostKind, folder: string, setting: string): { units: PlannedUnit[]; executable: string } {
  const units = hostUnits(kind, IS_SANITIZED).map((unit) => ({
    ...unit,
    key: `${setting} ${unit.flags.join(" ")} ${stampOf(unit.source)}`,
  }));
  const name = `esp32gpt-xs-${kind.loops}-${digest(units.map(({ key }) => key).join("\n"))}`;
  return { units, executable: join(folder, name) };
}

/** The object file of a unit. Hosts with different loops share most of them. */
function objectOf({ source, key }: PlannedUnit, folder: string): string {
  return join(folder, `${basename(source, ".c")}-${digest(key)}.o`);
}

/** The compiler in $CC, which may contain several words, or the first of the usual names on PATH. */
function findCompiler(): Compiler {
  const [program, ...options] = process.env.CC?.trim().split(/\s+/) ?? [];
  const candidates: readonly Command[] = program ? [[program, ...options]] : [["cc"], ["gcc"], ["clang"]];
  for (const words of candidates) {
    // $CC may contain options and wrappers such as ccache; the identity covers every program file in it.
    const files = words.filter((word, i) => i === 0 || !word.startsWith("-")).map(findProgram);
    if (files.some((file) => file === undefined)) continue;
    const identities = files.map((file) => stampOf(realpathSync(file ?? "")));
    return { words, identity: [...words, ...identities].join("\n") };
  }
  const names = candidates.map((words) => printable(words.join(" "))).join(", ");
  throw new InputError(
    `There is no C compiler (${names}) to build XS with: install gcc or clang, or use --engine node.`,
  );
}

/** Checks that the compiler can link; for 32 bits the libraries are often missing. */
async function requireBits({ words }: Compiler, bits: Bits, ending: AbortSignal): Promise<void> {
  try {
    await run(
      [...words, ...linkFlags(bits), "-x", "c", "-", "-o", "/dev/null"],
      ending,
      "int main(void) { return 0; }\n",
    );
  } catch (error) {
    if (!(error instanceof CompilerError)) throw error;
    const compiler = printable(words.join(" "));
    throw new InputError(
      bits === 32
        ? `The C compiler (${compiler}) cannot build 32-bit programs: install gcc-multilib.`
        : `The C compiler (${compiler}) does not work: ${error.message}`,
    );
  }
}

function linkFlags(bits: Bits): string[] {
  return [...(bits === 32 ? ["-m32"] : []), ...(IS_SANITIZED ? ["-fsanitize=address,undefined"] : [])];
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** A compiler failed; the message is its first error. */
class CompilerError extends Error {}

/** Runs a compiler; an abort kills it with all its child processes. */
function run([program, ...options]: Command, ending: AbortSignal, input = ""): Promise<void> {
  return new Promise((resolve, reject) => {
    ending.throwIfAborted();
    const child = spawn(program, options, {
      stdio: ["pipe", "ignore", "pipe"],
      detached: process.platform !== "win32",
    });
    let complaint = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint = (complaint + text).slice(0, 10_000)));
    child.stdin.on("error", () => undefined).end(input); // A compiler that fails early does not read its input.
    const stop = (): void => {
      if (child.pid === undefined) return;
      if (process.platform === "win32") child.kill();
      else process.kill(-child.pid, "SIGKILL");
    };
    ending.addEventListener("abort", stop);
    child.on("error", (error) => reject(new CompilerError(error.message)));
    child.on("close", (code) => {
      ending.removeEventListener("abort", stop);
      if (ending.aborted) reject(ending.reason as Error);
      else if (code === 0) resolve();
      else reject(new CompilerError(firstError(complaint)));
    });
  });
}

function firstError(complaint: string): string {
  const lines = complaint.split("\n").filter((line) => line.trim() !== "");
  return printable(lines.find((line) => /error/i.test(line)) ?? lines.at(0) ?? "it printed no error", 200);
}

/** Writes a file through a temporary one and a rename, so that concurrent builds see only whole files. */
async function atomically(path: string, make: (output: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await make(temporary);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    if (error instanceof CompilerError) throw new InputError(`${basename(path)} could not be built: ${error.message}`);
    throw error instanceof Error && "syscall" in error ? fileError("write", path, error) : error;
  }
}

/** Removes files that no build needs, and temporary files of killed builds. */
function removeStale(folder: string, current: ReadonlySet<string>): void {
  for (const name of readdirSync(folder)) {
    const builder = /\.(\d+)\.tmp$/.exec(name)?.[1];
    const isNeeded = builder === undefined ? current.has(name) : isAlive(Number(builder));
    if (!isNeeded) rmSync(join(folder, name), { force: true });
  }
}

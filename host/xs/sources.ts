import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError, printable } from "../../src/gpt/base/errors";

/** Root folder of the project or of the installed package. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * 64: the native size of this computer. 32: slots have 16 bytes as on the ESP32, so that memory figures are the
 * device's.
 */
export type Bits = 32 | 64;

/**
 * Variant of the native ops' loops: the fastest on a desktop, or those of the ESP32, whose results are bit-identical
 * to the chip's (see gpt_target.h).
 */
export type Loops = "desktop" | "chip";
export const LOOPS: readonly Loops[] = ["desktop", "chip"];

/** A variant of the XS host. */
export interface HostKind {
  readonly bits: Bits;
  readonly loops: Loops;
}

/** A C file and its compiler flags. */
export interface Unit {
  readonly source: string;
  readonly flags: readonly string[];
}

/** Left out: debugger, profiler, snapshots, lockdown. errors.c includes xsDefaults.c; xsMath.c includes xsum.c. */
const LEFT_OUT = new Set(["xsDefaults.c", "xsLockdown.c", "xsProfile.c", "xsSnapshot.c", "xsum.c"]);

const HOST = join(ROOT, "host", "xs", "engine");
export const OPS = join(ROOT, "src", "gpt", "native");

/** Warnings for our own files. */
const STRICT = ["-Wall", "-Wextra", "-Werror"];
/** The ESP32 computes doubles in software: the ops must not use any. */
const NO_DOUBLES = ["-Wdouble-promotion", "-Wfloat-conversion"];
/** Contraction to fused multiply-adds would round differently from the TypeScript ops. */
const OPS_FLAGS = ["-std=gnu99", "-O3", "-fno-math-errno", "-ffp-contract=off"];
/** Flags for a chip with square root and division instructions: see scripts/chip. */
export const CHIP_FLAGS = ["-std=gnu99", "-O2", "-fno-math-errno"];
/** The macros that the compiler for the ESP32 defines, for a desktop compiler. */
const AS_ON_ESP32 = ["-DGPT_CHIP", "-DGPT_FUSED", "-DGPT_NEWTON"];

/**
 * Flags for npm run test:sanitize. With mxNoChunks XS allocates every chunk with malloc, so that AddressSanitizer
 * knows the bounds of buffers. UBSan covers only our own files: the XS sources contain undefined behaviour.
 */
const SANITIZE = ["-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address", "-DmxNoChunks=1"];
/** Its string functions read whole words beyond the end of a string; XS disables the check only for clang. */
const READS_WORDS = "xsCommon.c";
const SANITIZE_OURS = ["-fsanitize=undefined", "-fno-sanitize-recover=undefined"];
/** The ops in i32 assert that numbers are in their ranges: see gpt_i32_arithmetic.h. */
const CHECKED = "-DGPT_CHECKED";

/** All C files of the XS host with their flags. */
export function hostUnits({ bits, loops }: HostKind, isSanitized: boolean): Unit[] {
  const xs = xsFolder();
  const includes = ["includes", "platforms", "sources"].map((name) => join(xs, name));
  const machine = bits === 32 ? ["-m32", "-msse2", "-mfpmath=sse"] : [];
  const goal = isSanitized ? SANITIZE : ["-O2"];
  const common = [...machine, "-std=gnu99", "-D_FILE_OFFSET_BITS=64", ...goal, "-fno-common", "-ffp-contract=off"];
  const platform = ["-DINCLUDE_XSPLATFORM", '-DXSPLATFORM="platform.h"', `-I${HOST}`];
  const strict = isSanitized ? [...STRICT, ...SANITIZE_OURS] : STRICT;
  const ours = [...common, ...strict, ...includes.flatMap((folder) => ["-isystem", folder])];
  const units = (files: string[], flags: string[]): Unit[] => files.map((source) => ({ source, flags }));
  const theirs = [...common, ...platform, "-w", ...includes.map((folder) => `-I${folder}`)];
  const engine = cFiles(join(xs, "sources")).filter((file) => !LEFT_OUT.has(basename(file)));
  return [
    ...units(
      engine.filter((file) => basename(file) !== READS_WORDS),
      theirs,
    ),
    ...units([join(xs, "sources", READS_WORDS)], [...theirs, "-fno-sanitize=address"]),
    ...units(cFiles(HOST), [...ours, ...platform]),
    // As in the Moddable SDK, a module sees only the public interface of XS.
    ...units(cFiles(OPS), [...ours, "-DmxBoundsCheck=1", ...NO_DOUBLES, ...opsFlags(loops, isSanitized)]),
  ];
}

/** Flags of the ops, also in the benchmark. */
export function opsFlags(loops: Loops, isSanitized = false): string[] {
  const target = loops === "chip" ? [...AS_ON_ESP32, ...ifPresent("fma")] : ifPresent("avx2");
  return [...(isSanitized ? [CHECKED] : OPS_FLAGS), ...target];
}

/**
 * Use the instructions of an x86-64 processor that has them: FMA instead of a library function, or vectors of AVX2. The
 * results are bit-identical. The flags are part of an executable's name, so that a processor without them, which shares
 * the folder, does not find it.
 */
function ifPresent(instructions: "fma" | "avx2"): string[] {
  if (process.arch !== "x64") return [];
  try {
    const present = new RegExp(`^flags\\s*:.*\\b${instructions}\\b`, "m").test(readFileSync("/proc/cpuinfo", "utf8"));
    return present ? [`-m${instructions}`] : [];
  } catch {
    return [];
  }
}

/** The numeric kernels, without their bindings to JavaScript. */
export function opsSources(): string[] {
  return cFiles(OPS).filter((file) => !/gpt_(?:text|.*_xs)\.c$/.test(file));
}

/**
 * A stamp that changes with the file, from its metadata only: each start checks some sixty files. Those of an npm package
 * change with its version alone, which is among the stamps of the headers.
 */
export function stampOf(file: string): string {
  if (packagedXs !== undefined && file.startsWith(packagedXs)) return basename(file);
  const { size, mtimeMs } = statSync(file);
  return `${file} ${size} ${mtimeMs}`;
}

/** Stamps of all headers: a change recompiles everything. */
export function headerStamps(): string {
  const xs = xsFolder();
  const stamps = [chosenEngine() === "xsnap" ? versionOf(join(xs, "..", "..", "package.json")) : ""];
  for (const folder of [join(xs, "includes"), join(xs, "platforms"), join(xs, "sources"), HOST, OPS]) {
    for (const name of readdirSync(folder).sort())
      if (/\.h$|^xsDefaults\.c$/.test(name)) stamps.push(stampOf(join(folder, name)));
  }
  return stamps.join("\n");
}

/** npm gives all files of a package the same mtime, so use the version. */
function versionOf(manifest: string): string {
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}

/** The source of XS: the two are years apart. */
export type Engine = "xsnap" | "moddable";

/**
 * The XS of the npm package, or, if ESP32GPT_XS says so, that of the Moddable SDK, with which the firmware is built.
 * @throws InputError for another value of ESP32GPT_XS
 */
export function chosenEngine(): Engine {
  const { ESP32GPT_XS: name = "" } = process.env;
  if (name === "" || name === "xsnap") return "xsnap";
  if (name === "moddable") return "moddable";
  throw new InputError(`ESP32GPT_XS is ${printable(name)}; it can be xsnap or moddable.`);
}

/** The XS sources of the npm package, once they were found. */
let packagedXs: string | undefined;

/** The XS sources inside the npm package @agoric/xsnap, or in the Moddable SDK. */
function xsFolder(): string {
  if (chosenEngine() === "moddable") {
    const { MODDABLE = "" } = process.env;
    if (MODDABLE === "") throw new InputError("ESP32GPT_XS is moddable, but MODDABLE is not set.");
    const folder = join(resolve(MODDABLE), "xs");
    if (existsSync(join(folder, "sources", "xsAll.h"))) return folder;
    throw new InputError(`MODDABLE is ${printable(MODDABLE)}, which has no XS sources (xs/sources).`);
  }
  if (packagedXs !== undefined) return packagedXs;
  try {
    const manifest = createRequire(import.meta.url).resolve("@agoric/xsnap/package.json");
    return (packagedXs = join(dirname(realpathSync(manifest)), "moddable", "xs"));
  } catch {
    throw new InputError("The XS sources are not installed: run npm install --ignore-scripts @agoric/xsnap.");
  }
}

function cFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".c"))
    .sort()
    .map((name) => join(folder, name));
}

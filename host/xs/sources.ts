import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError, printable } from "../../src/gpt/base/errors";

/** The folder of the project, or of the installed package. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** 64: of this computer. 32: slots of 16 bytes, as on the ESP32, so that memory figures are the device's. */
export type Bits = 32 | 64;

/**
 * The loops of the native ops: those that are fastest on this computer, or the ESP32's, which compute the same bits as
 * the chip (see gpt_target.h).
 */
export type Loops = "desktop" | "chip";
export const LOOPS: readonly Loops[] = ["desktop", "chip"];

/** An XS host to build. */
export interface HostKind {
  readonly bits: Bits;
  readonly loops: Loops;
}

/** A C file and how to compile it. */
export interface Unit {
  readonly source: string;
  readonly flags: readonly string[];
}

/** XS without its debugger, its profiler, snapshots and lockdown; xsDefaults.c is part of errors.c, xsum.c of xsMath.c. */
const LEFT_OUT = new Set(["xsDefaults.c", "xsLockdown.c", "xsProfile.c", "xsSnapshot.c", "xsum.c"]);

const HOST = join(ROOT, "host", "xs", "engine");
/** The native ops. */
export const OPS = join(ROOT, "src", "gpt", "native");

/** For our own files. */
const STRICT = ["-Wall", "-Wextra", "-Werror"];
/** An ESP32 does doubles in software: none may slip into the ops. */
const NO_DOUBLES = ["-Wdouble-promotion", "-Wfloat-conversion"];
/**
 * How the ops are compiled, here and for the benchmark. Contraction to fused multiply-adds would round
 * otherwise than the TypeScript ops do.
 */
export const OPS_FLAGS = ["-std=gnu99", "-O3", "-fno-math-errno", "-ffp-contract=off"];
/** And for a chip with instructions for root and division: see scripts/chip. */
export const CHIP_FLAGS = ["-std=gnu99", "-O2", "-fno-math-errno"];
/** What the compiler for an ESP32 says of it, for this computer's. */
const AS_ON_ESP32 = ["-DGPT_CHIP", "-DGPT_FUSED", "-DGPT_NEWTON"];

/**
 * For tests of our own files (npm run test:sanitize). XS gets every chunk from malloc then, so that
 * AddressSanitizer knows where a buffer ends; its own sources are not free of undefined behaviour.
 */
const SANITIZE = ["-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address", "-DmxNoChunks=1"];
/** Its string functions read whole words, beyond the end: XS says so to clang only. */
const READS_WORDS = "xsCommon.c";
const SANITIZE_OURS = ["-fsanitize=undefined", "-fno-sanitize-recover=undefined"];

/** What to compile into the XS host. */
export function hostUnits({ bits, loops }: HostKind, isSanitized: boolean): Unit[] {
  const xs = xsFolder();
  const includes = ["includes", "platforms", "sources"].map((name) => join(xs, name));
  const machine = bits === 32 ? ["-m32", "-msse2", "-mfpmath=sse"] : [];
  const goal = isSanitized ? SANITIZE : ["-O2"];
  const common = [...machine, "-std=gnu99", "-D_FILE_OFFSET_BITS=64", ...goal, "-fno-common", "-ffp-contract=off"];
  const platform = ["-DINCLUDE_XSPLATFORM", '-DXSPLATFORM="platform.h"', `-I${HOST}`];
  const opsFlags = [...(isSanitized ? [] : OPS_FLAGS), ...(loops === "chip" ? [...AS_ON_ESP32, ...fusing()] : [])];
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
    // As the Moddable SDK compiles a module: it sees the public interface of XS only.
    ...units(cFiles(OPS), [...ours, "-DmxBoundsCheck=1", ...NO_DOUBLES, ...opsFlags]),
  ];
}

/** Where a processor of the x86 family fuses in one instruction, and not in a function of the C library: the same bits. */
function fusing(): string[] {
  if (process.arch !== "x64") return [];
  try {
    return /^flags\s*:.*\bfma\b/m.test(readFileSync("/proc/cpuinfo", "utf8")) ? ["-mfma"] : [];
  } catch {
    return [];
  }
}

/** The numeric kernels, without their boundary to JavaScript. */
export function opsSources(): string[] {
  return cFiles(OPS).filter((file) => !/gpt_(?:text|.*_xs)\.c$/.test(file));
}

/**
 * What tells a file from another version of it, without reading it: at every start some hundred files are
 * looked at.
 */
export function stampOf(file: string): string {
  const { size, mtimeMs } = statSync(file);
  return `${file} ${size} ${mtimeMs}`;
}

/** Of everything that any unit may include: when a header changes, all is compiled anew. */
export function headerStamps(): string {
  const xs = xsFolder();
  const stamps = [chosenEngine() === "xsnap" ? versionOf(join(xs, "..", "..", "package.json")) : ""];
  for (const folder of [join(xs, "includes"), join(xs, "platforms"), join(xs, "sources"), HOST, OPS]) {
    for (const name of readdirSync(folder).sort())
      if (/\.h$|^xsDefaults\.c$/.test(name)) stamps.push(stampOf(join(folder, name)));
  }
  return stamps.join("\n");
}

/** npm gives every file of a package the same time. */
function versionOf(manifest: string): string {
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}

/** Whose XS the host is built from: years lie between the two. */
export type Engine = "xsnap" | "moddable";

/**
 * The npm package's, unless ESP32GPT_XS asks for that of the Moddable SDK, which the firmware is built with.
 * @throws InputError when it asks for another
 */
export function chosenEngine(): Engine {
  const { ESP32GPT_XS: name = "" } = process.env;
  if (name === "" || name === "xsnap") return "xsnap";
  if (name === "moddable") return "moddable";
  throw new InputError(`ESP32GPT_XS is ${printable(name)}; it can be xsnap or moddable.`);
}

/** The XS sources inside the npm package @agoric/xsnap, or in the Moddable SDK. */
function xsFolder(): string {
  if (chosenEngine() === "moddable") {
    const { MODDABLE = "" } = process.env;
    if (MODDABLE === "") throw new InputError("ESP32GPT_XS is moddable, but MODDABLE names no Moddable SDK.");
    const folder = join(resolve(MODDABLE), "xs");
    if (existsSync(join(folder, "sources", "xsAll.h"))) return folder;
    throw new InputError(`MODDABLE names ${printable(MODDABLE)}, where there are no XS sources (xs/sources).`);
  }
  try {
    const manifest = createRequire(import.meta.url).resolve("@agoric/xsnap/package.json");
    return join(dirname(realpathSync(manifest)), "moddable", "xs");
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

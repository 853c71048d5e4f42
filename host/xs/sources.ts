import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError } from "../../src/errors";

/** The folder of the project, or of the installed package. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** 64: of this computer. 32: slots of 16 bytes, as on the ESP32, so that memory figures are the device's. */
export type Bits = 32 | 64;

/** What tests run: sanitize watches memory (scripts/sanitize.mjs), chip has the kernels as an ESP32 has them. */
export const VARIANTS = ["sanitize", "chip", "sanitize-chip"] as const;
export type Variant = (typeof VARIANTS)[number];

/** A C file and how to compile it. */
export interface Unit {
  readonly source: string;
  readonly flags: readonly string[];
}

/** XS without its debugger, its profiler, snapshots and lockdown; xsDefaults.c is part of errors.c. */
const LEFT_OUT = new Set(["xsDefaults.c", "xsLockdown.c", "xsProfile.c", "xsSnapshot.c"]);

const HOST = join(ROOT, "host", "xs", "engine");
/** The native ops. */
export const OPS = join(ROOT, "src", "moddable", "ops");

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
export const CHIP_FLAGS = ["-std=gnu99", "-O2", "-fno-math-errno", "-DGPT_CHIP"];
const AS_ON_ESP32 = ["-DGPT_CHIP", "-DGPT_NEWTON"];

/**
 * For tests of our own files (npm run test:sanitize). XS gets every chunk from malloc then, so that
 * AddressSanitizer knows where a buffer ends; its own sources are not free of undefined behaviour.
 */
const SANITIZE = ["-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address", "-DmxNoChunks=1"];
/** Its string functions read whole words, beyond the end: XS says so to clang only. */
const READS_WORDS = "xsCommon.c";
const SANITIZE_OURS = ["-fsanitize=undefined", "-fno-sanitize-recover=undefined"];

export function isWatched(variant: Variant | undefined): boolean {
  return variant?.startsWith("sanitize") ?? false;
}

/** What to compile into the XS host. */
export function hostUnits(bits: Bits, variant: Variant | undefined): Unit[] {
  const isSanitized = isWatched(variant);
  const xs = xsFolder();
  const includes = ["includes", "platforms", "sources"].map((name) => join(xs, name));
  const machine = bits === 32 ? ["-m32", "-msse2", "-mfpmath=sse"] : [];
  const goal = isSanitized ? SANITIZE : ["-O2"];
  const common = [...machine, "-std=gnu99", "-D_FILE_OFFSET_BITS=64", ...goal, "-fno-common", "-ffp-contract=off"];
  const platform = ["-DINCLUDE_XSPLATFORM", '-DXSPLATFORM="platform.h"', `-I${HOST}`];
  const opsFlags = [...(isSanitized ? [] : OPS_FLAGS), ...(variant?.endsWith("chip") ? AS_ON_ESP32 : [])];
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

/** The numeric kernels, without their boundary to JavaScript. */
export function opsSources(): string[] {
  return cFiles(OPS).filter((file) => !/gpt-(?:text|.*-xs)\.c$/.test(file));
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
  // npm gives every file of a package the same time.
  const { version } = JSON.parse(readFileSync(join(xs, "..", "..", "package.json"), "utf8")) as { version: string };
  const stamps = [version];
  for (const folder of [join(xs, "includes"), join(xs, "platforms"), join(xs, "sources"), HOST, OPS]) {
    for (const name of readdirSync(folder).sort())
      if (/\.h$|^xsDefaults\.c$/.test(name)) stamps.push(stampOf(join(folder, name)));
  }
  return stamps.join("\n");
}

/** The XS sources inside the npm package @agoric/xsnap. */
function xsFolder(): string {
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

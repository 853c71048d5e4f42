import { fstatSync, lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { InputError, printable } from "../../src/gpt/base/errors";
import { fileError } from "../../src/places/node/file-errors";

const MAX_LINKS = 40;

/**
 * The path that a save will replace, with symbolic links resolved. The file need not exist.
 * @throws InputError when it is not a regular file, which cannot be replaced
 */
export function saveTarget(path: string): string {
  try {
    const present = statSync(path, { throwIfNoEntry: false });
    if (present?.isFile()) return realpathSync(path);
    if (present?.isDirectory()) throw new InputError(`Cannot write ${printable(path, 200)}: it is a folder.`);
    if (present)
      throw new InputError(
        `Cannot save to ${printable(path, 200)}: it is not a regular file, and saving replaces the whole file.`,
      );
    return behindLinks(path);
  } catch (error) {
    throw error instanceof InputError ? error : fileError("write", path, error);
  }
}

/** Follows links that lead to no existing file. */
function behindLinks(path: string): string {
  let target = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    if (!lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink()) return target;
    target = resolve(dirname(target), readlinkSync(target));
  }
  throw new InputError(`Cannot write ${printable(path, 200)}: its symbolic links go in a circle.`);
}

/** Removes temporary files of this path that killed processes left behind. */
export function removeLeftovers(target: string): void {
  const prefix = `${basename(target)}.`;
  const folder = dirname(target);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return; // Saving will report what is wrong with the folder.
  }
  for (const name of names) {
    const pid = /^(\d+)\.tmp$/.exec(name.startsWith(prefix) ? name.slice(prefix.length) : "")?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(folder, name), { force: true });
  }
}

/** Whether the process exists and is not a zombie. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  return !hasEnded(pid);
}

/**
 * Whether the process has ended but was not waited for (a zombie), which happens in containers whose init does not
 * reap orphans. Works on Linux only.
 */
function hasEnded(pid: number): boolean {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** A file on the command line and the option that names it. */
export interface Purpose {
  readonly option: string;
  readonly path: string;
  readonly isWritten: boolean;
}

/**
 * Checks that no output file has a second use. A checkpoint may be replaced by its successor: --init or --resume with
 * --save, --resume with --keep-best.
 * @throws InputError when two options conflict
 */
export function checkPurposes(purposes: readonly Purpose[]): void {
  for (const [i, one] of purposes.entries()) {
    if (one.isWritten && isStandardOutput(one.path))
      throw new InputError(
        `${one.option} ${printable(one.path, 200)} is the file that standard output goes to: name another file.`,
      );
    for (const other of purposes.slice(i + 1)) {
      if (!one.isWritten && !other.isWritten) continue;
      if ((one.option === "--init" || one.option === "--resume") && other.option === "--save") continue;
      if (one.option === "--resume" && other.option === "--keep-best") continue;
      const same = identity(one.path);
      if (same !== undefined && same === identity(other.path))
        throw new InputError(
          `${one.option} and ${other.option} are the same file, ${printable(one.path, 200)}: name two different files.`,
        );
    }
  }
}

/** Identity of a file, equal for all its names; undefined for devices and the like, which may be used twice. */
function identity(path: string): string | undefined {
  try {
    const status = statSync(path, { throwIfNoEntry: false });
    if (status) return status.isFile() ? `${status.dev}:${status.ino}` : undefined;
    const target = behindLinks(path);
    return join(realpathSync(dirname(target)), basename(target));
  } catch {
    return undefined; // Opening it will report what is wrong.
  }
}

function isStandardOutput(path: string): boolean {
  try {
    const output = fstatSync(process.stdout.fd);
    const status = statSync(path);
    return status.isFile() && output.isFile() && status.dev === output.dev && status.ino === output.ino;
  } catch {
    return false;
  }
}

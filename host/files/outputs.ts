import { fstatSync, lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { InputError, printable } from "../../src/gpt/base/errors";
import { fileError } from "../../src/places/node/file-errors";

const MAX_LINKS = 40;

/**
 * The file that a save will replace: behind symbolic links, also where there is none yet.
 * @throws InputError for what is no regular file: a new file cannot take its place
 */
export function saveTarget(path: string): string {
  try {
    const present = statSync(path, { throwIfNoEntry: false });
    if (present?.isFile()) return realpathSync(path);
    if (present?.isDirectory()) throw new InputError(`Cannot write ${printable(path, 200)}: it is a folder.`);
    if (present)
      throw new InputError(
        `Cannot save to ${printable(path, 200)}: it is no regular file, and a checkpoint takes the place of the old one whole.`,
      );
    return behindLinks(path);
  } catch (error) {
    throw error instanceof InputError ? error : fileError("write", path, error);
  }
}

/** Links that lead to no file yet. */
function behindLinks(path: string): string {
  let target = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    if (!lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink()) return target;
    target = resolve(dirname(target), readlinkSync(target));
  }
  throw new InputError(`Cannot write ${printable(path, 200)}: its symbolic links go in a circle.`);
}

/** Removes what killed saves of this file have left. */
export function removeLeftovers(target: string): void {
  const prefix = `${basename(target)}.`;
  const folder = dirname(target);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return; // Saving will say what is wrong with the folder.
  }
  for (const name of names) {
    const pid = /^(\d+)\.tmp$/.exec(name.startsWith(prefix) ? name.slice(prefix.length) : "")?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(folder, name), { force: true });
  }
}

/** Whether there is such a process, and it has not ended. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  return !hasEnded(pid);
}

/**
 * Whether a process is there only because nobody has asked how it ended, as one whose parent was killed, in a
 * container whose first process does not ask. Known on Linux alone.
 */
function hasEnded(pid: number): boolean {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** A file of the command line and the option that names it. */
export interface Purpose {
  readonly option: string;
  readonly path: string;
  readonly isWritten: boolean;
}

/**
 * Sees that no file is written that serves something else as well; a checkpoint may be replaced by what it
 * becomes (--init or --resume, and --save; --resume and --keep-best).
 * @throws InputError
 */
export function checkPurposes(purposes: readonly Purpose[]): void {
  for (const [i, one] of purposes.entries()) {
    if (one.isWritten && isStandardOutput(one.path))
      throw new InputError(`${one.option} ${printable(one.path, 200)} is where the log goes: name another file.`);
    for (const other of purposes.slice(i + 1)) {
      if (!one.isWritten && !other.isWritten) continue;
      if ((one.option === "--init" || one.option === "--resume") && other.option === "--save") continue;
      if (one.option === "--resume" && other.option === "--keep-best") continue;
      const same = identity(one.path);
      if (same !== undefined && same === identity(other.path))
        throw new InputError(
          `${one.option} and ${other.option} are the same file, ${printable(one.path, 200)}: name two.`,
        );
    }
  }
}

/** What is the same for two names of one file; undefined for what may well serve twice, as /dev/null. */
function identity(path: string): string | undefined {
  try {
    const status = statSync(path, { throwIfNoEntry: false });
    if (status) return status.isFile() ? `${status.dev}:${status.ino}` : undefined;
    const target = behindLinks(path);
    return join(realpathSync(dirname(target)), basename(target));
  } catch {
    return undefined; // Opening it will say what is wrong.
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

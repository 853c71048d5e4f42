import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { InputError, printable } from "../src/errors";
import type { NewFile, Storage, StoredFile } from "../src/platform";
import { fileError } from "./file-errors";

/** The name of the file in which a save is written, until it is whole. */
export function temporaryName(path: string): string {
  return `${path}.${process.pid}.tmp`;
}

/** Files by their path. */
export const nodeStorage: Storage = {
  open: (path) => promised(() => openStored(path)),
  create: (path) => promised(() => createNew(path)),
  move: (from, to) => promised(() => moveFile(from, to)),
};

/** What is done at once here, and needs time elsewhere. */
function promised<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()));
}

/** @throws InputError when it cannot be read */
export function openStored(path: string): StoredFile | undefined {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw fileError("read", path, error);
  }
  return {
    size: fstatSync(fd).size,
    read: (position, bytes) =>
      attempt("read", path, () => {
        let filled = 0;
        while (filled < bytes.length) {
          const count = readSync(fd, bytes, filled, bytes.length - filled, position + filled);
          if (count === 0) break;
          filled += count;
        }
        return filled;
      }),
    close: () => closeSync(fd),
  };
}

function createNew(path: string): NewFile {
  if (path === "") throw new InputError("Cannot write a file without a name.");
  const present = regularFile("write", path);
  const temporary = temporaryName(path);
  const fd = attempt("write", path, () => openSync(temporary, "w"));
  const abort = (): void => {
    closeSync(fd);
    rmSync(temporary, { force: true });
  };
  const commit = (): void => {
    try {
      if (present) fchmodSync(fd, present.mode & 0o7777);
      fsyncSync(fd);
    } catch (error) {
      abort();
      throw error;
    }
    closeSync(fd);
    try {
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
    syncFolder(dirname(path));
  };
  return {
    write: (bytes) =>
      attempt("write", path, () => {
        for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
      }),
    commit: () => promised(() => attempt("write", path, commit)),
    abort,
  };
}

function moveFile(from: string, to: string): void {
  if (!regularFile("read", from)) return;
  regularFile("write", to);
  attempt("write", to, () => renameSync(from, to));
  syncFolder(dirname(to));
}

/** What is known of a file; undefined when there is none. Only regular files can be replaced. */
function regularFile(action: "read" | "write", path: string): Stats | undefined {
  const present = attempt(action, path, () => statSync(path, { throwIfNoEntry: false }));
  if (present && !present.isFile())
    throw new InputError(
      `Cannot ${action} ${printable(path, 200)}: ${present.isDirectory() ? "it is a folder" : "it is no regular file"}.`,
    );
  return present;
}

/** The new name itself reaches the disk; not every system lets a folder be synchronized. */
function syncFolder(folder: string): void {
  try {
    const fd = openSync(folder, "r");
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // The file is whole all the same.
  }
}

function attempt<T>(action: "read" | "write", path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fileError(action, path, error);
  }
}

import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { InputError } from "../src/errors";
import type { NewFile, Storage, StoredFile } from "../src/platform";
import { printable } from "../src/text";
import { fileError } from "./file-errors";

/** The name of the file in which a save is written, until it is whole. */
export function temporaryName(path: string): string {
  return `${path}.${process.pid}.tmp`;
}

/** Files by their path. */
export const nodeStorage: Storage = {
  open: (path) => promised(() => openStored(path)),
  create: (path) => promised(() => createNew(path)),
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
  const present = attempt("write", path, () => statSync(path, { throwIfNoEntry: false }));
  if (present && !present.isFile())
    throw new InputError(
      `Cannot write ${printable(path, 200)}: ${present.isDirectory() ? "it is a folder" : "it is no regular file"}.`,
    );
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

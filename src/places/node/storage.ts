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
import { InputError, printable } from "../../gpt/base/errors";
import type { NewFile, Storage, StoredFile } from "../../gpt/base/platform";
import { NewFiles } from "../../gpt/base/new-files";
import { fileError } from "./file-errors";

/** The name of the temporary file to which a save is written before it is renamed. */
export function temporaryName(path: string): string {
  return `${path}.${process.pid}.tmp`;
}

/** Files by their path. */
export class NodeStorage implements Storage {
  private readonly newFiles = new NewFiles();

  /** @param pathOf maps a name to a path */
  constructor(private readonly pathOf = (name: string): string => name) {}

  open(name: string): Promise<StoredFile | undefined> {
    return promised(() => openStored(this.pathOf(name)));
  }

  create(name: string): Promise<NewFile> {
    const path = this.pathOf(name);
    return promised(() => this.newFiles.begin(path, () => createNew(path)));
  }

  move(from: string, to: string): Promise<void> {
    return promised(() => moveFile(this.pathOf(from), this.pathOf(to)));
  }

  remove(name: string): Promise<void> {
    return promised(() => removeFile(this.pathOf(name)));
  }

  /** Aborts all files that are being written. */
  abort(): void {
    this.newFiles.abort();
  }
}

/** Does synchronously, but returns as a promise, what other platforms do asynchronously. */
function promised<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()));
}

/** Opens a file for reading; undefined if it does not exist. @throws InputError if it cannot be opened */
export function openStored(path: string): StoredFile | undefined {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
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

function removeFile(path: string): void {
  if (!regularFile("write", path)) return;
  attempt("write", path, () => rmSync(path, { force: true }));
  syncFolder(dirname(path));
}

/** The status of a file; undefined if it does not exist. Only regular files can be replaced. */
function regularFile(action: "read" | "write", path: string): Stats | undefined {
  const present = attempt(action, path, () => statusOf(path));
  if (present && !present.isFile())
    throw new InputError(
      `Cannot ${action} ${printable(path, 200)}: ${present.isDirectory() ? "it is a folder" : "it is no regular file"}.`,
    );
  return present;
}

/** Its status; undefined if it does not exist. Whether throwIfNoEntry is also for a path below a file depends on Node. */
function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Writes the rename itself to the disk; not every system can synchronize a folder. */
function syncFolder(folder: string): void {
  try {
    const fd = openSync(folder, "r");
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // The file itself is complete.
  }
}

function attempt<T>(action: "read" | "write", path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fileError(action, path, error);
  }
}

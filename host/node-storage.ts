import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { InputError } from "../src/errors";
import type { NewFile, Storage, StoredFile } from "../src/platform";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  ENOTDIR: "a part of its path is not a folder",
  EISDIR: "it is a folder",
  EACCES: "access is denied",
  EPERM: "access is denied",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
};

/** The InputError that says in a sentence why a file could not be read or written. */
export function fileError(action: "read" | "write", path: string, error: unknown): InputError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return new InputError(`Cannot ${action} ${path}: ${REASONS[code] ?? (code || String(error))}.`);
}

/** @throws InputError when the file cannot be read */
export function readBytes(path: string): Uint8Array {
  return attempt("read", path, () => readFileSync(path));
}

/** Files by their path. */
export const nodeStorage: Storage = {
  open: (path) => Promise.resolve().then(() => open(path)),
  create: (path) => Promise.resolve().then(() => create(path)),
};

function open(path: string): StoredFile | undefined {
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

function create(path: string): NewFile {
  if (path === "") throw new InputError("Cannot write a file without a name.");
  const present = attempt("write", path, () => statSync(path, { throwIfNoEntry: false }));
  if (present?.isDirectory()) throw new InputError(`Cannot write ${path}: it is a folder.`);
  const temporary = `${path}.${process.pid}.tmp`;
  const fd = attempt("write", path, () => openSync(temporary, "w"));
  const abort = (): void => {
    closeSync(fd);
    rmSync(temporary, { force: true });
  };
  return {
    write: (bytes) =>
      attempt("write", path, () => {
        for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
      }),
    commit: () =>
      Promise.resolve().then(() => {
        try {
          fsyncSync(fd);
          closeSync(fd);
          renameSync(temporary, path);
        } catch (error) {
          rmSync(temporary, { force: true });
          throw fileError("write", path, error);
        }
      }),
    abort,
  };
}

function attempt<T>(action: "read" | "write", path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fileError(action, path, error);
  }
}

import { InputError, printable } from "../../gpt/base/errors";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  ENOTDIR: "a part of its path is not a folder",
  EISDIR: "it is a folder",
  EACCES: "access is denied",
  EPERM: "access is denied",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "it would be larger than a file may be here",
  ELOOP: "its symbolic links go in a circle",
  EINVAL: "this kind of file cannot be used so",
  ENXIO: "nobody is at the other end",
  ENODEV: "there is no such device",
  EIO: "the device has failed",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open",
  ENAMETOOLONG: "its name is too long",
  ETXTBSY: "it is a running program",
  EBUSY: "it is in use",
  EPIPE: "the reader has left",
  ECONNRESET: "the reader has left",
  EXDEV: "it is on another disk",
  EEXIST: "something else has its name",
  ENOMEM: "this computer has no memory left",
  EBADF: "it is closed",
  ESTALE: "the disk that it was on is gone",
  ETIMEDOUT: "the disk that it is on does not answer",
  ENOTSUP: "this kind of file cannot be used so",
  EOPNOTSUPP: "this kind of file cannot be used so",
  ERR_FS_FILE_TOO_LARGE: "it is too large",
  ERR_INVALID_ARG_VALUE: "its name has a NUL character",
};

/** The code of a system error, or "". Not by its class: test runners and vm contexts have classes of their own. */
export function codeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
}

/** Why a system call failed, in words. The table above must match that of host/xs/engine/words.c. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  return REASONS[code] ?? `the system says ${printable(code || String(error))}`;
}

/** The InputError for a file that could not be read or written. */
export function fileError(action: "read" | "write", path: string, error: unknown): InputError {
  return new InputError(`Cannot ${action} ${printable(path, 200)}: ${reasonOf(error)}.`);
}

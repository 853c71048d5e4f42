import type { Directory, File } from "embedded:storage/files";
import Modules from "modules";
import { InputError, printable, printablePath } from "../../gpt/base/errors";
import { NewFiles } from "../../gpt/base/new-files";
import type { NewFile, Storage, StoredFile } from "../../gpt/base/platform";

/** The firmware's folder: on a desktop the root is the user's home. */
const FOLDER = "esp32gpt";

/** The result of openStorage(). */
export interface OpenedStorage {
  readonly storage: Storage | undefined;
  /** Why there is no storage, in a sentence; "" if there is one. */
  readonly refusal: string;
}

/**
 * Opens the files in flash: a partition with littlefs, which is formatted if it is still empty. On a desktop they
 * are in a folder in the user's home.
 * @param folder its name; it is created if it does not exist
 */
export function openStorage(folder = FOLDER): OpenedStorage {
  try {
    // Not imported above: the module opens the file system when it is loaded, and not every board has one.
    const root = Modules.importNow("embedded:storage/files") as Directory;
    root.createDirectory(folder);
    return { storage: new FlashStorage(root.openDirectory({ path: folder })), refusal: "" };
  } catch (error) {
    return { storage: undefined, refusal: `Nothing can be saved here: ${reasonOf(error)}.` };
  }
}

class FlashStorage implements Storage {
  private readonly newFiles = new NewFiles();

  constructor(private readonly folder: Directory) {}

  open(name: string): Promise<StoredFile | undefined> {
    return promised("read", name, () => {
      if (!this.has(name)) return undefined;
      const file = this.folder.openFile({ path: name });
      return {
        size: file.status().size,
        read: (position: number, bytes: Uint8Array) => attempt("read", name, () => file.read(bytes, position)),
        close: () => file.close(),
      };
    });
  }

  create(name: string): Promise<NewFile> {
    return promised("write", name, () => {
      if (this.has(name) && !this.folder.status(name).isFile()) throw new Error("not file");
      return this.newFiles.begin(name, () => new FlashFile(this.folder, name));
    });
  }

  move(from: string, to: string): Promise<void> {
    return promised("write", to, () => {
      if (this.has(from)) this.folder.move(from, to);
    });
  }

  remove(name: string): Promise<void> {
    return promised("write", name, () => {
      if (this.has(name)) this.folder.delete(name);
    });
  }

  private has(name: string): boolean {
    return this.folder.status(name).mode !== 0;
  }
}

/** A file that is written under a temporary name until it is committed. */
class FlashFile implements NewFile {
  private readonly temporary: string;
  private readonly file: File;
  private size = 0;

  constructor(
    private readonly folder: Directory,
    private readonly name: string,
  ) {
    this.temporary = `${name}.new`;
    // What a power cut has left would occupy flash until this file is flushed.
    folder.delete(this.temporary);
    this.file = folder.openFile({ path: this.temporary, mode: "w" });
  }

  write(bytes: Uint8Array): void {
    attempt("write", this.name, () => this.file.write(bytes, this.size));
    this.size += bytes.length;
  }

  commit(): Promise<void> {
    return promised("write", this.name, () => {
      try {
        this.file.flush(); // close() would not report errors
        if (this.file.status().size !== this.size) throw new Error("No space left on device");
        this.file.close();
        this.folder.move(this.temporary, this.name);
      } catch (error) {
        this.abort();
        throw error;
      }
    });
  }

  abort(): void {
    try {
      this.file.close();
      this.folder.delete(this.temporary);
    } catch {
      // The reason for the abort has been reported, and the next file of this name begins with a deletion.
    }
  }
}

type Action = "read" | "write";

/** Does synchronously what other platforms do asynchronously, with an empty stack, as that of XS is small. */
async function promised<T>(action: Action, name: string, work: () => T): Promise<T> {
  await Promise.resolve();
  return attempt(action, name, work);
}

function attempt<T>(action: Action, name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new InputError(`Cannot ${action} ${printablePath(name)}: ${reasonOf(error)}.`);
  }
}

/** Why the SDK failed, in words. It throws littlefs's error number or, in a debug build and on a desktop, a text. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  switch (message) {
    case "can't find partition":
      return "the flash has no partition named storage";
    case "LFS ERR -28":
    case "No space left on device":
      return "the flash is full";
    case "LFS ERR -1":
    case "LFS ERR -5":
    case "Error during device operation":
      return "the flash has failed";
    case "LFS ERR -84":
    case "Corrupted":
      return "the file system in flash is damaged";
    case "LFS ERR -36":
    case "File name too long":
      return "its name is too long";
    case "LFS ERR -2":
    case "LFS ERR -20":
    case "No directory entry":
    case "Entry is not a dir":
    case "No such file or directory":
    case "Not a directory":
      return "there is no such folder";
    case "LFS ERR -21":
    case "Entry is a dir":
    case "not file":
      return "it is not a file";
    case "bad path":
      return "this is not a file name";
    case "LFS ERR -12":
    case "No more memory available":
    case "no memory":
      return "there is not enough memory";
    default:
      return printable(message);
  }
}

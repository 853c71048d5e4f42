import { InputError } from "../../src/errors";
import type { NewFile, Storage, StoredFile } from "../../src/platform";

/** Files in memory, with what can go wrong with files. */
export class MemoryStorage implements Storage {
  readonly files = new Map<string, Uint8Array>();
  /** Files open for reading or writing. */
  openFiles = 0;
  /** Whether create() refuses. */
  isReadOnly = false;
  /** Bytes that a new file may have. */
  capacity = Infinity;

  constructor(files: Record<string, Uint8Array> = {}) {
    for (const [name, bytes] of Object.entries(files)) this.files.set(name, bytes);
  }

  file(name: string): Uint8Array {
    const bytes = this.files.get(name);
    if (!bytes) throw new RangeError(`There is no file ${name}.`);
    return bytes;
  }

  open(name: string): Promise<StoredFile | undefined> {
    return new Promise((resolve) => resolve(this.openNow(name)));
  }

  create(name: string): Promise<NewFile> {
    return new Promise((resolve) => resolve(this.createNow(name)));
  }

  private openNow(name: string): StoredFile | undefined {
    const bytes = this.files.get(name);
    if (!bytes) return undefined;
    this.openFiles++;
    return {
      size: bytes.length,
      read(position, into) {
        const piece = bytes.subarray(position, position + into.length);
        into.set(piece);
        return piece.length;
      },
      close: () => void this.openFiles--,
    };
  }

  private createNow(name: string): NewFile {
    if (this.isReadOnly) throw new InputError(`Cannot write ${name}: access is denied.`);
    this.openFiles++;
    let written = new Uint8Array(0);
    return {
      write: (bytes) => {
        if (written.length + bytes.length > this.capacity)
          throw new InputError(`Cannot write ${name}: the disk is full.`);
        written = Uint8Array.of(...written, ...bytes);
      },
      commit: () => {
        this.openFiles--;
        this.files.set(name, written);
        return Promise.resolve();
      },
      abort: () => void this.openFiles--,
    };
  }
}

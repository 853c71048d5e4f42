import { storedBytes } from "../../src/places/stored-bytes";
import { InputError } from "../../src/gpt/base/errors";
import { NewFiles } from "../../src/gpt/base/new-files";
import type { NewFile, Storage, StoredFile } from "../../src/gpt/base/platform";

/** The power was cut: nothing works any more. */
export class PowerCut extends Error {}

/** Files in memory, with what can go wrong with files. */
export class MemoryStorage implements Storage {
  readonly files = new Map<string, Uint8Array>();
  /** Files open for reading or writing. */
  openFiles = 0;
  /** Whether create(), move() and remove() refuse. */
  isReadOnly = false;
  /** Bytes that a new file may have. */
  capacity = Infinity;
  /** Writes, commits, moves and removals so far. */
  operations = 0;
  /** The power is cut in this one of them, once so much of it is done: 0 nothing, 1 all. */
  cutAt = Infinity;
  cutAfter = 0;
  private isOff = false;
  private readonly newFiles = new NewFiles();

  constructor(files: Record<string, Uint8Array> = {}) {
    for (const [name, bytes] of Object.entries(files)) this.files.set(name, bytes);
  }

  file(name: string): Uint8Array {
    const bytes = this.files.get(name);
    if (!bytes) throw new RangeError(`There is no file ${name}.`);
    return bytes;
  }

  /** What is there when the power is back. */
  reboot(): MemoryStorage {
    return new MemoryStorage(Object.fromEntries(this.files));
  }

  async open(name: string): Promise<StoredFile | undefined> {
    await Promise.resolve();
    const bytes = this.files.get(name);
    if (!bytes) return undefined;
    this.openFiles++;
    return { ...storedBytes(bytes), close: () => void this.openFiles-- };
  }

  async create(name: string): Promise<NewFile> {
    await Promise.resolve();
    if (this.isReadOnly) throw new InputError(`Cannot write ${name}: access is denied.`);
    return this.newFiles.begin(name, () => this.newFile(name));
  }

  private newFile(name: string): NewFile {
    this.openFiles++;
    const temporary = `${name}.tmp`;
    this.files.set(temporary, new Uint8Array(0));
    return {
      write: (bytes) => {
        const written = this.file(temporary);
        if (written.length + bytes.length > this.capacity)
          throw new InputError(`Cannot write ${name}: the disk is full.`);
        this.operate((share) => {
          const piece = bytes.subarray(0, Math.floor(share * bytes.length));
          const longer = new Uint8Array(written.length + piece.length);
          longer.set(written);
          longer.set(piece, written.length);
          this.files.set(temporary, longer);
        });
      },
      commit: async () => {
        await Promise.resolve();
        this.operate((share) => {
          if (share < 1) return;
          this.files.set(name, this.file(temporary));
          this.files.delete(temporary);
        });
        this.openFiles--;
      },
      abort: () => {
        if (this.isOff) return;
        this.openFiles--;
        this.files.delete(temporary);
      },
    };
  }

  async move(from: string, to: string): Promise<void> {
    await Promise.resolve();
    if (this.isReadOnly) throw new InputError(`Cannot write ${to}: access is denied.`);
    this.operate((share) => {
      const bytes = this.files.get(from);
      if (share < 1 || !bytes) return;
      this.files.delete(from);
      this.files.set(to, bytes);
    });
  }

  async remove(name: string): Promise<void> {
    await Promise.resolve();
    if (this.isReadOnly) throw new InputError(`Cannot write ${name}: access is denied.`);
    this.operate((share) => {
      if (share === 1) this.files.delete(name);
    });
  }

  /** Does something, or the share of it that is done when the power is cut. */
  private operate(work: (share: number) => void): void {
    if (this.isOff) throw new PowerCut();
    this.isOff = this.operations++ === this.cutAt;
    work(this.isOff ? this.cutAfter : 1);
    if (this.isOff) throw new PowerCut();
  }
}

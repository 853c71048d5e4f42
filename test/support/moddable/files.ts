import type { Directory, File, Status } from "embedded:storage/files";

/** The power was cut: nothing works any more. */
export class PowerCut extends Error {}

/**
 * A flash with a file system that behaves as littlefs does: what is written to a file is there once it is
 * flushed, and its old contents keep their room until then.
 */
export class Flash {
  /** What a power cut leaves, by the path. */
  readonly files = new Map<string, Uint8Array>();
  readonly folders = new Set<string>();
  /** Bytes of all files. */
  capacity = 1 << 20;
  /** What the next operation that changes something throws. */
  failure: string | undefined;
  /** Whether a write does a part of what it should, in silence, where there is no room for all. */
  writesShort = false;
  /** Operations so far that changed something. */
  operations = 0;
  /** The power is cut before this one of them is done, or after it. */
  cutAt = Infinity;
  isCutAfter = false;
  readonly openFiles = new Set<FlashFile>();
  private isOff = false;

  /** What is there when the power is back. */
  reboot(): Flash {
    const flash = new Flash();
    for (const [path, bytes] of this.files) flash.files.set(path, bytes);
    for (const path of this.folders) flash.folders.add(path);
    return flash;
  }

  operate<T>(work: () => T): T {
    this.check();
    this.isOff = this.operations++ === this.cutAt;
    if (this.isOff && !this.isCutAfter) throw new PowerCut();
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw new Error(failure);
    const result = work();
    if (this.isOff) throw new PowerCut();
    return result;
  }

  check(): void {
    if (this.isOff) throw new PowerCut();
  }

  /** Bytes that are not in use. */
  get memory(): number {
    let used = 0;
    for (const bytes of this.files.values()) used += bytes.length;
    for (const file of this.openFiles) used += file.unflushed;
    return this.capacity - used;
  }
}

/** What the SDK's functions take as a path. */
function checked(path: string): string {
  if (path.split("/").some((part) => part === "" || part === "." || part === "..")) throw new Error("bad path");
  if (path.length > 255) throw new Error("LFS ERR -36");
  return path;
}

export class FlashDirectory implements Directory {
  constructor(
    private readonly flash: Flash,
    private readonly prefix = "",
  ) {}

  createDirectory(path: string): boolean {
    const { folders } = this.flash;
    const full = this.full(path);
    return this.flash.operate(() => !folders.has(full) && folders.add(full).has(full));
  }

  openDirectory({ path }: { path: string }): Directory {
    this.flash.check();
    const full = this.full(path);
    if (!this.flash.folders.has(full)) throw new Error("not directory");
    return new FlashDirectory(this.flash, `${full}/`);
  }

  openFile({ path, mode = "r" }: { path: string; mode?: string }): File {
    const { flash } = this;
    flash.check();
    const full = this.full(path);
    const status = this.status(path);
    if (status.isDirectory()) throw new Error("not file");
    if (mode === "r") {
      if (!status.isFile()) throw new Error("LFS ERR -2");
    } else if (!status.isFile()) {
      const folder = full.slice(0, full.lastIndexOf("/"));
      if (!flash.folders.has(folder)) throw new Error("LFS ERR -2");
      flash.operate(() => flash.files.set(full, new Uint8Array(0)));
    }
    return new FlashFile(flash, full, mode);
  }

  delete(path: string): boolean {
    const full = this.full(path);
    for (const file of this.flash.openFiles) if (file.path === full) throw new Error(`${full} is open`);
    return this.flash.operate(() => this.flash.files.delete(full));
  }

  move(from: string, to: string): void {
    const { files, folders } = this.flash;
    const [source, target] = [this.full(from), this.full(to)];
    this.flash.operate(() => {
      const bytes = files.get(source);
      if (!bytes) throw new Error("LFS ERR -2");
      if (folders.has(target)) throw new Error("LFS ERR -21");
      files.delete(source);
      files.set(target, bytes);
    });
  }

  status(path: string): Status {
    this.flash.check();
    const full = this.full(path);
    const bytes = this.flash.files.get(full);
    const isFolder = path === "" || this.flash.folders.has(full);
    return {
      size: bytes?.length ?? 0,
      mode: bytes ? 1 : isFolder ? 2 : 0,
      isFile: () => bytes !== undefined,
      isDirectory: () => isFolder,
    };
  }

  private full(path: string): string {
    return this.prefix + (path === "" ? "" : checked(path));
  }
}

class FlashFile implements File {
  private contents: Uint8Array;
  private isDirty = false;

  constructor(
    private readonly flash: Flash,
    readonly path: string,
    private readonly mode: string,
  ) {
    this.contents = (mode === "w" ? undefined : flash.files.get(path)) ?? new Uint8Array(0);
    flash.openFiles.add(this);
  }

  get unflushed(): number {
    return this.isDirty ? this.contents.length : 0;
  }

  read(buffer: Uint8Array, position: number): number {
    this.flash.check();
    const piece = this.contents.subarray(position, position + buffer.length);
    buffer.set(piece);
    return piece.length;
  }

  write(buffer: Uint8Array, position: number): void {
    if (this.mode === "r") throw new Error("read-only");
    this.flash.operate(() => {
      const { memory, writesShort } = this.flash;
      if (buffer.length > memory && !writesShort) throw new Error("LFS ERR -28");
      const piece = buffer.subarray(0, memory);
      const longer = new Uint8Array(Math.max(this.contents.length, position + piece.length));
      longer.set(this.contents);
      longer.set(piece, position);
      this.contents = longer;
      this.isDirty = true;
    });
  }

  status(): Status {
    this.flash.check();
    return { size: this.contents.length, mode: 1, isFile: () => true, isDirectory: () => false };
  }

  flush(): void {
    this.flash.operate(() => this.keep());
  }

  close(): void {
    if (!this.flash.openFiles.delete(this)) return;
    if (!this.isDirty) return;
    // It says nothing when this fails.
    if (this.flash.failure === undefined) this.flash.operate(() => this.keep());
    else this.flash.failure = undefined;
  }

  private keep(): void {
    this.flash.files.set(this.path, this.contents);
    this.isDirty = false;
  }
}

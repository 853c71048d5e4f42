import { del, get, set } from "idb-keyval";
import { storedBytes } from "../stored-bytes";
import { InputError } from "../../gpt/base/errors";
import { NewFiles } from "../../gpt/base/new-files";
import type { NewFile, Storage, StoredFile } from "../../gpt/base/platform";
import { database } from "./database";

/** A key-value store for files. */
interface Shelf {
  get(key: string): Promise<unknown>;
  set(key: string, bytes: Uint8Array): Promise<void>;
  del(key: string): Promise<void>;
}

/** Files of the page, replaced atomically: in the browser's database, or in memory until the page is closed. */
export class PageStorage implements Storage {
  private readonly newFiles = new NewFiles();

  private constructor(
    private readonly folder: string,
    private readonly shelf: Shelf,
    /** Whether the files are kept when the page is closed. */
    readonly isLasting: boolean,
  ) {}

  /** Opens a folder in the database; in memory if there is no database. */
  static async open(folder: string): Promise<PageStorage> {
    try {
      await get("", database);
    } catch {
      // Some browsers have no IndexedDB, or none in a private window.
      return PageStorage.inMemory(folder);
    }
    const shelf: Shelf = {
      get: (key) => get<unknown>(key, database),
      set: (key, bytes) => set(key, bytes, database),
      del: (key) => del(key, database),
    };
    return new PageStorage(folder, shelf, true);
  }

  static inMemory(folder: string): PageStorage {
    const files = new Map<string, Uint8Array>();
    const shelf: Shelf = {
      get: (key) => Promise.resolve(files.get(key)),
      set: (key, bytes) => Promise.resolve(void files.set(key, bytes)),
      del: (key) => Promise.resolve(void files.delete(key)),
    };
    return new PageStorage(folder, shelf, false);
  }

  async open(name: string): Promise<StoredFile | undefined> {
    const bytes = await this.read(name);
    return bytes && storedBytes(bytes);
  }

  /** The bytes of a file; undefined if it does not exist. */
  async read(name: string): Promise<Uint8Array | undefined> {
    const bytes = await this.shelf.get(this.pathOf(name));
    return bytes instanceof Uint8Array ? bytes : undefined;
  }

  create(name: string): Promise<NewFile> {
    let pieces: Uint8Array<ArrayBuffer>[] = [];
    return Promise.resolve(
      this.newFiles.begin(name, () => ({
        write: (bytes) => void pieces.push(bytes.slice()),
        commit: () => this.put(name, pieces),
        abort: () => void (pieces = []),
      })),
    );
  }

  async move(from: string, to: string): Promise<void> {
    const bytes = await this.read(from);
    if (!bytes) return;
    await this.put(to, [bytes]);
    await this.remove(from);
  }

  async remove(name: string): Promise<void> {
    await this.shelf.del(this.pathOf(name));
  }

  private async put(name: string, pieces: readonly Uint8Array[]): Promise<void> {
    const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    try {
      await this.shelf.set(this.pathOf(name), bytes);
    } catch {
      throw new InputError("The browser has no room to keep this training: download its checkpoint.");
    }
  }

  private pathOf(name: string): string {
    return `${this.folder}/${name}`;
  }
}

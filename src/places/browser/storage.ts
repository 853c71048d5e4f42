import { del, get, setMany } from "idb-keyval";
import { storedBytes } from "../stored-bytes";
import { InputError } from "../../gpt/base/errors";
import { NewFiles } from "../../gpt/base/new-files";
import type { NewFile, Storage, StoredFile } from "../../gpt/base/platform";
import { database } from "./database";

/** A key-value store for files. */
interface Shelf {
  get(key: string): Promise<unknown>;
  /** Sets all values in one transaction. */
  set(entries: [key: string, value: unknown][]): Promise<void>;
  del(key: string): Promise<void>;
}

/** Values to store in the same transaction as a file, by their keys in its folder. */
export type Companions = (file: string) => Readonly<Record<string, unknown>>;

/** Files of the page, replaced atomically: in the browser's database, or in memory until the page is closed. */
export class PageStorage implements Storage {
  private readonly newFiles = new NewFiles();

  private constructor(
    private readonly folder: string,
    private readonly shelf: Shelf,
    /** Whether the files are kept when the page is closed. */
    readonly isLasting: boolean,
    private readonly companions: Companions = () => ({}),
  ) {}

  /**
   * Opens a folder in the database; in memory if there is no database.
   * @param companions called whenever a file is written
   */
  static async open(folder: string, companions?: Companions): Promise<PageStorage> {
    try {
      await get("", database);
    } catch {
      // Some browsers have no IndexedDB, or none in a private window.
      return PageStorage.inMemory(folder);
    }
    const shelf: Shelf = {
      get: (key) => get<unknown>(key, database),
      set: (entries) => setMany(entries, database),
      del: (key) => del(key, database),
    };
    return new PageStorage(folder, shelf, true, companions);
  }

  static inMemory(folder: string): PageStorage {
    const files = new Map<string, unknown>();
    const shelf: Shelf = {
      get: (key) => Promise.resolve(files.get(key)),
      set: (entries) => {
        for (const [key, value] of entries) files.set(key, value);
        return Promise.resolve();
      },
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
    const values: [string, unknown][] = [[name, bytes], ...Object.entries(this.companions(name))];
    try {
      await this.shelf.set(values.map(([key, value]) => [this.pathOf(key), value]));
    } catch {
      throw new InputError("The browser has no room to keep this training: download its checkpoint.");
    }
  }

  private pathOf(name: string): string {
    return `${this.folder}/${name}`;
  }
}

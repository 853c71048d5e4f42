import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileError } from "../../src/places/node/file-errors";
import { type InputKind, isRegular, spool } from "./inputs";
import { NodeStorage } from "../../src/places/node/storage";
import { removeLeftovers, saveTarget } from "./outputs";

/**
 * The input and output files of a run. The user may name a pipe or a link. The program, which may run in another
 * process, gets a regular file instead.
 */
export class Files {
  /** Actual path by the name that the user gave, where the two differ. */
  private readonly actualPaths = new Map<string, string>();
  /** Storage that resolves the names that the user gave. */
  readonly storage = new NodeStorage((name) => this.pathOf(name));
  private folder: string | undefined;

  constructor(private readonly ending: AbortSignal) {}

  /** A copy of these paths, for the program in another process. */
  get actual(): Record<string, string> {
    return Object.fromEntries(this.actualPaths);
  }

  /**
   * Registers an input file. A pipe is copied into a temporary file.
   * @throws InputError when it cannot be read or is too large
   */
  async input(name: string, kind: InputKind): Promise<void> {
    if (this.actualPaths.has(name)) return;
    try {
      if (isRegular(name)) return;
    } catch (error) {
      throw fileError("read", name, error);
    }
    this.folder ??= mkdtempSync(join(tmpdir(), "esp32gpt-"));
    const file = join(this.folder, String(this.actualPaths.size));
    await spool(name, file, kind, this.ending);
    this.actualPaths.set(name, file);
  }

  /**
   * Registers an output file.
   * @throws InputError when a checkpoint cannot be saved there
   */
  output(name: string): void {
    const target = saveTarget(name);
    removeLeftovers(target);
    if (target !== name) this.actualPaths.set(name, target);
  }

  pathOf(name: string): string {
    return this.actualPaths.get(name) ?? name;
  }

  /** Removes the temporary copies. */
  close(): void {
    if (this.folder !== undefined) rmSync(this.folder, { recursive: true, force: true });
  }
}

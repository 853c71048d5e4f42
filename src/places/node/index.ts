/* What an app needs of Node: the same exports as in a page and on Moddable. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Storage } from "../../gpt/base/platform";
import { fileError } from "./file-errors";
import { NodeStorage } from "./storage";

export type { Clock, NewFile, Storage, StoredFile } from "../../gpt/base/platform";
export type { Dtype, Ops } from "../../gpt/model/ops";
export { opsFor } from "../typescript";

/** Milliseconds since the process began, and the event loop, which serves everything else between two slices. */
export const clock: Clock = Object.freeze({
  now: () => performance.now(),
  schedule(slice: () => void) {
    setImmediate(slice);
  },
});

/**
 * Opens a folder for files, such as checkpoints; creates it if it does not exist.
 * @param folder its path
 * @throws InputError (as a rejection) if it cannot be created
 */
export function openStorage(folder: string): Promise<Storage> {
  return new Promise((resolve) => {
    try {
      mkdirSync(folder, { recursive: true });
    } catch (error) {
      throw fileError("write", folder, error);
    }
    resolve(new NodeStorage((name) => join(folder, name)));
  });
}

/** Prints a line to standard output. @param line without its end */
export function print(line: string): void {
  console.log(line);
}

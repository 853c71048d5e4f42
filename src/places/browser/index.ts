/* What an app needs of a page or a worker: the same exports as on Node and on Moddable. */

import type { Clock, Storage } from "../../gpt/base/platform";
import { PageStorage } from "./storage";

export type { Clock, NewFile, Storage, StoredFile } from "../../gpt/base/platform";
export type { Dtype, Ops } from "../../gpt/model/ops";
export { opsFor } from "../typescript";

/**
 * Milliseconds since the page was opened, and the event loop, which serves everything else between two slices. A
 * message comes at once, where a nested timer would wait for 4 ms.
 */
export const clock: Clock = Object.freeze({
  now: () => performance.now(),
  schedule(slice: () => void) {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener("message", () => {
      port1.close();
      slice();
    });
    port1.start();
    port2.postMessage(undefined);
  },
});

/**
 * Opens a folder for files, such as checkpoints, in the IndexedDB of this origin. Without one the files are in memory,
 * until the page is closed.
 * @param folder its name
 */
export function openStorage(folder: string): Promise<Storage> {
  return PageStorage.open(folder);
}

/** Prints a line to the console. @param line without its end */
export function print(line: string): void {
  console.log(line);
}

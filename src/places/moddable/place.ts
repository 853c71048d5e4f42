/* What an app needs of Moddable: the same exports as on Node and in a page. */

import Time from "time";
import Timer from "timer";
import { InputError } from "../../gpt/base/errors";
import type { Clock, Storage } from "../../gpt/base/platform";
import { openStorage as open } from "./storage";

export type { Clock, NewFile, Storage, StoredFile } from "../../gpt/base/platform";
export type { Dtype, Ops } from "../../gpt/model/ops";
export { opsFor } from "./ops";

/** Milliseconds since the chip was started, and the event loop, which serves everything else between two slices. */
export const clock: Clock = Object.freeze({
  now: () => Time.ticks,
  schedule(slice: () => void) {
    Timer.set(slice);
  },
});

/**
 * Opens a folder for files, such as checkpoints, in the flash partition `storage`, or on a desktop in the user's home;
 * creates it if it does not exist, and formats the partition if that is empty.
 * @param folder its name
 * @throws InputError (as a rejection) if there is no such partition, or its file system is damaged
 */
export async function openStorage(folder: string): Promise<Storage> {
  await Promise.resolve(); // Opening takes stack, of which XS has little.
  const { storage, refusal } = open(folder);
  if (storage === undefined) throw new InputError(refusal);
  return storage;
}

/** Prints a line: to xsbug, or the console of the SDK. @param line without its end */
export function print(line: string): void {
  trace(line, "\n");
}

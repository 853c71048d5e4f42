import { loadModel } from "../checkpoint/loading";
import { Checkpoint } from "../checkpoint/reader";
import { storageOfBytes } from "../checkpoint/stored-bytes";
import { latinVocabulary } from "../data/vocabulary";
import { typescriptOps } from "../model/typescript-ops";
import type { Clock } from "../platform";
import { Runner } from "./runner";

/**
 * Reads all of a checkpoint, and sees that it is sound.
 * @param name what messages call it
 * @returns the steps that it was trained
 * @throws InputError when it cannot be used
 */
export async function stepsOf(bytes: Uint8Array, name: string, clock: Clock): Promise<number> {
  const storage = storageOfBytes(bytes);
  const checkpoint = await Checkpoint.open(storage, name);
  checkpoint.close();
  await loadModel(new Runner(clock), storage, name, {}, typescriptOps(checkpoint.dtype), latinVocabulary());
  return checkpoint.step;
}

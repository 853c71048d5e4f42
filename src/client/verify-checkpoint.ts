import { CheckingTask } from "../gpt/checkpoint/loading";
import { Checkpoint } from "../gpt/checkpoint/reader";
import { storageOfBytes } from "../places/stored-bytes";
import { lowercaseVocabulary } from "../gpt/data/vocabulary";
import { typescriptOps } from "../gpt/model/typescript-ops";
import type { Clock } from "../gpt/base/platform";
import { Runner } from "../gpt/base/runner";

/**
 * Reads a complete checkpoint and checks that it is valid.
 * @param name what messages call it
 * @returns the number of steps that it was trained
 * @throws InputError (as a rejection) when it is damaged or not supported
 */
export async function verifyCheckpoint(bytes: Uint8Array, name: string, clock: Clock): Promise<number> {
  const checkpoint = await Checkpoint.open(storageOfBytes(bytes), name);
  try {
    checkpoint.modelConfig({});
    checkpoint.vocabulary(lowercaseVocabulary());
    await new Runner(clock).run(new CheckingTask(checkpoint, typescriptOps(checkpoint.dtype)));
    return checkpoint.step;
  } finally {
    checkpoint.close();
  }
}

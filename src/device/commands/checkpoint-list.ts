import { summaryOf } from "../checkpoint-fit";
import { type CheckpointFiles, LISTED } from "../checkpoint-files";
import { CheckingTask } from "../../gpt/checkpoint/loading";
import type { Checkpoint } from "../../gpt/checkpoint/reader";
import { InputError } from "../../gpt/base/errors";
import type { Task } from "../../gpt/base/runner";
import type { Trainer } from "../../gpt/training/trainer";

/**
 * Describes each checkpoint in a line. Reads every file completely; call between two steps, as no save may intervene.
 * @param run runs a task to its end
 */
export async function listCheckpoints(
  store: CheckpointFiles,
  trainer: Trainer,
  run: (task: Task) => Promise<unknown>,
): Promise<string[]> {
  const lines: string[] = [];
  for (const name of LISTED) {
    const line = await describe(name, store, trainer, run);
    if (line !== undefined) lines.push(line);
  }
  return lines;
}

async function describe(
  name: string,
  store: CheckpointFiles,
  trainer: Trainer,
  run: (task: Task) => Promise<unknown>,
): Promise<string | undefined> {
  const { model, dataset } = trainer;
  let checkpoint: Checkpoint | undefined;
  try {
    checkpoint = await store.find(name);
    if (!checkpoint) return undefined;
    const summary = summaryOf(checkpoint, checkpoint.record(), dataset.checksum);
    await run(new CheckingTask(checkpoint, model.ops, dataset.crc32));
    return `${name}: ${summary}.`;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return `${name} is damaged or not supported: ${error.message}`;
  } finally {
    checkpoint?.close();
  }
}

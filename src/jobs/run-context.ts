import type { Emit } from "../protocol/events";
import { InputError } from "../gpt/base/errors";
import type { ProvideOps } from "../gpt/model/ops";
import type { Platform, Storage } from "../gpt/base/platform";
import type { Runner } from "../gpt/base/runner";

/** What a job runs with. */
export interface RunContext {
  readonly platform: Platform;
  readonly runner: Runner;
  readonly emit: Emit;
  /** Whether every step has an event, or only those with a line in the log. */
  readonly emitsAllSteps: boolean;
  /**
   * Resolves when all events have been written to the --jsonl file, if there is one: a checkpoint must not be ahead of
   * the records of its steps.
   */
  readonly flush?: (() => Promise<void>) | undefined;
  readonly provideOps: ProvideOps;
}

/** The storage of a platform. @throws InputError if it has none */
export function storageOf({ storage, place }: Platform): Storage {
  if (!storage) throw new InputError(`There is no storage on ${place}.`);
  return storage;
}

import type { Emit } from "../protocol/events";
import { InputError } from "../gpt/base/errors";
import type { ProvideOps } from "../gpt/model/ops";
import type { Platform, Storage } from "../gpt/base/platform";
import type { Runner } from "../gpt/base/runner";

/** Where work is done, and who is told. */
export interface RunContext {
  readonly platform: Platform;
  readonly runner: Runner;
  readonly emit: Emit;
  /** Whether every step is to be told, or only those that the log has a line for. */
  readonly emitsAllSteps: boolean;
  /**
   * Resolves when whoever keeps what is told has kept it, where somebody does: a checkpoint must not be ahead of the
   * records of its steps.
   */
  readonly flush?: (() => Promise<void>) | undefined;
  readonly provideOps: ProvideOps;
}

/** @throws InputError where there is none */
export function storageOf({ storage, place }: Platform): Storage {
  if (!storage) throw new InputError(`There is no storage on ${place}.`);
  return storage;
}

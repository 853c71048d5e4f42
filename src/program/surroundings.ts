import type { StartEvent, Tell } from "./events";
import { Dataset } from "../data/dataset";
import { InputError } from "../errors";
import type { Dtype, Ops, OpsName } from "../model/ops";
import type { Platform, Storage } from "../platform";
import type { Runner } from "./runner";
import type { Trainer } from "../model/trainer";

/** Where work is done, and who is told. */
export interface Surroundings {
  readonly platform: Platform;
  readonly runner: Runner;
  readonly tell: Tell;
  /** Whether every step is to be told, or only those that the log has a line for. */
  readonly tellsAllSteps: boolean;
  /**
   * What the place has to compute with; its best unless ops are named.
   * @throws InputError for ops or a precision that it does not have
   */
  readonly provideOps: (dtype: Dtype, ops?: OpsName) => Ops;
}

export function datasetOf({ names, namesFile, textTools }: Platform): Dataset {
  return new Dataset(names, namesFile, textTools);
}

export function startOf({ model, dataset, config, stepsDone }: Trainer, { place }: Platform): StartEvent {
  return {
    type: "start",
    place,
    ops: model.ops.name,
    parameters: model.parameters.length,
    nHead: model.config.nHead,
    nEmbd: model.config.nEmbd,
    names: dataset.count,
    ...(model.vocabulary.isLatin ? {} : { characters: model.vocabulary.size - 1 }),
    steps: config.steps,
    batchSize: config.batchSize,
    ...(stepsDone > 0 && { from: stepsDone }),
  };
}

/** @throws InputError where there is none */
export function storageOf({ storage, place }: Platform): Storage {
  if (!storage) throw new InputError(`There is no storage on ${place}.`);
  return storage;
}

import { formatChecksum } from "../data/crc32";
import type { MetadataKey } from "./format";
import { checkTrainingConfig, type TrainingConfig } from "../config";
import { InputError } from "../errors";
import type { TrainingState } from "../model/training-state";

/** What a checkpoint has beside the model and Adam's moments, so that a training goes on bit for bit. */
export interface TrainingRecord {
  readonly config: TrainingConfig;
  readonly state: TrainingState;
  /** With which the run began. */
  readonly seed: number;
  /** CRC-32 of the dataset. */
  readonly dataset: number;
  /** Documents of one's own, each with a newline behind it, and their share. */
  readonly ownWords: string;
  readonly ownShare: number;
  /** The settings of the firmware that began the run; "" elsewhere. */
  readonly build: string;
}

/** The record as the metadata has it, but for the steps in all: those every checkpoint has. */
export function formatRecord(record: TrainingRecord): Map<MetadataKey, string> {
  const { config, state, seed, dataset, ownWords, ownShare, build } = record;
  const { random } = state;
  const entries: [MetadataKey, string | number][] = [
    ["schedule_step", state.stepsDone],
    ["steps", config.steps],
    ["batch_size", config.batchSize],
    ["learning_rate", config.learningRate],
    ["sampling", config.sampling],
    ["holdout", config.holdout],
    ["seed", seed],
    ["random", random.state],
    ["next_name", state.nextName],
    ["dataset", formatChecksum(dataset)],
    ["own_share", ownShare],
  ];
  if (random.spare !== undefined) entries.push(["spare", random.spare]);
  if (ownWords !== "") entries.push(["own_words", ownWords]);
  if (build !== "") entries.push(["build", build]);
  return new Map(entries.map(([key, value]) => [key, String(value)]));
}

/**
 * The record in the metadata; undefined where there is none.
 * @throws InputError, whose message goes on from "cannot be used: "
 */
export function readRecord(metadata: ReadonlyMap<string, string>): TrainingRecord | undefined {
  if (!metadata.has("schedule_step")) return undefined;
  const text = (key: MetadataKey): string => metadata.get(key) ?? "";
  const number = (key: MetadataKey, least: number, most: number, isWhole: boolean): number => {
    const value = text(key) === "" ? NaN : Number(text(key));
    if (!(value >= least && value <= most) || (isWhole && !Number.isInteger(value)))
      throw new InputError(`its ${key} is no ${isWhole ? "whole " : ""}number from ${least} to ${most}`);
    return value;
  };
  const whole = (key: MetadataKey, least: number, most: number): number => number(key, least, most, true);
  const sampling = text("sampling");
  if (sampling !== "random" && sampling !== "sequential") throw new InputError("its sampling is not known here");
  const dataset = text("dataset");
  if (!/^[0-9a-f]{8}$/.test(dataset)) throw new InputError("its dataset is no checksum");
  const config: TrainingConfig = {
    steps: whole("steps", 1, 1e9),
    batchSize: whole("batch_size", 1, 1e6),
    learningRate: number("learning_rate", 0, 10, false),
    sampling: sampling,
    holdout: number("holdout", 0, 90, false),
  };
  checkTrainingConfig(config);
  const totalSteps = whole("step", 0, Number.MAX_SAFE_INTEGER);
  return {
    config,
    state: {
      totalSteps,
      stepsDone: whole("schedule_step", 0, Math.min(config.steps, totalSteps)),
      random: {
        state: whole("random", 1, 0xffffffff),
        spare: metadata.has("spare") ? number("spare", -100, 100, false) : undefined,
      },
      nextName: whole("next_name", 0, Number.MAX_SAFE_INTEGER),
    },
    seed: whole("seed", 1, 0xffffffff),
    dataset: parseInt(dataset, 16),
    ownWords: text("own_words"),
    ownShare: number("own_share", 0, 1, false),
    build: text("build"),
  };
}

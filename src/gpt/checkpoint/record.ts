import { formatChecksum } from "../base/crc32";
import type { MetadataKey } from "./format";
import { checkTrainingConfig, SCHEDULES, type TrainingConfig } from "../model/config";
import { InputError } from "../base/errors";
import type { TrainingState } from "../training/training-state";
import { type NumberName, SETTINGS } from "../base/settings";
import { isInRange, type Range, rangeInWords } from "../base/ranges";
import { isDigits } from "../base/text";

/** What a checkpoint has beside the model and Adam's moments, so that a training resumes bit for bit. */
export interface TrainingRecord {
  readonly config: TrainingConfig;
  readonly state: TrainingState;
  /** The seed of the run. */
  readonly seed: number;
  /** CRC-32 of the dataset. */
  readonly dataset: number;
  /** Words of the user, each followed by a newline, and their share. */
  readonly ownWords: string;
  readonly ownShare: number;
  /** The settings of the firmware that began the run; "" elsewhere. */
  readonly build: string;
}

/** The metadata of a record, except the total steps, which every checkpoint has. */
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
  const { schedule = "linear" } = config;
  if (schedule !== "linear") entries.push(["schedule", schedule]);
  if (config.moments === "bf16") entries.push(["moments", config.moments]);
  return new Map(entries.map(([key, value]) => [key, String(value)]));
}

/**
 * The record in the metadata; undefined if there is none.
 * @throws InputError if it is not valid; the message continues "cannot be used: "
 */
export function readRecord(metadata: ReadonlyMap<string, string>): TrainingRecord | undefined {
  if (!metadata.has("schedule_step")) return undefined;
  const text = (key: MetadataKey): string => metadata.get(key) ?? "";
  const number = (key: MetadataKey, range: Range): number => {
    const value = text(key) === "" ? NaN : Number(text(key));
    if (!isInRange(value, range)) throw new InputError(`its ${key} is not a ${rangeInWords(range)}`);
    return value;
  };
  const whole = (key: MetadataKey, least: number, most: number): number => number(key, { type: "whole", least, most });
  const set = (name: NumberName & MetadataKey): number => number(name, SETTINGS[name]);
  const sampling = SETTINGS.sampling.choices.find((choice) => choice === text("sampling"));
  if (sampling === undefined) throw new InputError("its sampling is unknown");
  const schedule = metadata.has("schedule") ? SCHEDULES.find((choice) => choice === text("schedule")) : "linear";
  if (schedule === undefined) throw new InputError("its schedule is unknown");
  const moments = metadata.has("moments") ? SETTINGS.moments.choices.find((one) => one === text("moments")) : "f32";
  if (moments === undefined) throw new InputError("its moments are unknown");
  const dataset = text("dataset");
  if (dataset.length !== 8 || !isDigits(dataset, 16)) throw new InputError("its dataset is not a checksum");
  const config: TrainingConfig = {
    steps: set("steps"),
    batchSize: set("batch_size"),
    learningRate: set("learning_rate"),
    sampling,
    holdout: set("holdout"),
    ...(schedule !== "linear" && { schedule }),
    moments,
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
        spare: metadata.has("spare") ? number("spare", { type: "number", least: -100, most: 100 }) : undefined,
      },
      nextName: whole("next_name", 0, Number.MAX_SAFE_INTEGER),
    },
    seed: set("seed"),
    dataset: parseInt(dataset, 16),
    ownWords: text("own_words"),
    ownShare: set("own_share"),
    build: text("build"),
  };
}

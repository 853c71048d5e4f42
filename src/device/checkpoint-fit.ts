import { countWords } from "../gpt/data/own-words";
import type { Checkpoint } from "../gpt/checkpoint/reader";
import type { TrainingRecord } from "../gpt/checkpoint/record";
import { hasRelativeBias, mlpWidthOf, type ModelConfig } from "../gpt/model/config";
import { formatChecksum } from "../gpt/base/crc32";
import { InputError } from "../gpt/base/errors";
import type { Model } from "../gpt/model/model";
import type { Dtype } from "../gpt/model/ops";
import { buildOf } from "./settings";

/*
 * Whether this firmware can resume a checkpoint, and which build could if it cannot.
 */

/** A build setting that a checkpoint depends on. */
type Setting = readonly [name: string, value: string];

/** What a checkpoint must match to be resumed. */
export interface Build {
  readonly model: Model;
  /** Checksum of its dataset. */
  readonly dataset: number;
  /** In the format of TrainingRecord.build. */
  readonly build: string;
}

/**
 * The `name=value` settings and the dataset that the checkpoint needs and this build does not have; empty when
 * compatible.
 * @throws InputError when the checkpoint holds no model
 */
function needsOf(checkpoint: Checkpoint, record: TrainingRecord | undefined, here: Build): string[] {
  const config = checkpoint.modelConfig({});
  const shape = shapeOf(config);
  const present = shapeOf(here.model.config);
  const valueIn = (settings: Setting[], name: string): string | undefined =>
    settings.find(([other]) => other === name)?.[1];
  const needs = shape
    .filter(([name, value]) => valueIn(present, name) !== value)
    .map(([name, value]) => `${name}=${value}`);
  // Settings of this build that the checkpoint leaves at their default.
  for (const [name] of present)
    if (valueIn(shape, name) === undefined)
      needs.push(name === "mlp_width" ? `${name}=${mlpWidthOf(config)}` : `${name}=${onOff(hasRelativeBias(config))}`);
  if (isInteger(checkpoint.dtype) !== isInteger(here.model.ops.dtype)) needs.push(`dtype=${checkpoint.dtype}`);
  if (record) {
    const settings = new Set(here.build.split(" "));
    const wanted =
      record.build === ""
        ? buildOf({ seed: record.seed, isSeedRandom: false }, record.config, checkpoint.dtype)
        : record.build;
    // Sampling follows from the preset: it cannot be set. The dtype was compared with that of the tensors.
    for (const setting of wanted.split(" "))
      if (!settings.has(setting) && !setting.startsWith("sampling=") && !setting.startsWith("dtype="))
        needs.push(setting);
  }
  if (record ? record.dataset !== here.dataset : config.vocabularySize !== here.model.config.vocabularySize)
    needs.push(record ? `the dataset with CRC-32 ${formatChecksum(record.dataset)}` : "another dataset");
  return needs;
}

/**
 * The training record of the stored checkpoint.
 * @param name what messages call it
 * @throws InputError unless this build can resume it
 */
export function recordToGoOnWith(checkpoint: Checkpoint, name: string, here: Build): TrainingRecord {
  checkpoint.checkModel(here.model);
  const record = checkpoint.record();
  if (!record) throw new InputError(`${name} holds weights but no training state.`);
  if (record.dataset !== here.dataset) throw new InputError(`${name} was trained on another dataset.`);
  const { dtype } = here.model.ops;
  if (isInteger(checkpoint.dtype) !== isInteger(dtype))
    throw new InputError(`${name} was trained in ${checkpoint.dtype}, and this build has dtype=${dtype}.`);
  if (record.build === here.build) return record;
  const others = new Set(record.build.split(" "));
  const changed = here.build.split(" ").find((setting) => !others.has(setting)) ?? "other settings";
  throw new InputError(`${name} is of a build with other settings: this one has ${changed}.`);
}

/**
 * The same for a checkpoint that the user names.
 * @throws InputError unless this build can resume it; the message lists the settings that a build needs
 */
export function recordToLoad(checkpoint: Checkpoint, name: string, here: Build): TrainingRecord {
  const record = checkpoint.record();
  const needs = needsOf(checkpoint, record, here);
  if (needs.length > 0) throw new InputError(`${name} needs a build with ${needs.join(" ")}.`);
  return recordToGoOnWith(checkpoint, name, here);
}

/**
 * One line for people: training progress, model shape, dataset, number of user words.
 * @param dataset checksum of the device's dataset
 * @throws InputError when the checkpoint holds no model
 */
export function summaryOf(checkpoint: Checkpoint, record: TrainingRecord | undefined, dataset: number): string {
  const parts = [
    record ? `step ${record.state.stepsDone} of ${record.config.steps}` : `after ${checkpoint.step} steps`,
  ];
  parts.push(
    shapeOf(checkpoint.modelConfig({}))
      .map((setting) => setting.join("="))
      .join(" "),
  );
  if (record)
    parts.push(
      `${record.dataset === dataset ? "this dataset" : "another dataset"} (CRC-32 ${formatChecksum(record.dataset)})`,
    );
  const words = countWords(record?.ownWords ?? "");
  if (words > 0) parts.push(`${words} of your words`);
  return parts.join(", ");
}

function isInteger(dtype: Dtype): boolean {
  return dtype === "i32";
}

/** The settings that define a model's shape, without those at a default that follows from the others. */
function shapeOf(config: ModelConfig): Setting[] {
  const { preset, nLayer, nEmbd, nHead, blockSize, vocabularySize } = config;
  const usual = { preset, nLayer, nEmbd, nHead, blockSize, vocabularySize };
  const settings: Setting[] = [
    ["preset", preset],
    ["n_layer", String(nLayer)],
    ["n_embd", String(nEmbd)],
    ["n_head", String(nHead)],
    ["block_size", String(blockSize)],
  ];
  const width = mlpWidthOf(config);
  if (width !== mlpWidthOf(usual)) settings.push(["mlp_width", String(width)]);
  const bias = hasRelativeBias(config);
  if (bias !== hasRelativeBias(usual)) settings.push(["relative_bias", onOff(bias)]);
  return settings;
}

function onOff(isOn: boolean): string {
  return isOn ? "on" : "off";
}

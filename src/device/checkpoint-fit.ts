import { countWords } from "../gpt/data/own-words";
import type { Checkpoint } from "../gpt/checkpoint/reader";
import type { TrainingRecord } from "../gpt/checkpoint/record";
import { hasRelativeBias, mlpWidthOf, type ModelConfig } from "../gpt/model/config";
import { formatChecksum } from "../gpt/base/crc32";
import { InputError } from "../gpt/base/errors";
import type { Model } from "../gpt/model/model";
import { buildOf } from "./settings";

/*
 * Whether a firmware can go on with a checkpoint, and what to build for one with which it cannot.
 */

/** One of the settings that a checkpoint depends on. */
type Setting = readonly [name: string, value: string];

/** What a firmware can go on with. */
export interface Build {
  readonly model: Model;
  /** The checksum of its list. */
  readonly dataset: number;
  /** As TrainingRecord.build has it. */
  readonly build: string;
}

/**
 * The settings, as `name=value`, that this build would need for the checkpoint, and the list; nothing where it fits.
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
  // What this build has set and the checkpoint has not.
  for (const [name] of present)
    if (valueIn(shape, name) === undefined)
      needs.push(name === "mlp_width" ? `${name}=${mlpWidthOf(config)}` : `${name}=${onOff(hasRelativeBias(config))}`);
  if (record) {
    const settings = new Set(here.build.split(" "));
    const wanted =
      record.build === "" ? buildOf({ seed: record.seed, isSeedRandom: false }, record.config) : record.build;
    // Sampling is the preset's, and no setting.
    for (const setting of wanted.split(" "))
      if (!settings.has(setting) && !setting.startsWith("sampling=")) needs.push(setting);
  }
  if (record ? record.dataset !== here.dataset : config.vocabularySize !== here.model.config.vocabularySize)
    needs.push(record ? `the list of CRC-32 ${formatChecksum(record.dataset)}` : "another list");
  return needs;
}

/**
 * Where the training is that the stored checkpoint is of.
 * @param name what messages call it
 * @throws InputError unless this build can go on with it
 */
export function recordToGoOnWith(checkpoint: Checkpoint, name: string, here: Build): TrainingRecord {
  checkModel(checkpoint, here.model);
  const record = checkpoint.record();
  if (!record) throw new InputError(`${name} does not say where its training is.`);
  if (record.dataset !== here.dataset) throw new InputError(`${name} was trained on another list of names.`);
  if (record.build === here.build) return record;
  const others = new Set(record.build.split(" "));
  const changed = here.build.split(" ").find((setting) => !others.has(setting)) ?? "other settings";
  throw new InputError(`${name} is of a build with other settings: this one has ${changed}.`);
}

/**
 * The same of one that somebody wants to go on with.
 * @throws InputError likewise, which says what to build for it
 */
export function recordToLoad(checkpoint: Checkpoint, name: string, here: Build): TrainingRecord {
  const record = checkpoint.record();
  const needs = needsOf(checkpoint, record, here);
  if (needs.length > 0) throw new InputError(`${name} needs a build with ${needs.join(" ")}.`);
  return recordToGoOnWith(checkpoint, name, here);
}

/** @throws InputError unless it holds a model of this shape and vocabulary */
export function checkModel(checkpoint: Checkpoint, { config, vocabulary }: Model): void {
  checkpoint.modelConfig(config);
  if (String(checkpoint.vocabulary(vocabulary)) !== String(vocabulary))
    throw checkpoint.bad("its model knows other characters");
}

/**
 * For people: how far it is trained, of what shape, on which list.
 * @param dataset the checksum of the list that the device has
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
      `${record.dataset === dataset ? "this list" : "another list"} (CRC-32 ${formatChecksum(record.dataset)})`,
    );
  const words = countWords(record?.ownWords ?? "");
  if (words > 0) parts.push(`${words} of your words`);
  return parts.join(", ");
}

/** The settings of a model's shape, without those that follow from others. */
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

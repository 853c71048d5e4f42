import { Checkpoint } from "../../src/gpt/checkpoint/reader";
import { storageOfBytes } from "../../src/places/stored-bytes";
import {
  DEFAULT_MODEL,
  hasRelativeBias,
  mlpWidthOf,
  type ModelConfig,
  trainingConfig,
} from "../../src/gpt/model/config";
import { SETTINGS } from "../../src/gpt/base/settings";
import { crc32 } from "../../src/gpt/base/crc32";
import type { TrainingRecord } from "../../src/gpt/checkpoint/record";
import type { Dtype } from "../../src/gpt/model/ops";
import { typescriptOps } from "../../src/gpt/model/typescript-ops";
import type { Choice } from "./address";
import type { OwnList } from "./run-store";
import { LISTS } from "./lists";

/**
 * The choice that resumes a checkpoint.
 * @param file its name in messages
 * @param before the current choice. Its list is kept unless the checkpoint names another that the page has; its
 * training settings are kept if the checkpoint holds only weights.
 * @throws InputError when it is not a checkpoint
 */
export async function readChoice(
  file: string,
  bytes: Uint8Array,
  before: Choice,
  listOf: (id: string) => Promise<OwnList>,
): Promise<Choice> {
  const checkpoint = await Checkpoint.open(storageOfBytes(bytes), file);
  const config = checkpoint.modelConfig({});
  const record = checkpoint.record();
  const dtype = differing([["dtype", checkpoint.dtype, "f32"]]);
  const values = {
    ...shapeOf(config),
    ...(record ? scheduleOf(record, config, checkpoint.dtype) : trainingOf(before)),
    ...dtype,
  };
  return { list: await listFor(record, before.list, listOf), values };
}

async function listFor(
  record: TrainingRecord | undefined,
  present: string,
  listOf: (id: string) => Promise<OwnList>,
): Promise<string> {
  if (!record) return present;
  for (const id of [present, ...LISTS.map((list) => list.id)])
    if (crc32((await listOf(id)).bytes) === record.dataset) return id;
  return present;
}

function shapeOf(config: ModelConfig): Choice["values"] {
  const { preset, nLayer, nEmbd, nHead, blockSize, vocabularySize } = config;
  const usual = { preset, nLayer, nEmbd, nHead, blockSize, vocabularySize };
  return differing([
    ["preset", preset, DEFAULT_MODEL.preset],
    ["n_layer", nLayer, DEFAULT_MODEL.nLayer],
    ["n_embd", nEmbd, DEFAULT_MODEL.nEmbd],
    ["n_head", nHead, DEFAULT_MODEL.nHead],
    ["block_size", blockSize, DEFAULT_MODEL.blockSize],
    ["mlp_width", mlpWidthOf(config), mlpWidthOf(usual)],
    ["relative_bias", onOff(hasRelativeBias(config)), onOff(hasRelativeBias(usual))],
  ]);
}

function trainingOf({ values }: Choice): Choice["values"] {
  const { batch_size = "", steps = "", learning_rate = "", holdout = "", moments = "", seed = "" } = values;
  return { batch_size, steps, learning_rate, holdout, moments, seed };
}

function scheduleOf({ config, seed }: TrainingRecord, { preset }: ModelConfig, dtype: Dtype): Choice["values"] {
  const { steps, batchSize, holdout, moments = "f32" } = config;
  const usual = trainingConfig(preset, {});
  const { functions } = typescriptOps(dtype);
  const { learningRate } = trainingConfig(preset, { steps, batchSize }, undefined, functions);
  return differing([
    ["batch_size", batchSize, usual.batchSize],
    ["steps", steps, usual.steps],
    ["learning_rate", config.learningRate, learningRate],
    ["holdout", holdout, usual.holdout],
    ["moments", moments, dtype === "f32" ? (usual.moments ?? moments) : moments],
    ["seed", seed, SETTINGS.seed.default],
  ]);
}

function differing(rows: readonly [name: string, value: string | number, usual: string | number][]): Choice["values"] {
  return Object.fromEntries(
    rows.filter(([, value, usual]) => value !== usual).map(([name, value]) => [name, String(value)]),
  );
}

function onOff(isOn: boolean): string {
  return isOn ? "on" : "off";
}

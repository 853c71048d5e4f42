import type { ModelConfig } from "../model/config";
import { crc32 } from "../base/crc32";
import { encodeUtf8 } from "../base/utf8";
import { isDigits } from "../base/text";

/*
 * A checkpoint is a safetensors file: the parameters by name (see parameterLayout) and, to resume from, Adam's
 * state as adam.m and adam.v. Its metadata has the configuration, the state of the training (record.ts), and a
 * CRC-32. That covers the metadata, as lines `key=value` in the order of METADATA_KEYS, and then the bytes of the
 * tensors in buffer order, so that another tool may reorder the file but not alter it. saving.ts writes it,
 * loading.ts reads it.
 */
const KEYS_OF_FORMAT_2 = 8;
export const KEYS_OF_FORMAT_3 = 23;
export const METADATA_KEYS = Object.freeze([
  "preset",
  "n_layer",
  "n_embd",
  "n_head",
  "block_size",
  "step",
  "format_version",
  "vocabulary",
  "schedule_step",
  "steps",
  "batch_size",
  "learning_rate",
  "sampling",
  "holdout",
  "seed",
  "random",
  "spare",
  "next_name",
  "dataset",
  "own_words",
  "own_share",
  "build",
  "dtype",
  "symbols",
  "add_bos",
  "add_eos",
  "unknown",
  "schedule",
  "moments",
] as const);
export type MetadataKey = (typeof METADATA_KEYS)[number];
export const CHECKSUM_KEY = "crc32";
/**
 * The version of the format. Files of version 1 have neither a version nor a vocabulary, which is a to z. Files
 * before version 3 do not have the state of the training.
 */
export const FORMAT = 3;
/** The version of a file with one of the keys behind those of format 3: an older program would take it for another model. */
export const FORMAT_4 = 4;
/** The names of a configuration's parts in messages and in the file. */
export const CONFIG_NAMES: Readonly<Record<keyof ModelConfig, string>> = Object.freeze({
  preset: "preset",
  nLayer: "n_layer",
  nEmbd: "n_embd",
  nHead: "n_head",
  blockSize: "block_size",
  vocabularySize: "vocabulary",
  mlpWidth: "mlp_width",
  relativeBias: "relative_bias",
});
export const ADAM_M = "adam.m";
export const ADAM_V = "adam.v";

/** Files are read and written in blocks of at most this many bytes: a multiple of every element's size. */
export const BLOCK_BYTES = 4096;

const OWN_TENSORS: readonly string[] = Object.freeze(["wte", "wpe", "wout", ADAM_M, ADAM_V]);
/** Tensors of each layer. */
const LAYER_PARTS: readonly string[] = Object.freeze(["wq", "wk", "wv", "wo", "w1", "w2", "bias"]);

/** Whether a tensor of this name belongs to a checkpoint, of any model. */
export function isOwnTensor(name: string): boolean {
  const [first, layer = "", part = "", ...others] = name.split(".");
  if (first === "layers") return isDigits(layer) && LAYER_PARTS.includes(part) && others.length === 0;
  return OWN_TENSORS.includes(name);
}

/** Whether an entry of the metadata belongs to a checkpoint. */
export function isOwnMetadata(key: string): boolean {
  return key === CHECKSUM_KEY || (METADATA_KEYS as readonly string[]).includes(key);
}

/** The checksum of the metadata; that of the tensors continues from it. */
export function metadataChecksum(metadata: ReadonlyMap<string, string>, crc = crc32, encode = encodeUtf8): number {
  const isOld = ["undefined", "1", "2"].includes(String(metadata.get("format_version")));
  let checksum = 0;
  for (const key of isOld ? METADATA_KEYS.slice(0, KEYS_OF_FORMAT_2) : METADATA_KEYS) {
    const value = metadata.get(key);
    if (value === undefined) continue;
    checksum = crc(encode(`${key}=${value}\n`), checksum);
  }
  return checksum;
}

import type { ModelConfig } from "../config";
import { crc32 } from "./crc32";
import { encodeUtf8 } from "../data/utf8";

/*
 * A checkpoint is a safetensors file: the parameters by name (see parameterLayout), and, to go on
 * with, Adam's state as adam.m and adam.v. Its metadata carries the configuration, the step, and a
 * CRC-32 over those values, as lines `key=value` in the order of METADATA_KEYS, and the bytes of the
 * tensors in buffer order, so that another tool may reorder the file but not alter it. saving.ts writes
 * it, loading.ts reads it.
 */
export const METADATA_KEYS = Object.freeze([
  "preset",
  "n_layer",
  "n_embd",
  "n_head",
  "block_size",
  "step",
  "format_version",
  "vocabulary",
] as const);
export const CHECKSUM_KEY = "crc32";
/** The version of the format. Files of version 1 do not say so, and have no vocabulary: theirs is a to z. */
export const FORMAT = 2;
/** What messages and the file call the parts of a configuration. */
export const CONFIG_NAMES: Readonly<Record<keyof ModelConfig, string>> = Object.freeze({
  preset: "preset",
  nLayer: "n_layer",
  nEmbd: "n_embd",
  nHead: "n_head",
  blockSize: "block_size",
  vocabularySize: "vocabulary",
});
export const ADAM_M = "adam.m";
export const ADAM_V = "adam.v";

/** Files are read and written in blocks of at most this many bytes: a multiple of every element's size. */
export const BLOCK_BYTES = 4096;

/** Whether a tensor of this name belongs to a checkpoint, be it of another model. */
export function isOwnTensor(name: string): boolean {
  return /^(?:wte|wpe|wout|adam\.[mv]|layers\.\d+\.(?:wq|wk|wv|wo|w1|w2))$/.test(name);
}

/** The checksum of the metadata that is there; that of the tensors goes on from it. */
export function metadataChecksum(metadata: ReadonlyMap<string, string>): number {
  let checksum = 0;
  for (const key of METADATA_KEYS) {
    const value = metadata.get(key);
    if (value === undefined) continue;
    const line = encodeUtf8(`${key}=${value}\n`);
    checksum = crc32(line, line.length, checksum);
  }
  return checksum;
}

/** As the metadata has it. */
export function formatChecksum(checksum: number): string {
  return checksum.toString(16).padStart(8, "0");
}

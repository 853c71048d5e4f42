import { crc32 } from "./base/crc32";
import { InputError, printable } from "./base/errors";
import { isDigits } from "./base/text";
import { decodeUtf8, encodeUtf8 } from "./base/utf8";
import { formatVocabulary, readVocabulary } from "./data/stored-vocabulary";
import type { Vocabulary } from "./data/vocabulary";
import { checkModelConfig, hasRelativeBias, mlpWidthOf, type ModelConfig, type PresetName } from "./model/config";
import { type InferenceModel, Model } from "./model/model";
import type { InferenceOps, Numbers } from "./model/ops";
import { parameterLayout } from "./model/parameters";

/*
 * A model as a resource: a file for the flash of a device, or for a page, whose weights are used where they are. Its
 * numbers are little-endian, as are all supported platforms.
 *
 *   bytes 0 to 3   "eGPT"
 *   4 to 7         the version of this format
 *   8 to 11        CRC-32 of all bytes from 12 on
 *   12 to 15       number of bytes of the text, a multiple of 4
 *   from 16 on     the text: lines `key=value` in UTF-8, then newlines as a filling
 *   behind it      the weights in the order of parameterLayout(): float32, or in i32 the mantissas as int32
 */

const MAGIC = 0x54504765;
export const RESOURCE_VERSION = 1;
const HEADER_BYTES = 16;
const CHECKED_FROM = 12;
const WORD = 4;
/** Most of the text is the vocabulary. In a checkpoint, too, all metadata has fewer bytes. */
const MAX_TEXT_BYTES = 8192;

/** The dtypes in which a resource has weights. */
export type ResourceDtype = (typeof RESOURCE_DTYPES)[number];
export const RESOURCE_DTYPES = Object.freeze(["f32", "i32"] as const);

/**
 * Makes the resource of a model.
 * @returns all its bytes, newly allocated: as many as planInference() says
 * @throws InputError for a model in f64
 */
export function formatResource(model: InferenceModel): Uint8Array {
  const { config, ops, vocabulary, parameters } = model;
  if (ops.dtype === "f64") throw new InputError("A resource has weights in f32 or i32, not in f64.");
  const text = formatText(config, vocabulary, ops.dtype);
  const bytes = new Uint8Array(HEADER_BYTES + text.length + parameters.byteLength);
  const view = new DataView(bytes.buffer);
  bytes.set(text, HEADER_BYTES);
  bytes.set(
    new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength),
    HEADER_BYTES + text.length,
  );
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, RESOURCE_VERSION, true);
  view.setUint32(CHECKED_FROM, text.length, true);
  view.setUint32(8, crc32(bytes.subarray(CHECKED_FROM)), true);
  return bytes;
}

/** Bytes of a resource before its weights. */
export function resourceHeaderBytes(config: ModelConfig, vocabulary: Vocabulary, dtype: ResourceDtype): number {
  return HEADER_BYTES + formatText(config, vocabulary, dtype).length;
}

/**
 * The model of a resource, for inference alone. Its weights stay where they are: memory is allocated for the activations
 * and the vocabulary, as planInference() lists it.
 * @param resource its bytes, such as `new Uint8Array(new Resource("model.bin"))`; they must not change
 * @param ops in the dtype of the resource: f32InferenceOps, i32InferenceOps, or those in C
 * @param crc the checksum's kernel, if there is a faster one
 * @throws InputError if it is not a whole resource, unaltered, of this version and of the ops' dtype, or does not begin at
 * a multiple of 4 bytes, or if there is not enough memory
 */
export function modelFromFlash(
  resource: Uint8Array,
  ops: InferenceOps,
  crc: (bytes: Uint8Array) => number = crc32,
): InferenceModel {
  const start = checkedText(resource, crc);
  const metadata = parseText(resource.subarray(HEADER_BYTES, start));
  const dtype = metadata.get("dtype");
  if (dtype !== ops.dtype)
    throw bad(`its dtype is "${printable(dtype ?? "")}", and these ops compute in ${ops.dtype}: export it in that`);
  try {
    const vocabulary = readVocabulary(metadata);
    if (!vocabulary) throw new InputError("It has no vocabulary.");
    const config = readConfig(metadata, vocabulary.size);
    const model = new Model(config, ops, vocabulary, weightsOf(resource, start, config, dtype));
    checkAddress(model);
    return model;
  } catch (error) {
    throw error instanceof InputError ? new InputError(`The resource cannot be used: ${error.message}`) : error;
  }
}

/** Checks all that does not depend on the model. Returns the index of the first weight. */
function checkedText(resource: Uint8Array, crc: (bytes: Uint8Array) => number): number {
  const { buffer, byteOffset, length } = resource;
  if (byteOffset % WORD !== 0)
    throw bad("it does not begin at a multiple of 4 bytes, as numbers must: copy it with new Uint8Array(bytes)");
  const header = length < HEADER_BYTES ? undefined : new DataView(buffer, byteOffset, HEADER_BYTES);
  if (header?.getUint32(0, true) !== MAGIC) throw bad("it is not one: make it with esp32gpt export");
  const version = header.getUint32(4, true);
  if (version !== RESOURCE_VERSION)
    throw bad(`it has version ${version}, and this program reads version ${RESOURCE_VERSION}: export it again`);
  if (header.getUint32(8, true) !== crc(resource.subarray(CHECKED_FROM)))
    throw bad("its checksum is wrong, so it was cut off or altered: copy it again");
  const text = header.getUint32(CHECKED_FROM, true);
  if (text % WORD !== 0 || text > MAX_TEXT_BYTES || text > length - HEADER_BYTES)
    throw bad(`its text has ${text} bytes`);
  return HEADER_BYTES + text;
}

/** A view of the weights. @throws InputError if the resource has another number of them than the model */
function weightsOf(resource: Uint8Array, start: number, config: ModelConfig, dtype: string): Numbers {
  const { length } = parameterLayout(config);
  const size = start + length * WORD;
  if (resource.length !== size)
    throw new InputError(`This model needs a resource of ${size} bytes, and it has ${resource.length}.`);
  const at = resource.byteOffset + start;
  return dtype === "i32" ? new Int32Array(resource.buffer, at, length) : new Float32Array(resource.buffer, at, length);
}

/**
 * Calls an op without a row. JavaScript does not see where a buffer is, but the ops in C check it.
 * @throws InputError if the weights are not at a multiple of 4 bytes
 */
function checkAddress({ ops, activations, weights, shape }: InferenceModel): void {
  try {
    ops.embeddingForward(activations.embedding, weights.wte, weights.wpe, new Uint8Array(1), 0, 0, shape.n);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InputError(`It must be at a multiple of 4 bytes in memory; the ops say: ${printable(error.message)}.`);
  }
}

function formatText(config: ModelConfig, vocabulary: Vocabulary, dtype: ResourceDtype): Uint8Array {
  const { preset, nLayer, nEmbd, nHead, blockSize } = config;
  const entries: [string, string | number | boolean][] = [
    ["dtype", dtype],
    ["preset", preset],
    ["n_layer", nLayer],
    ["n_embd", nEmbd],
    ["n_head", nHead],
    ["block_size", blockSize],
    ["mlp_width", mlpWidthOf(config)],
    ["relative_bias", hasRelativeBias(config)],
    ...formatVocabulary(vocabulary),
  ];
  let text = "";
  for (const [key, value] of entries) text += `${key}=${value}\n`;
  const bytes = encodeUtf8(text);
  const filled = new Uint8Array(Math.ceil(bytes.length / WORD) * WORD).fill(NEWLINE);
  filled.set(bytes);
  return filled;
}

const NEWLINE = 10;

/** @throws InputError */
function parseText(bytes: Uint8Array): ReadonlyMap<string, string> {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw bad("its text is not UTF-8");
  const metadata = new Map<string, string>();
  for (const line of text.split("\n")) {
    const equals = line.indexOf("=");
    if (equals > 0) metadata.set(line.slice(0, equals), line.slice(equals + 1));
  }
  return metadata;
}

/** @throws InputError for a value that is not allowed */
function readConfig(metadata: ReadonlyMap<string, string>, vocabularySize: number): ModelConfig {
  const number = (key: string): number => {
    const text = metadata.get(key) ?? "";
    if (!isDigits(text)) throw new InputError(`Its ${key} is "${printable(text)}".`);
    return Number(text);
  };
  const config: ModelConfig = {
    preset: (metadata.get("preset") ?? "") as PresetName,
    nLayer: number("n_layer"),
    nEmbd: number("n_embd"),
    nHead: number("n_head"),
    blockSize: number("block_size"),
    mlpWidth: number("mlp_width"),
    relativeBias: metadata.get("relative_bias") === "true",
    vocabularySize,
  };
  checkModelConfig(config);
  return config;
}

/** @param what why; it ends a sentence */
function bad(what: string): InputError {
  return new InputError(`The resource cannot be used: ${what}.`);
}

import type { Adam } from "./adam";
import { checkModelConfig, DEFAULT_MODEL, type ModelConfig, PRESETS, type PresetName } from "./config";
import { crc32 } from "./crc32";
import { InputError } from "./errors";
import { Model } from "./model";
import type { Dtype, Floats, Ops } from "./ops";
import { parameterLayout } from "./parameters";
import type { Storage, StoredFile } from "./platform";
import type { Runner } from "./runner";
import { formatSafetensorsHeader, readSafetensorsHeader, type TensorInfo, type TensorType } from "./safetensors";
import { VOCABULARY_SIZE } from "./tokenizer";

/*
 * A checkpoint is a safetensors file: the parameters by name (see parameterLayout), and, to go on
 * with, Adam's state as adam.m and adam.v. Its metadata carries the configuration, the step, and a
 * CRC-32 over those values, as lines `key=value` in the order of METADATA_KEYS, and the bytes of the
 * tensors in buffer order, so that another tool may reorder the file but not alter it.
 */
const METADATA_KEYS = Object.freeze(["preset", "n_layer", "n_embd", "n_head", "block_size", "step"] as const);
const CHECKSUM_KEY = "crc32";
const CONFIG_NAMES: Readonly<Record<keyof ModelConfig, string>> = Object.freeze({
  preset: "preset",
  nLayer: "n_layer",
  nEmbd: "n_embd",
  nHead: "n_head",
  blockSize: "block_size",
});
const ADAM_M = "adam.m";
const ADAM_V = "adam.v";

/** Tensors pass through a buffer of this many bytes: a multiple of every element's size. */
const BUFFER_BYTES = 1024;

/**
 * Writes a checkpoint, tensor by tensor; the file appears whole or not at all.
 * @param step steps done
 * @param adam the training state, if it is to be kept
 * @throws InputError when storage cannot take it, or a parameter is not a finite number
 */
export async function saveCheckpoint(_runner: Runner, storage: Storage, name: string, model: Model, step: number, adam?: Adam): Promise<void> {
  const { config, ops } = model;
  const type: TensorType = ops.dtype === "f32" ? "F32" : "F64";
  const tensors = parameterLayout(config).parts.map((part) => ({
    name: part.name,
    type,
    shape: [part.rows, part.columns],
  }));
  const buffers = [model.parameters];
  if (adam) {
    for (const name of [ADAM_M, ADAM_V]) tensors.push({ name, type, shape: [model.parameters.length] });
    buffers.push(adam.m, adam.v);
  }
  if (!buffers.every((buffer) => buffer.every(Number.isFinite)))
    throw new InputError(
      `${name} was not saved: the training has diverged, its numbers are no longer finite; try a lower learning rate.`,
    );

  const values = [config.preset, config.nLayer, config.nEmbd, config.nHead, config.blockSize, step];
  const metadata = new Map<string, string>(METADATA_KEYS.map((key, i) => [key, String(values[i])]));
  let checksum = metadataChecksum(metadata);
  for (const buffer of buffers) checksum = crc32(bytesOf(buffer), buffer.byteLength, checksum);
  metadata.set(CHECKSUM_KEY, formatChecksum(checksum));

  const file = await storage.create(name);
  try {
    file.write(formatSafetensorsHeader(metadata, tensors));
    for (const buffer of buffers) file.write(bytesOf(buffer));
  } catch (error) {
    file.abort();
    throw error;
  }
  await file.commit();
}

/**
 * The model that a checkpoint holds.
 * @param wanted see Checkpoint.modelConfig
 * @param check called with the configuration before anything is allocated for it
 * @throws InputError when the file cannot be used
 */
export async function loadModel(
  _runner: Runner,
  storage: Storage,
  name: string,
  wanted: Partial<ModelConfig>,
  ops: Ops,
  check?: (config: ModelConfig) => void,
  _remark?: (message: string) => void,
): Promise<Model> {
  const checkpoint = await Checkpoint.open(storage, name);
  try {
    const config = checkpoint.modelConfig(wanted);
    check?.(config);
    const model = new Model(config, ops);
    checkpoint.load(model);
    return model;
  } finally {
    checkpoint.close();
  }
}

/** A checkpoint open for reading: sound as a file, its tensors not yet read. */
export class Checkpoint {
  /** The numbers in it. */
  readonly dtype: Dtype;
  /** Steps trained. */
  readonly step: number;
  private readonly metadata: ReadonlyMap<string, string>;
  private readonly tensors: ReadonlyMap<string, TensorInfo>;

  private constructor(
    private readonly file: StoredFile,
    private readonly source: string,
  ) {
    const { metadata, tensors } = readSafetensorsHeader(file, source);
    this.metadata = metadata;
    this.tensors = tensors;
    this.dtype = this.tensor("wte").type === "F32" ? "f32" : "f64";
    this.step = this.metadataNumber("step") ?? 0;
  }

  /** @throws InputError when there is no such file, or it is no checkpoint */
  static async open(storage: Storage, name: string): Promise<Checkpoint> {
    const file = await storage.open(name);
    if (!file) throw new InputError(`There is no file ${name}.`);
    try {
      return new Checkpoint(file, name);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  close(): void {
    this.file.close();
  }

  /**
   * The model that the checkpoint holds: from its metadata; of a file with nothing but weights, from
   * their shapes, `wanted` and the defaults.
   * @param wanted what the caller insists on
   * @throws InputError when the checkpoint holds another model than that
   */
  modelConfig(wanted: Partial<ModelConfig>): ModelConfig {
    const preset = this.metadata.get("preset");
    if (preset !== undefined && !Object.hasOwn(PRESETS, preset))
      throw this.bad(`its preset is ${JSON.stringify(preset)}`);
    const [vocabulary, nEmbd] = this.matrixShape("wte");
    if (vocabulary !== VOCABULARY_SIZE)
      throw this.bad(`its vocabulary has ${vocabulary} tokens, not ${VOCABULARY_SIZE}`);
    let nLayer = 0;
    while (this.tensors.has(`layers.${nLayer}.wq`)) nLayer++;
    const blockSize = this.matrixShape("wpe")[0];
    const nHead = this.metadataNumber("n_head");
    for (const [key, size] of [
      ["n_layer", nLayer],
      ["n_embd", nEmbd],
      ["block_size", blockSize],
    ] as const) {
      const said = this.metadataNumber(key) ?? size;
      if (said !== size) throw this.bad(`its metadata says ${key} ${said}, but its tensors have ${size}`);
    }
    const found: Partial<ModelConfig> = {
      ...(preset === undefined ? {} : { preset: preset as PresetName }),
      ...(nHead === undefined ? {} : { nHead }),
      nLayer,
      nEmbd,
      blockSize,
    };
    const config = { ...DEFAULT_MODEL, ...wanted, ...found };
    for (const key of Object.keys(config) as (keyof ModelConfig)[]) {
      if (wanted[key] !== undefined && wanted[key] !== config[key])
        throw new InputError(
          `${this.source} holds a model with ${CONFIG_NAMES[key]} ${config[key]}, not ${wanted[key]}.`,
        );
    }
    checkModelConfig(config);
    return config;
  }

  /**
   * Fills the model's parameters, and Adam's state where it is wanted. Everything is checked before
   * the first number is changed.
   * @throws InputError when the tensors are not those of this model, are not finite, or were altered
   */
  load(model: Model, adam?: Adam): void {
    const names = new Set(parameterLayout(model.config).parts.map((part) => part.name));
    for (const { name, rows, columns } of parameterLayout(model.config).parts) {
      const [r, c] = this.matrixShape(name);
      if (r !== rows || c !== columns) throw this.bad(`${name} is ${r}×${c}; this model needs ${rows}×${columns}`);
    }
    const state = [ADAM_M, ADAM_V].filter((name) => adam !== undefined || this.tensors.has(name));
    for (const name of state) {
      names.add(name);
      const { shape } = this.tensor(name);
      if (shape.length !== 1 || shape[0] !== model.parameters.length)
        throw this.bad(`${name} has the shape [${shape.join(", ")}], not [${model.parameters.length}]`);
    }
    for (const name of this.tensors.keys()) if (!names.has(name)) throw this.bad(`this model has no tensor ${name}`);
    this.verify([...names], model.ops.dtype);

    for (const { name, offset } of parameterLayout(model.config).parts) this.read(name, model.parameters, offset);
    if (adam) {
      this.read(ADAM_M, adam.m, 0);
      this.read(ADAM_V, adam.v, 0);
    }
  }

  /** Reads every tensor once, to see that it is finite in the model's precision and that the checksum is right. */
  private verify(names: readonly string[], dtype: Dtype): void {
    let checksum = metadataChecksum(this.metadata);
    for (const name of names) {
      this.scan(name, (bytes, length, values) => {
        checksum = crc32(bytes, length, checksum);
        for (const value of values)
          if (!Number.isFinite(dtype === "f32" ? Math.fround(value) : value))
            throw this.bad(`${name} holds ${value}, which is no number to compute with in ${dtype}`);
      });
    }
    const written = this.metadata.get(CHECKSUM_KEY);
    if (written === undefined && METADATA_KEYS.some((key) => this.metadata.has(key)))
      throw this.bad(`its metadata has a configuration but no ${CHECKSUM_KEY}`);
    if (written !== undefined && written !== formatChecksum(checksum))
      throw this.bad(`its checksum is ${formatChecksum(checksum)} where it says ${written}, so it has been altered`);
  }

  private read(name: string, into: Floats, offset: number): void {
    this.scan(name, (_bytes, _length, values) => {
      into.set(values, offset);
      offset += values.length;
    });
  }

  /** Passes a tensor through the buffer, piece by piece. */
  private scan(name: string, take: (bytes: Uint8Array, length: number, values: Floats) => void): void {
    const { type, begin, end } = this.tensor(name);
    const bytes = new Uint8Array(Math.min(BUFFER_BYTES, end - begin));
    const floats = type === "F32" ? new Float32Array(bytes.buffer) : new Float64Array(bytes.buffer);
    for (let at = begin; at < end; at += bytes.length) {
      const length = Math.min(bytes.length, end - at);
      const piece = length === bytes.length ? bytes : bytes.subarray(0, length);
      if (this.file.read(at, piece) < length) throw this.bad(`it ends within ${name}`);
      take(bytes, length, floats.subarray(0, length / floats.BYTES_PER_ELEMENT));
    }
  }

  private tensor(name: string): TensorInfo {
    const info = this.tensors.get(name);
    if (!info) throw this.bad(`it has no tensor ${name}`);
    return info;
  }

  private matrixShape(name: string): readonly number[] {
    const { shape } = this.tensor(name);
    if (shape.length !== 2) throw this.bad(`${name} has the shape [${shape.join(", ")}], not that of a matrix`);
    return shape;
  }

  private metadataNumber(key: (typeof METADATA_KEYS)[number]): number | undefined {
    const text = this.metadata.get(key);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 0) throw this.bad(`its ${key} is ${JSON.stringify(text)}`);
    return value;
  }

  private bad(what: string): InputError {
    return new InputError(`${this.source} cannot be used: ${what}.`);
  }
}

function metadataChecksum(metadata: ReadonlyMap<string, string>): number {
  let checksum = 0;
  for (const key of METADATA_KEYS) {
    const line = `${key}=${metadata.get(key) ?? ""}\n`;
    const bytes = Uint8Array.from({ length: line.length }, (_, i) => line.charCodeAt(i));
    checksum = crc32(bytes, bytes.length, checksum);
  }
  return checksum;
}

function formatChecksum(checksum: number): string {
  return checksum.toString(16).padStart(8, "0");
}

/** The bytes of a buffer as a file has them: every platform here is little-endian. */
function bytesOf(floats: Floats): Uint8Array {
  return new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
}

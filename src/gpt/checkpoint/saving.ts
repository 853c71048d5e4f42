import type { Adam } from "../training/adam";
import {
  ADAM_M,
  ADAM_V,
  BLOCK_BYTES,
  CHECKSUM_KEY,
  FORMAT,
  FORMAT_4,
  KEYS_OF_FORMAT_3,
  METADATA_KEYS,
  type MetadataKey,
  metadataChecksum,
} from "./format";
import { crc32, formatChecksum } from "../base/crc32";
import { InputError, printablePath } from "../base/errors";
import type { Model } from "../model/model";
import type { Codec, Floats, Numbers, Stored } from "../model/ops";
import { parameterLayout } from "../model/parameters";
import type { NewFile, Storage, DatasetKernels } from "../base/platform";
import type { Runner, Task } from "../base/runner";
import { formatRecord, type TrainingRecord } from "./record";
import { formatVocabulary } from "../data/stored-vocabulary";
import { formatSafetensorsHeader, type TensorToWrite } from "./safetensors";

/** The content of a checkpoint to save. */
export interface CheckpointContent {
  readonly model: Model;
  /** Steps trained. */
  readonly step: number;
  /** What is needed to resume; without it the file has only the weights. */
  readonly training?: TrainingToSave | undefined;
  /** The platform's CRC-32, if it has a faster one than that in TypeScript. */
  readonly crc?: DatasetKernels["crc32"];
  /** The platform's encoder of texts, likewise. */
  readonly encodeUtf8?: DatasetKernels["encodeUtf8"];
}

/** Adam's moments, and the state of the training. */
export interface TrainingToSave {
  readonly adam: Adam;
  readonly record: TrainingRecord;
}

/**
 * Saves a checkpoint, one block for each unit of work, even if the runner is stopped. The file is replaced
 * atomically. The model must not change until the promise is settled.
 * @throws InputError (as a rejection) if the storage fails, or a number is not finite
 */
export async function saveCheckpoint(
  runner: Runner,
  storage: Storage,
  name: string,
  content: CheckpointContent,
): Promise<void> {
  const file = await storage.create(name);
  try {
    await runner.run(new SavingTask(file, name, content));
  } catch (error) {
    file.abort();
    throw error;
  }
  await file.commit();
}

/** Bytes written in a unit of work: small enough that the flash has to erase at most one sector of 4 KB in it. */
export const PIECE_BYTES = 2048;

/** Writes a checkpoint into a new file, which the caller commits or aborts. */
export class SavingTask implements Task {
  readonly mustFinish = true;
  private readonly buffers: Held[];
  private readonly crc: DatasetKernels["crc32"];
  private readonly metadata: Map<MetadataKey | typeof CHECKSUM_KEY, string>;
  private checksum: number;
  private phase: "check" | "header" | "data" = "check";
  /** Integers are converted here. */
  private readonly converted: Float32Array | undefined;
  private blocks: Blocks;
  private header: Uint8Array = new Uint8Array(0);
  private headerAt = 0;

  /** @param name the name of the file in messages */
  constructor(
    private readonly file: NewFile,
    private readonly name: string,
    private readonly content: CheckpointContent,
  ) {
    const { model, step, training, crc = crc32, encodeUtf8 } = content;
    this.crc = crc;
    const { preset, nLayer, nEmbd, nHead, blockSize } = model.config;
    const values: [MetadataKey, unknown][] = [
      ["preset", preset],
      ["n_layer", nLayer],
      ["n_embd", nEmbd],
      ["n_head", nHead],
      ["block_size", blockSize],
      ["step", step],
      ["format_version", FORMAT],
    ];
    this.metadata = new Map(values.map(([key, value]) => [key, String(value)]));
    for (const [key, value] of formatVocabulary(model.vocabulary)) this.metadata.set(key, value);
    if (training) for (const [key, value] of formatRecord(training.record)) this.metadata.set(key, value);
    if (model.ops.codec) this.metadata.set("dtype", model.ops.dtype);
    if (METADATA_KEYS.slice(KEYS_OF_FORMAT_3).some((key) => this.metadata.has(key)))
      this.metadata.set("format_version", String(FORMAT_4));
    this.checksum = metadataChecksum(this.metadata, crc, encodeUtf8);
    const adam = training?.adam;
    this.buffers = [{ numbers: model.parameters, what: "weights", codec: model.ops.codec }];
    if (adam) {
      const { m, v, codec } = adam;
      this.buffers.push({ numbers: m, what: "m", codec }, { numbers: v, what: "v", codec });
    }
    if (this.buffers.some(({ codec }) => codec))
      this.converted = new Float32Array(PIECE_BYTES / Float32Array.BYTES_PER_ELEMENT);
    this.blocks = new Blocks(this.buffers, BLOCK_BYTES, this.converted);
  }

  /** Checks or writes a block. */
  work(): boolean {
    switch (this.phase) {
      case "check":
        if (!this.checkBlock()) this.beginHeader();
        return true;
      case "header":
        if (!this.writeHeader()) this.phase = "data";
        return true;
      case "data":
        return this.writeBlock();
    }
  }

  private checkBlock(): boolean {
    const block = this.blocks.next();
    if (!block) return false;
    const { ops } = this.content.model;
    if (!ops.codec && !ops.areFinite(block)) throw this.diverged();
    this.checksum = this.crc(bytesOf(block), this.checksum);
    return true;
  }

  private beginHeader(): void {
    const { model, training, encodeUtf8 } = this.content;
    this.metadata.set(CHECKSUM_KEY, formatChecksum(this.checksum));
    this.header = formatSafetensorsHeader(this.metadata, tensorsOf(model, training !== undefined), encodeUtf8);
    this.blocks = new Blocks(this.buffers, PIECE_BYTES, this.converted);
    this.phase = "header";
  }

  private writeHeader(): boolean {
    const { header, headerAt } = this;
    if (headerAt >= header.length) return false;
    this.headerAt = headerAt + PIECE_BYTES;
    this.file.write(header.subarray(headerAt, this.headerAt));
    return true;
  }

  private writeBlock(): boolean {
    const block = this.blocks.next();
    if (block) this.file.write(bytesOf(block));
    return block !== undefined;
  }

  private diverged(): InputError {
    return new InputError(
      `${printablePath(this.name)} was not saved: the training has diverged, its numbers are no longer finite; ` +
        "try a lower learning rate.",
    );
  }
}

/** A buffer to save. */
interface Held {
  readonly numbers: Numbers;
  readonly what: Stored;
  /** Undefined if the numbers are floats. */
  readonly codec: Codec | undefined;
}

/** Iterates over buffers, one block of floats at a time. */
class Blocks {
  private buffer = 0;
  private at = 0;

  /**
   * @param bytes the most that a block has
   * @param converted for the floats of integers: no block has more
   */
  constructor(
    private readonly buffers: readonly Held[],
    private readonly bytes: number,
    private readonly converted: Float32Array | undefined,
  ) {}

  /** The next block, which the one after it may overwrite. */
  next(): Floats | undefined {
    while (this.buffer < this.buffers.length) {
      const held = this.buffers[this.buffer];
      const { numbers } = held;
      const { at } = this;
      this.at = at + Math.min(this.bytes, this.converted?.byteLength ?? Infinity) / numbers.BYTES_PER_ELEMENT;
      if (at < numbers.length) return this.read(held, at, Math.min(this.at, numbers.length));
      this.buffer++;
      this.at = 0;
    }
    return undefined;
  }

  private read({ numbers, what, codec }: Held, begin: number, end: number): Floats {
    const { converted } = this;
    if (!(numbers instanceof Int32Array)) return numbers.subarray(begin, end);
    if (!converted || !codec) throw new TypeError("These integers have no codec.");
    const block = converted.subarray(0, end - begin);
    codec.decode(block, numbers, begin, what);
    return block;
  }
}

function tensorsOf({ config, ops, parameters }: Model, hasAdam: boolean): TensorToWrite[] {
  const type = ops.dtype === "f64" ? "F64" : "F32";
  const tensors: TensorToWrite[] = parameterLayout(config).parts.map(({ name, rows, columns }) => ({
    name,
    type,
    shape: [rows, columns],
  }));
  if (hasAdam) for (const name of [ADAM_M, ADAM_V]) tensors.push({ name, type, shape: [parameters.length] });
  return tensors;
}

/** The bytes of numbers, in the order of the file: all supported platforms are little-endian. */
function bytesOf(floats: Floats): Uint8Array {
  return new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
}

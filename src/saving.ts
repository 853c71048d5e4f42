import type { Adam } from "./adam";
import {
  ADAM_M,
  ADAM_V,
  BLOCK_BYTES,
  CHECKSUM_KEY,
  FORMAT,
  formatChecksum,
  METADATA_KEYS,
  metadataChecksum,
} from "./checkpoint";
import { crc32 } from "./crc32";
import { InputError } from "./errors";
import type { Model } from "./model";
import type { Floats } from "./ops";
import { parameterLayout } from "./parameters";
import type { NewFile, Storage } from "./platform";
import type { Runner, Task } from "./runner";
import { formatSafetensorsHeader, type TensorToWrite } from "./safetensors";
import { printablePath } from "./text";

/**
 * Saves a checkpoint, a block at a time between other tasks, also when the runner is told to stop; the file
 * appears whole or not at all. Until it has ended the model must not change.
 * @param step steps done
 * @param adam the training state, if it is to be kept; without it the file has the weights only
 * @throws InputError when storage cannot take it, or a number is not finite
 */
export async function saveCheckpoint(
  runner: Runner,
  storage: Storage,
  name: string,
  model: Model,
  step: number,
  adam?: Adam,
): Promise<void> {
  const file = await storage.create(name);
  try {
    await runner.run(new SavingTask(file, name, model, step, adam));
  } catch (error) {
    file.abort();
    throw error;
  }
  await file.commit();
}

/** Writes a checkpoint into a new file; whoever runs it commits the file, or aborts it. */
export class SavingTask implements Task {
  readonly mustFinish = true;
  private readonly bits: Iterator<undefined>;

  /** @param name what error messages call the file; for the rest see saveCheckpoint */
  constructor(
    private readonly file: NewFile,
    private readonly name: string,
    private readonly model: Model,
    private readonly step: number,
    private readonly adam?: Adam,
  ) {
    this.bits = this.save();
  }

  /** Checks or writes a block. */
  work(): boolean {
    return this.bits.next().done !== true;
  }

  private *save(): Generator<undefined> {
    const { model, adam } = this;
    const { config } = model;
    const buffers: Floats[] = [model.parameters];
    if (adam) buffers.push(adam.m, adam.v);
    const { preset, nLayer, nEmbd, nHead, blockSize } = config;
    const values = [preset, nLayer, nEmbd, nHead, blockSize, this.step, FORMAT, model.vocabulary];
    const metadata = new Map<string, string>(METADATA_KEYS.map((key, i) => [key, String(values[i])]));

    let checksum = metadataChecksum(metadata);
    for (const block of blocksOf(buffers)) {
      if (!block.every(Number.isFinite)) throw this.diverged();
      checksum = crc32(bytesOf(block), block.byteLength, checksum);
      yield;
    }
    metadata.set(CHECKSUM_KEY, formatChecksum(checksum));

    const header = formatSafetensorsHeader(metadata, tensorsOf(model, adam !== undefined));
    for (let at = 0; at < header.length; at += BLOCK_BYTES) {
      this.file.write(header.subarray(at, at + BLOCK_BYTES));
      yield;
    }
    for (const block of blocksOf(buffers)) {
      this.file.write(bytesOf(block));
      yield;
    }
  }

  private diverged(): InputError {
    return new InputError(
      `${printablePath(this.name)} was not saved: the training has diverged, its numbers are no longer finite; ` +
        "try a lower learning rate.",
    );
  }
}

function tensorsOf({ config, ops, parameters }: Model, hasAdam: boolean): TensorToWrite[] {
  const type = ops.dtype === "f32" ? "F32" : "F64";
  const tensors: TensorToWrite[] = parameterLayout(config).parts.map(({ name, rows, columns }) => ({
    name,
    type,
    shape: [rows, columns],
  }));
  if (hasAdam) for (const name of [ADAM_M, ADAM_V]) tensors.push({ name, type, shape: [parameters.length] });
  return tensors;
}

function* blocksOf(buffers: readonly Floats[]): Generator<Floats> {
  for (const buffer of buffers) {
    const size = BLOCK_BYTES / buffer.BYTES_PER_ELEMENT;
    for (let at = 0; at < buffer.length; at += size) yield buffer.subarray(at, at + size);
  }
}

/** The bytes of numbers as a file has them: every platform here is little-endian. */
function bytesOf(floats: Floats): Uint8Array {
  return new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
}

import type { Adam } from "../model/adam";
import { ADAM_M, ADAM_V } from "./format";
import { Checkpoint } from "./reader";
import type { ModelConfig } from "../config";
import { crc32 } from "../data/crc32";
import { Model } from "../model/model";
import type { Floats, Ops } from "../model/ops";
import { parameterLayout } from "../model/parameters";
import type { Storage } from "../platform";
import type { Runner, Task } from "../program/runner";
import type { TensorBlock, TensorBlocks } from "./tensor-blocks";
import type { Vocabulary } from "../data/vocabulary";

export interface LoadedModel {
  readonly model: Model;
  /** Steps trained. */
  readonly step: number;
  /** See Checkpoint.passedOver. */
  readonly passedOver: readonly string[];
}

/**
 * The model that a checkpoint holds, read a block at a time between other tasks.
 * @param wanted see Checkpoint.modelConfig
 * @param data the vocabulary of the dataset: see Checkpoint.vocabulary
 * @param check called with the configuration before anything is allocated for it
 * @returns undefined when the runner was told to stop
 * @throws InputError when the file cannot be used
 */
export async function loadModel(
  runner: Runner,
  storage: Storage,
  name: string,
  wanted: Partial<ModelConfig>,
  ops: Ops,
  data: Vocabulary,
  check?: (config: ModelConfig) => void,
): Promise<LoadedModel | undefined> {
  // What follows begins at the bottom of the stack, which on XS is small.
  await Promise.resolve();
  const checkpoint = await Checkpoint.open(storage, name);
  try {
    const config = checkpoint.modelConfig(wanted);
    check?.(config);
    const model = new Model(config, ops, checkpoint.vocabulary(data));
    const ending = await runner.run(new LoadingTask(checkpoint, model));
    const { step, passedOver } = checkpoint;
    return ending === "done" ? { model, step, passedOver } : undefined;
  } finally {
    checkpoint.close();
  }
}

/**
 * Fills a model's parameters, and Adam's state where it is wanted. Everything is checked before the first
 * number is changed: the constructor or work() throws an InputError when the tensors are not those of this
 * model, are not finite, or were altered. The checkpoint must stay open until then.
 */
export class LoadingTask implements Task {
  private readonly places: ReadonlyMap<string, Place>;
  private checksum: number;
  /** Whether something of the file has taken the place of what was there. */
  hasBegun = false;
  private blocks: TensorBlocks;

  constructor(
    private readonly checkpoint: Checkpoint,
    private readonly model: Model,
    adam?: Adam,
    private readonly crc = crc32,
  ) {
    const names = checkpoint.tensorsFor(model, adam !== undefined);
    const places = new Map<string, Place>(
      parameterLayout(model.config).parts.map(({ name, offset }) => [name, { into: model.parameters, offset }]),
    );
    if (adam) {
      places.set(ADAM_M, { into: adam.m, offset: 0 });
      places.set(ADAM_V, { into: adam.v, offset: 0 });
    }
    this.places = places;
    this.checksum = checkpoint.metadataChecksum;
    this.blocks = checkpoint.blocks(names);
  }

  /** Checks or reads a block. */
  work(): boolean {
    const block = this.blocks.next();
    if (!this.hasBegun) {
      if (block) this.verify(block);
      else this.beginReading();
      return true;
    }
    const place = block && this.places.get(block.name);
    if (block && place) place.into.set(block.values, place.offset + block.at);
    return block !== undefined;
  }

  /** Everything is read once, to see that it is finite in the model's precision and that the checksum is right. */
  private verify({ name, bytes, values }: TensorBlock): void {
    const { dtype } = this.model.ops;
    this.checksum = this.crc(bytes, this.checksum);
    for (let i = 0; i < values.length; i++) {
      if (!Number.isFinite(dtype === "f32" ? Math.fround(values[i]) : values[i]))
        throw this.checkpoint.bad(`${name} holds ${values[i]}, which is no number to compute with in ${dtype}`);
    }
  }

  private beginReading(): void {
    this.checkpoint.checkSum(this.checksum);
    this.blocks = this.checkpoint.blocks([...this.places.keys()]);
    this.hasBegun = true;
  }
}

/** Where the numbers of a tensor go. */
interface Place {
  readonly into: Floats;
  readonly offset: number;
}

import type { Adam } from "../training/adam";
import { ADAM_M, ADAM_V } from "./format";
import { Checkpoint } from "./reader";
import type { ModelConfig } from "../model/config";
import { crc32 } from "../base/crc32";
import { Model } from "../model/model";
import type { Codec, Dtype, Numbers, Ops } from "../model/ops";
import { parameterLayout, storeNumbers } from "../model/parameters";
import type { Storage } from "../base/platform";
import type { TrainingRecord } from "./record";
import type { Runner, Task } from "../base/runner";
import type { TensorBlock, TensorBlocks } from "./tensor-blocks";
import type { Vocabulary } from "../data/vocabulary";

/** A model that was loaded from a checkpoint. */
export interface LoadedModel {
  readonly model: Model;
  /** The dtype of the file, which may differ from that of the ops. */
  readonly dtype: Dtype;
  /** Steps trained. */
  readonly step: number;
  /** See Checkpoint.passedOver. */
  readonly passedOver: readonly string[];
  /** The state of its training; undefined if the file does not have it. */
  readonly record: TrainingRecord | undefined;
}

/** How to load the model of a checkpoint. */
export interface ModelToLoad {
  /** See Checkpoint.modelConfig. */
  readonly wanted: Partial<ModelConfig>;
  readonly ops: Ops;
  /** The vocabulary of the dataset: see Checkpoint.vocabulary. */
  readonly data: Vocabulary;
  /** Called with the configuration before the model is allocated. */
  readonly check?: (config: ModelConfig) => void;
}

/**
 * Loads the model of a checkpoint, one block for each unit of work.
 * @returns undefined if the runner was stopped
 * @throws InputError (as a rejection) if the file cannot be used
 */
export async function loadModel(
  runner: Runner,
  storage: Storage,
  name: string,
  { wanted, ops, data, check }: ModelToLoad,
): Promise<LoadedModel | undefined> {
  // After this, the stack, which is small on XS, is empty.
  await Promise.resolve();
  const checkpoint = await Checkpoint.open(storage, name);
  try {
    const config = checkpoint.modelConfig(wanted);
    const record = checkpoint.record();
    check?.(config);
    const model = new Model(config, ops, checkpoint.vocabulary(data));
    const ending = await runner.run(new LoadingTask(checkpoint, model));
    const { dtype, step, passedOver } = checkpoint;
    return ending === "done" ? { model, dtype, step, passedOver, record } : undefined;
  } finally {
    checkpoint.close();
  }
}

/**
 * Checks that all tensors of a checkpoint are finite and that its checksum is right, without a model. The checkpoint
 * must stay open until the end.
 */
export class CheckingTask implements Task {
  private readonly blocks: TensorBlocks;
  private checksum: number;

  /**
   * @param ops check the numbers, which must be finite in their precision
   * @param names names of the tensors, in the order of the checksum; all by default
   * @throws InputError if the tensors are not those of a model
   */
  constructor(
    private readonly checkpoint: Checkpoint,
    private readonly ops: Ops,
    private readonly crc = crc32,
    names = checkpoint.tensorsFor(checkpoint.modelConfig({}), false),
  ) {
    this.checksum = checkpoint.metadataChecksum(crc);
    this.blocks = checkpoint.blocks(names);
  }

  /**
   * Checks a block.
   * @throws InputError if a number is not finite, or the file was altered
   */
  work(): boolean {
    const block = this.blocks.next();
    if (block) this.checkBlock(block);
    else this.checkpoint.checkSum(this.checksum);
    return block !== undefined;
  }

  private checkBlock({ name, bytes, values }: TensorBlock): void {
    const { ops, checkpoint } = this;
    const { dtype } = ops;
    this.checksum = this.crc(bytes, this.checksum);
    const isOfOps = values instanceof (dtype === "f64" ? Float64Array : Float32Array);
    if (isOfOps && ops.areFinite(values)) return;
    for (let i = 0; i < values.length; i++) {
      if (!Number.isFinite(dtype === "f64" ? values[i] : Math.fround(values[i])))
        throw checkpoint.bad(`${name} holds ${values[i]}, which is not finite in ${dtype}`);
    }
  }
}

/**
 * Loads a model's parameters and, if given, Adam's state. Everything is checked before the first number is
 * changed: the constructor or work() throws an InputError if the tensors are not those of this model, are not
 * finite, or were altered. The checkpoint must stay open until the end.
 */
export class LoadingTask implements Task {
  private readonly places: ReadonlyMap<string, Place>;
  /** Whether numbers of the file have begun to overwrite those of the model. */
  hasBegun = false;
  private readonly checking: CheckingTask;
  private readonly blocks: TensorBlocks;

  constructor(checkpoint: Checkpoint, model: Model, adam?: Adam, crc = crc32) {
    const names = checkpoint.tensorsFor(model.config, adam !== undefined);
    const places = new Map<string, Place>(
      parameterLayout(model.config).parts.map(({ name, offset }) => [
        name,
        { into: model.parameters, offset, codec: model.ops.codec },
      ]),
    );
    if (adam) {
      const { m, v, codec } = adam;
      places.set(ADAM_M, { into: m, offset: 0, codec });
      places.set(ADAM_V, { into: v, offset: 0, codec });
    }
    this.places = places;
    this.checking = new CheckingTask(checkpoint, model.ops, crc, names);
    this.blocks = checkpoint.blocks([...places.keys()]);
  }

  /** Checks or reads a block. */
  work(): boolean {
    if (!this.hasBegun) {
      this.hasBegun = !this.checking.work();
      return true;
    }
    const block = this.blocks.next();
    const place = block && this.places.get(block.name);
    if (block && place) {
      const what = block.name === ADAM_M ? "m" : block.name === ADAM_V ? "v" : "weights";
      storeNumbers(place, place.into, place.offset + block.at, block.values, what);
    }
    return block !== undefined;
  }
}

/** Where the numbers of a tensor are written. */
interface Place {
  readonly into: Numbers;
  readonly offset: number;
  readonly codec: Codec | undefined;
}

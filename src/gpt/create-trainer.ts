import { InputError, printable } from "./base/errors";
import type { MemoryBudget } from "./base/platform";
import { SETTINGS } from "./base/settings";
import type { DocumentSource } from "./data/document-source";
import { DEFAULT_MODEL, type ModelConfig, type PresetName, type TrainingConfig, trainingConfig } from "./model/config";
import { Model } from "./model/model";
import type { Dtype, Ops } from "./model/ops";
import { drawParameters } from "./model/parameters";
import { Random } from "./model/random";
import { floatOps } from "./model/typescript-ops";
import { checkMemory } from "./plan";
import { Trainer } from "./training/trainer";

/** What a training is made of; all but the dataset has a default. */
export interface TrainerOptions<Source extends DocumentSource = DocumentSource> {
  readonly dataset: Source;
  /** The recipe: esp32gpt by default. */
  readonly preset?: PresetName;
  /** The shape, where it is not the default; the vocabulary is the dataset's. */
  readonly model?: Partial<Omit<ModelConfig, "preset" | "vocabularySize">>;
  /** How it is trained, where not as the preset says. */
  readonly training?: Partial<TrainingConfig>;
  /** Of all random numbers: the same seed gives the same training. 42 by default. */
  readonly seed?: number;
  /** The arithmetic; that of `ops`, or f32, by default. i32 needs `ops`. */
  readonly dtype?: Dtype;
  /** The numeric kernels, instead of those in TypeScript for f32 or f64: i32Ops, or opsFor() of the place. */
  readonly ops?: Ops;
  /** What XS can have, in bytes: its initial sizes and the free memory; the largest free block. Without it, no limit. */
  readonly memory?: MemoryBudget;
}

/**
 * A training of a new model, ready for its first step. Allocates all that the training ever needs: planMemory() lists
 * it. The memory is checked before the first buffer is allocated.
 * @throws InputError for an invalid value, i32 without `ops`, a dataset without a document that fits, or a model that does
 * not fit into `memory`, with the largest n_embd that does; RangeError if `ops` compute in another dtype than `dtype`
 */
export function createTrainer<Source extends DocumentSource>(options: TrainerOptions<Source>): Trainer<Source> {
  const { dataset, dtype, ops = floatOps(dtype), memory } = options;
  checkNames("createTrainer()", options, "dataset preset model training seed dtype ops memory");
  checkNames("model", options.model, "nLayer nEmbd nHead blockSize mlpWidth relativeBias");
  checkNames("training", options.training, "steps batchSize learningRate schedule sampling holdout moments");
  const { preset = DEFAULT_MODEL.preset, seed = SETTINGS.seed.default } = options;
  if (dtype !== undefined && ops.dtype !== dtype)
    throw new RangeError(`The ops compute in ${ops.dtype}, not ${dtype}.`);
  const { vocabulary } = dataset;
  const config = { ...DEFAULT_MODEL, ...options.model, preset, vocabularySize: vocabulary.size };
  const { training } = options;
  if (memory) checkMemory(config, memory, { indexBytes: dataset.indexBytes, ops, training });
  const random = new Random(seed);
  const model = new Model(config, ops, vocabulary);
  drawParameters(model.parameters, random, config, ops);
  return new Trainer(model, dataset, random, trainingConfig(preset, options.training ?? {}, undefined, ops.functions));
}

/** A misspelt option would have no effect. @throws InputError for a name that is not among `names` */
function checkNames(place: string, options: object | undefined, names: string): void {
  for (const name of Object.keys(options ?? {}))
    if (!names.split(" ").includes(name))
      throw new InputError(`${place} has no option ${printable(name)}: it has ${names.replaceAll(" ", ", ")}.`);
}

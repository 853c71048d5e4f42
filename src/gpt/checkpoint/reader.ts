import { formatChecksum } from "../base/crc32";
import {
  ADAM_M,
  ADAM_V,
  CHECKSUM_KEY,
  CONFIG_NAMES,
  FORMAT_4,
  isOwnTensor,
  METADATA_KEYS,
  metadataChecksum,
} from "./format";
import {
  checkModelConfig,
  DEFAULT_MODEL,
  hasRelativeBias,
  mlpWidthOf,
  type ModelConfig,
  PRESETS,
  type PresetName,
} from "../model/config";
import { InputError, printable, printablePath } from "../base/errors";
import type { Model } from "../model/model";
import type { Dtype } from "../model/ops";
import { parameterLayout } from "../model/parameters";
import type { DatasetKernels, Storage, StoredFile } from "../base/platform";
import { readRecord, type TrainingRecord } from "./record";
import { readVocabulary } from "../data/stored-vocabulary";
import { type CheckpointLimits, DESKTOP_LIMITS, CheckpointHeader, shapeInWords } from "./checkpoint-header";
import { TensorBlocks } from "./tensor-blocks";
import { DEFAULT_SHARE } from "../data/own-words";
import { SETTINGS } from "../base/settings";
import { isInRange, rangeInWords } from "../base/ranges";
import { areEqual, isLowercaseAscii, lowercaseVocabulary, type Vocabulary } from "../data/vocabulary";

/** A checkpoint open for reading: its header is valid, its tensors have not been read. */
export class Checkpoint {
  /** The dtype to compute with: that of the metadata, or the precision of its tensors; f32 for F16 and BF16. */
  readonly dtype: Dtype;
  /** Steps trained. */
  readonly step: number;
  /** Names of some tensors that do not belong to a model and are not read: see CheckpointHeader.passedOver. */
  readonly passedOver: readonly string[];
  private readonly header: CheckpointHeader;

  private constructor(
    private readonly file: StoredFile,
    /** Its name in messages. */
    private readonly source: string,
    limits: CheckpointLimits,
  ) {
    this.header = new CheckpointHeader(file, source, limits);
    this.passedOver = this.header.passedOver;
    this.dtype = this.readDtype();
    this.step = this.header.number("step") ?? 0;
  }

  /** @throws InputError if the file does not exist, is not a checkpoint, or exceeds the limits */
  static async open(
    storage: Storage,
    name: string,
    limits = DESKTOP_LIMITS,
    shown = printablePath(name),
  ): Promise<Checkpoint> {
    const checkpoint = await Checkpoint.find(storage, name, limits, shown);
    if (!checkpoint) throw new InputError(`There is no file ${printablePath(name)}.`);
    return checkpoint;
  }

  /**
   * Opens a checkpoint; undefined if the file does not exist.
   * @param shown its name in messages
   * @throws InputError if it is not a checkpoint, or exceeds the limits
   */
  static async find(
    storage: Storage,
    name: string,
    limits = DESKTOP_LIMITS,
    shown = printablePath(name),
  ): Promise<Checkpoint | undefined> {
    const file = await storage.open(name);
    if (!file) return undefined;
    try {
      return new Checkpoint(file, shown, limits);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  private readDtype(): Dtype {
    const { type } = this.header.tensor("wte");
    const said = this.header.metadata.get("dtype");
    if (said === undefined) return type === "F64" ? "f64" : "f32";
    if (said === "i32" && type !== "F64") return said;
    throw this.bad(`its dtype is "${printable(said)}", with tensors of ${type}`);
  }

  close(): void {
    this.file.close();
  }

  /**
   * The configuration of the model: from the metadata; for a file with nothing but weights, from their shapes,
   * `wanted` and the defaults.
   * @param wanted values that the configuration must have
   * @throws InputError if the checkpoint holds another model
   */
  modelConfig(wanted: Partial<ModelConfig>): ModelConfig {
    const preset = this.header.metadata.get("preset");
    if (preset !== undefined && !Object.hasOwn(PRESETS, preset)) throw this.bad(`its preset is "${printable(preset)}"`);
    const format = this.header.number("format_version") ?? 1;
    if (format > FORMAT_4)
      throw this.bad(`it has the format_version ${format}, and this program knows up to ${FORMAT_4}`);
    const [vocabularySize, nEmbd] = this.header.matrixShape("wte");
    const blockSize = this.header.matrixShape("wpe")[0];
    this.header.matrixShape("layers.0.wq");
    let nLayer = 1;
    while (this.header.tensors.has(`layers.${nLayer}.wq`)) nLayer++;
    const nHead = this.header.number("n_head");
    for (const [key, size] of [
      ["n_layer", nLayer],
      ["n_embd", nEmbd],
      ["block_size", blockSize],
    ] as const) {
      const said = this.header.number(key) ?? size;
      if (said !== size) throw this.bad(`its metadata says ${key} ${said}, but its tensors have ${size}`);
    }
    const found: { -readonly [Key in keyof ModelConfig]?: ModelConfig[Key] } = {
      ...(preset === undefined ? {} : { preset: preset as PresetName }),
      ...(nHead === undefined ? {} : { nHead }),
      nLayer,
      nEmbd,
      blockSize,
      vocabularySize,
    };
    const usual = { ...DEFAULT_MODEL, ...found };
    const mlpWidth = this.header.matrixShape("layers.0.w1")[1];
    if (wanted.mlpWidth !== undefined || mlpWidth !== mlpWidthOf(usual)) found.mlpWidth = mlpWidth;
    const relativeBias = this.header.tensors.has("layers.0.bias");
    if (wanted.relativeBias !== undefined || relativeBias !== hasRelativeBias(usual)) found.relativeBias = relativeBias;
    const config = { ...DEFAULT_MODEL, ...wanted, ...found };
    for (const key of Object.keys(config) as (keyof ModelConfig)[]) {
      if (wanted[key] !== undefined && wanted[key] !== config[key])
        throw new InputError(
          `${this.source} holds a model with ${CONFIG_NAMES[key]} ${config[key]}, not ${wanted[key]}.`,
        );
    }
    try {
      checkModelConfig(config);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new InputError(`${this.source} cannot be used: ${error.message}`);
    }
    return config;
  }

  /**
   * The vocabulary: from the metadata; a to z for a file of format 1; for a file with nothing but weights, that of
   * the dataset, or a to z if wte has 27 rows and the dataset is within a to z.
   * @param data the vocabulary of the dataset
   * @throws InputError if wte has another number of rows
   */
  vocabulary(data: Vocabulary): Vocabulary {
    const [rows] = this.header.matrixShape("wte");
    const known = this.storedVocabulary();
    const isBare = !this.header.metadata.has("preset");
    const latin = lowercaseVocabulary();
    let found: Vocabulary;
    if (known) found = known;
    else found = isBare && !(rows === latin.size && isLowercaseAscii(data)) ? data : latin;
    if (found.size !== rows)
      throw this.bad(
        `wte has ${rows} rows, but ${isBare && !known ? "the names have" : "its vocabulary has"} ` +
          `${found.size - 1} characters, and BOS is one more`,
      );
    return found;
  }

  private storedVocabulary(): Vocabulary | undefined {
    try {
      return readVocabulary(this.header.metadata);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new InputError(`${this.source} cannot be used: ${error.message}`);
    }
  }

  /** @throws InputError unless it holds a model of this shape and vocabulary */
  checkModel({ config, vocabulary }: Pick<Model, "config" | "vocabulary">): void {
    this.modelConfig(config);
    if (!areEqual(this.vocabulary(vocabulary), vocabulary)) throw this.bad("its model has another vocabulary");
  }

  /**
   * The state of the training that saved the checkpoint; undefined if the file does not have it.
   * @throws InputError if the metadata is not valid
   */
  record(): TrainingRecord | undefined {
    try {
      return readRecord(this.header.metadata);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw this.bad(error.message.endsWith(".") ? error.message.slice(0, -1) : error.message);
    }
  }

  /**
   * The words of the user and their share, even if the rest of the metadata is not valid.
   * @throws InputError if the share is not valid
   */
  ownWords(): { readonly text: string; readonly share: number } {
    const share = Number(this.header.metadata.get("own_share") ?? DEFAULT_SHARE);
    if (!isInRange(share, SETTINGS.own_share))
      throw this.bad(`its own_share is not a ${rangeInWords(SETTINGS.own_share)}`);
    return { text: this.header.metadata.get("own_words") ?? "", share };
  }

  /**
   * The names of the tensors of a model, and of Adam's state if the file has it, in the order of the checksum.
   * @param wantsAdam whether the file must have Adam's state
   * @throws InputError if the tensors are not those of this model
   */
  tensorsFor(config: ModelConfig, wantsAdam: boolean): string[] {
    const { parts, length } = parameterLayout(config);
    const names = new Set(parts.map((part) => part.name));
    for (const { name, rows, columns } of parts) {
      const [r, c] = this.header.matrixShape(name);
      if (r !== rows || c !== columns) throw this.bad(`${name} is ${r}×${c}; this model needs ${rows}×${columns}`);
    }
    for (const name of [ADAM_M, ADAM_V]) {
      if (!wantsAdam && !this.header.tensors.has(name)) continue;
      names.add(name);
      const { shape } = this.header.tensor(name);
      if (shape.length !== 1 || shape[0] !== length)
        throw this.bad(`${name} has the shape ${shapeInWords(shape)}, not [${length}]`);
    }
    for (const name of this.header.tensors.keys()) {
      if (isOwnTensor(name) && !names.has(name))
        throw this.bad(`this model, with n_layer ${config.nLayer}, has no tensor ${printable(name)}`);
    }
    return [...names];
  }

  /** The checksum of the metadata; that of the tensors continues from it. */
  metadataChecksum(crc: DatasetKernels["crc32"]): number {
    return metadataChecksum(this.header.metadata, crc);
  }

  /** @throws InputError if the file has another checksum */
  checkSum(checksum: number): void {
    const written = this.header.metadata.get(CHECKSUM_KEY);
    if (written === undefined && METADATA_KEYS.some((key) => this.header.metadata.has(key)))
      throw this.bad(`its metadata has a configuration but no ${CHECKSUM_KEY}`);
    if (written === undefined || written === formatChecksum(checksum)) return;
    const { type } = this.header.tensor("wte");
    // No program here writes these types.
    if (type === "F16" || type === "BF16") throw this.converted(type);
    throw this.bad(
      `its checksum is ${formatChecksum(checksum)}, but it says ${printable(written)}: it has been altered`,
    );
  }

  /** The error for a file that was converted but kept the metadata, with its checksum; and the workaround. */
  private converted(type: string): InputError {
    const options = (["preset", "n_head"] as const).map((key) => {
      const value = this.header.metadata.get(key);
      return value === undefined ? "" : ` --${key.replace("_", "-")} ${printable(value)}`;
    });
    return this.bad(
      `its numbers were converted to ${type}, but its metadata has the checksum of the original: write it again ` +
        `without metadata, and load its weights with train --init FILE${options.join("")}`,
    );
  }

  /** Reads tensors, one block at a time. */
  blocks(names: readonly string[]): TensorBlocks {
    const tensors = names.map((name) => ({ name, ...this.header.tensor(name) }));
    return new TensorBlocks(this.file, tensors, (name) => this.bad(`it ends within ${name}`));
  }

  /** The error for a checkpoint that cannot be used. @param what why; it ends a sentence */
  bad(what: string): InputError {
    return this.header.bad(what);
  }
}

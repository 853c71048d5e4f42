import { formatChecksum } from "../data/crc32";
import {
  ADAM_M,
  ADAM_V,
  CHECKSUM_KEY,
  CONFIG_NAMES,
  FORMAT,
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
} from "../config";
import { InputError, printable, printablePath } from "../errors";
import type { Model } from "../model/model";
import type { Dtype } from "../model/ops";
import { parameterLayout } from "../model/parameters";
import type { Storage, StoredFile } from "../platform";
import { readRecord, type TrainingRecord } from "./record";
import { isReadable, readSafetensorsHeader, type ReadableType, type TensorInfo } from "./safetensors";
import { TensorBlocks } from "./tensor-blocks";
import { latinVocabulary, Vocabulary } from "../data/vocabulary";

/** Names of tensors that a remark or an error lists. */
const MOST_NAMES = 4;
const LONGEST_NAME = 40;

/** A checkpoint open for reading: sound as a file, its tensors not yet read. */
export class Checkpoint {
  /** The precision to compute with: that of the numbers in it, f32 for F16 and BF16. */
  readonly dtype: Dtype;
  /** Steps trained. */
  readonly step: number;
  /** Some names of tensors that are no part of a model and are not read, for a remark; the last may say how many more. */
  readonly passedOver: readonly string[];
  private readonly source: string;
  private readonly metadata: ReadonlyMap<string, string>;
  private readonly tensors: ReadonlyMap<string, TensorInfo>;

  private constructor(
    private readonly file: StoredFile,
    name: string,
  ) {
    this.source = printablePath(name);
    const { metadata, tensors } = readSafetensorsHeader(file, this.source);
    this.metadata = metadata;
    this.tensors = tensors;
    this.passedOver = listed([...tensors.keys()].filter((name) => !isOwnTensor(name)));
    this.dtype = this.tensor("wte").type === "F64" ? "f64" : "f32";
    this.step = this.metadataNumber("step") ?? 0;
  }

  /** @throws InputError when there is no such file, or it is no checkpoint */
  static async open(storage: Storage, name: string): Promise<Checkpoint> {
    const checkpoint = await Checkpoint.find(storage, name);
    if (!checkpoint) throw new InputError(`There is no file ${printablePath(name)}.`);
    return checkpoint;
  }

  /**
   * Undefined when there is no such file.
   * @throws InputError when it is no checkpoint
   */
  static async find(storage: Storage, name: string): Promise<Checkpoint | undefined> {
    const file = await storage.open(name);
    if (!file) return undefined;
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
    if (preset !== undefined && !Object.hasOwn(PRESETS, preset)) throw this.bad(`its preset is "${printable(preset)}"`);
    const format = this.metadataNumber("format_version") ?? 1;
    if (format > FORMAT) throw this.bad(`it has the format_version ${format}, and this program knows up to ${FORMAT}`);
    const [vocabularySize, nEmbd] = this.matrixShape("wte");
    const blockSize = this.matrixShape("wpe")[0];
    this.matrixShape("layers.0.wq");
    let nLayer = 1;
    while (this.tensors.has(`layers.${nLayer}.wq`)) nLayer++;
    const nHead = this.metadataNumber("n_head");
    for (const [key, size] of [
      ["n_layer", nLayer],
      ["n_embd", nEmbd],
      ["block_size", blockSize],
    ] as const) {
      const said = this.metadataNumber(key) ?? size;
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
    const mlpWidth = this.matrixShape("layers.0.w1")[1];
    if (wanted.mlpWidth !== undefined || mlpWidth !== mlpWidthOf(usual)) found.mlpWidth = mlpWidth;
    const relativeBias = this.tensors.has("layers.0.bias");
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
   * What the tokens mean: from the metadata; a file of format 1 has a to z; of a file with nothing but
   * weights, the vocabulary of the dataset, or a to z where 27 rows meet data within that.
   * @param data the vocabulary of the dataset
   * @throws InputError when the rows of wte are not so many
   */
  vocabulary(data: Vocabulary): Vocabulary {
    const [rows] = this.matrixShape("wte");
    const text = this.metadata.get("vocabulary");
    const isBare = !this.metadata.has("preset");
    const latin = latinVocabulary();
    let found: Vocabulary;
    if (text !== undefined) found = this.vocabularyOf(text);
    else found = isBare && !(rows === latin.size && data.isLatin) ? data : latin;
    if (found.size !== rows)
      throw this.bad(
        `wte has ${rows} rows, but ${isBare && text === undefined ? "the names have" : "its vocabulary has"} ` +
          `${found.size - 1} characters, and BOS is one more`,
      );
    return found;
  }

  private vocabularyOf(text: string): Vocabulary {
    try {
      return Vocabulary.of(text);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new InputError(`${this.source} cannot be used: ${error.message}`);
    }
  }

  /**
   * Where the training is that the checkpoint was saved in; undefined where it does not say so.
   * @throws InputError when what it says makes no sense
   */
  record(): TrainingRecord | undefined {
    try {
      return readRecord(this.metadata);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw this.bad(error.message.replace(/\.$/, ""));
    }
  }

  /**
   * The names of the tensors that a model is made of, and of Adam's state, in the order of the checksum.
   * @param wantsAdam whether Adam's state must be there
   * @throws InputError when the tensors are not those of this model
   */
  tensorsFor(model: Model, wantsAdam: boolean): string[] {
    const { parts } = parameterLayout(model.config);
    const names = new Set(parts.map((part) => part.name));
    for (const { name, rows, columns } of parts) {
      const [r, c] = this.matrixShape(name);
      if (r !== rows || c !== columns) throw this.bad(`${name} is ${r}×${c}; this model needs ${rows}×${columns}`);
    }
    for (const name of [ADAM_M, ADAM_V]) {
      if (!wantsAdam && !this.tensors.has(name)) continue;
      names.add(name);
      const { shape } = this.tensor(name);
      if (shape.length !== 1 || shape[0] !== model.parameters.length)
        throw this.bad(`${name} has the shape ${shown(shape)}, not [${model.parameters.length}]`);
    }
    for (const name of this.tensors.keys()) {
      if (isOwnTensor(name) && !names.has(name))
        throw this.bad(`this model, with n_layer ${model.config.nLayer}, has no tensor ${printable(name)}`);
    }
    return [...names];
  }

  /** Of the metadata; that of the tensors goes on from it. */
  get metadataChecksum(): number {
    return metadataChecksum(this.metadata);
  }

  /** @throws InputError when the file says another checksum */
  checkSum(checksum: number): void {
    const written = this.metadata.get(CHECKSUM_KEY);
    if (written === undefined && METADATA_KEYS.some((key) => this.metadata.has(key)))
      throw this.bad(`its metadata has a configuration but no ${CHECKSUM_KEY}`);
    if (written !== undefined && written !== formatChecksum(checksum))
      throw this.bad(
        `its checksum is ${formatChecksum(checksum)} where it says ${printable(written)}, so it has been altered`,
      );
  }

  /** Reads tensors, a block at a time. */
  blocks(names: readonly string[]): TensorBlocks {
    const tensors = names.map((name) => ({ name, ...this.tensor(name) }));
    return new TensorBlocks(this.file, tensors, (name) => this.bad(`it ends within ${name}`));
  }

  /** @throws InputError when the file does not have it, or not in numbers that can be read */
  private tensor(name: string): TensorInfo & { readonly type: ReadableType } {
    const info = this.tensors.get(name);
    if (!info) {
      const others = this.passedOver.length > 0 ? `, but ${this.passedOver.join(", ")}` : "";
      throw this.bad(`it has no tensor ${name}${others}`);
    }
    const { type } = info;
    if (!isReadable(type))
      throw this.bad(`${name} has the type ${printable(type)}, which is not read here: F64, F32, F16 and BF16 are`);
    return { ...info, type };
  }

  private matrixShape(name: string): readonly number[] {
    const { shape } = this.tensor(name);
    if (shape.length !== 2) throw this.bad(`${name} has the shape ${shown(shape)}, not that of a matrix`);
    return shape;
  }

  private metadataNumber(key: (typeof METADATA_KEYS)[number]): number | undefined {
    const text = this.metadata.get(key);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw this.bad(`its ${key} is "${printable(text)}"`);
    return value;
  }

  bad(what: string): InputError {
    return new InputError(`${this.source} cannot be used: ${what}.`);
  }
}

/** Names as a message may show them, not too many of them. */
function listed(names: readonly string[]): string[] {
  const list = names.slice(0, MOST_NAMES).map((name) => printable(name, LONGEST_NAME));
  if (names.length > MOST_NAMES) list.push(`${names.length - MOST_NAMES} more`);
  return list;
}

function shown(shape: readonly number[]): string {
  return printable(`[${shape.join(", ")}]`);
}

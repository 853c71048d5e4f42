import { isOwnMetadata, isOwnTensor, type METADATA_KEYS } from "./format";
import { InputError, printable } from "../base/errors";
import type { StoredFile } from "../base/platform";
import { isDigits } from "../base/text";
import {
  type HeaderLimits,
  isReadable,
  MAX_HEADER_BYTES,
  type ReadableType,
  readSafetensorsHeader,
  type TensorInfo,
} from "./safetensors";

/** Limits for the header of a checkpoint; entries that do not belong to a checkpoint are not kept. */
export type CheckpointLimits = Pick<HeaderLimits, "bytes" | "tensors">;

/** The limits of platforms with enough memory. */
export const DESKTOP_LIMITS: CheckpointLimits = Object.freeze({ bytes: MAX_HEADER_BYTES, tensors: Infinity });

/** Maximum total bytes of the metadata's values: most are those of own_words and vocabulary. */
const MAX_VALUE_BYTES = 6144;
/** Maximum characters of a tensor's name in a message. */
const MAX_NAME_LENGTH = 40;

/** The metadata and the tensors in a file's header that belong to a checkpoint. */
export class CheckpointHeader {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Names of some of the other tensors, for a remark; the last may say how many more there are. */
  readonly passedOver: readonly string[];

  /**
   * @param source the name of the file in messages
   * @throws InputError as readSafetensorsHeader does
   */
  constructor(
    file: StoredFile,
    readonly source: string,
    limits: CheckpointLimits,
  ) {
    const { metadata, tensors, others, otherCount } = readSafetensorsHeader(file, source, {
      ...limits,
      valueBytes: MAX_VALUE_BYTES,
      keepsMetadata: isOwnMetadata,
      keepsTensor: isOwnTensor,
    });
    this.metadata = metadata;
    this.tensors = tensors;
    const passedOver = others.map((name) => printable(name, MAX_NAME_LENGTH));
    if (otherCount > others.length) passedOver.push(`${otherCount - others.length} more`);
    this.passedOver = passedOver;
  }

  /** @throws InputError if the file has no such tensor, or its type is not supported */
  tensor(name: string): TensorInfo & { readonly type: ReadableType } {
    const info = this.tensors.get(name);
    if (!info) {
      const others = this.passedOver.length > 0 ? `, but ${this.passedOver.join(", ")}` : "";
      throw this.bad(`it has no tensor ${name}${others}`);
    }
    const { type } = info;
    if (!isReadable(type))
      throw this.bad(`${name} has the type ${printable(type)}, which is not supported: F64, F32, F16 and BF16 are`);
    return { ...info, type };
  }

  /** Rows and columns of a tensor. @throws InputError likewise, or if it is not a matrix */
  matrixShape(name: string): readonly number[] {
    const { shape } = this.tensor(name);
    if (shape.length !== 2) throw this.bad(`${name} has the shape ${shapeInWords(shape)}, not that of a matrix`);
    return shape;
  }

  /** A number in the metadata; undefined if absent. @throws InputError if it is not a whole number */
  number(key: (typeof METADATA_KEYS)[number]): number | undefined {
    const text = this.metadata.get(key);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!isDigits(text) || !Number.isSafeInteger(value)) throw this.bad(`its ${key} is "${printable(text)}"`);
    return value;
  }

  /** The error for a file that cannot be used. @param what why; it ends a sentence */
  bad(what: string): InputError {
    return new InputError(`${this.source} cannot be used: ${what}.`);
  }
}

export function shapeInWords(shape: readonly number[]): string {
  return printable(`[${shape.join(", ")}]`);
}

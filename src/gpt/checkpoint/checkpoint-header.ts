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

/** How large the header of a checkpoint may be; what is not a checkpoint's own in it is not kept. */
export type CheckpointLimits = Pick<HeaderLimits, "bytes" | "tensors">;

/** Where memory is no concern. */
export const DESKTOP_LIMITS: CheckpointLimits = Object.freeze({ bytes: MAX_HEADER_BYTES, tensors: Infinity });

/** Bytes of the metadata that are read, together: own words and vocabulary have most of them. */
const MAX_VALUE_BYTES = 6144;
/** Characters of a tensor's name that a remark or an error shows. */
const MAX_NAME_LENGTH = 40;

/** What of a file's header is a checkpoint's: metadata, and where each tensor lies. */
export class CheckpointHeader {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Some names of other tensors, for a remark; the last may say how many more. */
  readonly passedOver: readonly string[];

  /**
   * @param source what error messages call the file
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

  /** @throws InputError when the file does not have it, or not in numbers that can be read */
  tensor(name: string): TensorInfo & { readonly type: ReadableType } {
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

  /** Rows and columns. @throws InputError likewise, and for what is no matrix */
  matrixShape(name: string): readonly number[] {
    const { shape } = this.tensor(name);
    if (shape.length !== 2) throw this.bad(`${name} has the shape ${shapeInWords(shape)}, not that of a matrix`);
    return shape;
  }

  /** A number of the metadata; undefined where there is none. @throws InputError for what is no whole number */
  number(key: (typeof METADATA_KEYS)[number]): number | undefined {
    const text = this.metadata.get(key);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!isDigits(text) || !Number.isSafeInteger(value)) throw this.bad(`its ${key} is "${printable(text)}"`);
    return value;
  }

  /** The error for a file that cannot be used, from words that go on a sentence about it. */
  bad(what: string): InputError {
    return new InputError(`${this.source} cannot be used: ${what}.`);
  }
}

export function shapeInWords(shape: readonly number[]): string {
  return printable(`[${shape.join(", ")}]`);
}

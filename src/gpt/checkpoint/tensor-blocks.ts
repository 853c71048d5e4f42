import { BLOCK_BYTES } from "./format";
import { bfloat16, float16 } from "./half";
import type { Floats } from "../model/ops";
import type { StoredFile } from "../base/platform";
import type { ReadableType, TensorInfo } from "./safetensors";

/** A tensor of a file, in numbers that can be read. */
type NamedTensor = TensorInfo & { readonly name: string; readonly type: ReadableType };

/** A block of a tensor: its bytes, and the numbers that they are, which begin with number `at`. */
export interface TensorBlock {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly values: Floats;
  readonly at: number;
}

const DECODERS: Readonly<Record<ReadableType, (bytes: Uint8Array) => Floats>> = Object.freeze({
  F64: (bytes: Uint8Array) => new Float64Array(bytes.buffer, 0, bytes.length >> 3),
  F32: (bytes: Uint8Array) => new Float32Array(bytes.buffer, 0, bytes.length >> 2),
  F16: (bytes: Uint8Array) => Float32Array.from(new Uint16Array(bytes.buffer, 0, bytes.length >> 1), float16),
  BF16: (bytes: Uint8Array) => Float32Array.from(new Uint16Array(bytes.buffer, 0, bytes.length >> 1), bfloat16),
});

/** Walks over tensors of a file, a block at a time. */
export class TensorBlocks {
  private buffer: Uint8Array | undefined;
  private tensor = 0;
  /** Bytes and numbers of the tensor that were read. */
  private done = 0;
  private numbers = 0;

  /** @param cutOff the error for a tensor that the file has not whole */
  constructor(
    private readonly file: StoredFile,
    private readonly tensors: readonly NamedTensor[],
    private readonly cutOff: (name: string) => Error,
  ) {}

  /** @throws what `cutOff` gives */
  next(): TensorBlock | undefined {
    for (; this.tensor < this.tensors.length; this.tensor++) {
      const { name, type, begin, end } = this.tensors[this.tensor];
      const from = begin + this.done;
      if (from < end) {
        // Two of them are made at once, and used one after the other.
        this.buffer ??= new Uint8Array(BLOCK_BYTES);
        const bytes = this.buffer.subarray(0, end - from);
        if (this.file.read(from, bytes) < bytes.length) throw this.cutOff(name);
        const values = DECODERS[type](bytes);
        const at = this.numbers;
        this.done += bytes.length;
        this.numbers += values.length;
        return { name, bytes, values, at };
      }
      this.done = 0;
      this.numbers = 0;
    }
    return undefined;
  }
}

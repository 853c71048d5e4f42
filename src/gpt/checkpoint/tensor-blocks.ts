import { BLOCK_BYTES } from "./format";
import { bfloat16, float16 } from "./half";
import type { Floats } from "../model/ops";
import type { StoredFile } from "../base/platform";
import type { ReadableType, TensorInfo } from "./safetensors";

/** A tensor of a file, of a supported type. */
type NamedTensor = TensorInfo & { readonly name: string; readonly type: ReadableType };

/** A block of a tensor: its bytes, and its numbers, of which the first has index `at` in the tensor. */
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

/** Reads tensors of a file, one block at a time. */
export class TensorBlocks {
  private buffer: Uint8Array | undefined;
  private tensor = 0;
  /** Bytes and numbers of the current tensor that have been read. */
  private done = 0;
  private numbers = 0;

  /** @param cutOff makes the error for a file that ends within a tensor */
  constructor(
    private readonly file: StoredFile,
    private readonly tensors: readonly NamedTensor[],
    private readonly cutOff: (name: string) => Error,
  ) {}

  /** The next block, or undefined at the end. @throws what `cutOff` makes */
  next(): TensorBlock | undefined {
    for (; this.tensor < this.tensors.length; this.tensor++) {
      const { name, type, begin, end } = this.tensors[this.tensor];
      const from = begin + this.done;
      if (from < end) {
        // Two readers may be created together but read one after the other, so the buffer is allocated late.
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

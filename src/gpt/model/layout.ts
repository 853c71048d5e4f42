import { InputError } from "../base/errors";
import type { Dtype, Floats, Ops, Tensor } from "./ops";

/** A named matrix in a flat buffer; offset and size in elements. */
export interface Part {
  readonly name: string;
  readonly offset: number;
  readonly rows: number;
  readonly columns: number;
}

/** The order of the matrices in a flat buffer. */
export class Layout {
  readonly parts: Part[] = [];
  /** Total number of elements. */
  length = 0;

  /** Appends a matrix. */
  add(name: string, rows: number, columns: number): void {
    this.parts.push({ name, offset: this.length, rows, columns });
    this.length += rows * columns;
  }

  /**
   * A view of the part `first` in `floats`, or of all parts from there to `last`.
   * @throws RangeError for an unknown part
   */
  view(ops: Ops, floats: Floats, first: string, last = first): Tensor {
    const begin = this.part(first).offset;
    const { offset, rows, columns } = this.part(last);
    return ops.view(floats, begin, offset + rows * columns - begin);
  }

  /** @throws RangeError for an unknown part */
  part(name: string): Part {
    const found = this.parts.find((part) => part.name === name);
    if (!found) throw new RangeError(`There is no part named ${name}.`);
    return found;
  }
}

/** Allocates a buffer of zeros. @throws InputError if there is not enough memory */
export function allocate(dtype: Dtype, length: number): Floats {
  try {
    return dtype === "f32" ? new Float32Array(length) : new Float64Array(length);
  } catch {
    throw new InputError(
      `There is no memory for a buffer of ${length} numbers: choose a smaller n_embd, n_layer or block_size.`,
    );
  }
}

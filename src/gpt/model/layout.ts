import { InputError } from "../base/errors";
import type { BlockFormat, Dtype, InferenceOps, Numbers, Tensor } from "./ops";

/** A named matrix in a flat buffer; offset and size in elements. */
export interface Part {
  readonly name: string;
  readonly offset: number;
  readonly rows: number;
  readonly columns: number;
  /** In i32, if the tensor that ends with this matrix has exponents. */
  readonly format: BlockFormat | undefined;
}

/** The order of the matrices in a flat buffer. */
export class Layout {
  readonly parts: Part[] = [];
  /** Total number of elements. */
  length = 0;

  /** Appends a matrix, and what its format has behind it. */
  add(name: string, rows: number, columns: number, format?: BlockFormat): void {
    this.parts.push({ name, offset: this.length, rows, columns, format });
    this.length += rows * columns + (format ? format.exponents + 1 : 0);
  }

  /**
   * A view of the part `first` in `numbers`, or of all parts from there to `last`.
   * @throws RangeError for an unknown part
   */
  view(ops: InferenceOps, numbers: Numbers, first: string, last = first): Tensor {
    const begin = this.part(first).offset;
    const { offset, rows, columns, format } = this.part(last);
    const end = offset + rows * columns + (format ? format.exponents + 1 : 0);
    return ops.view(numbers, begin, end - begin, format);
  }

  /** @throws RangeError for an unknown part */
  part(name: string): Part {
    const found = this.parts.find((part) => part.name === name);
    if (!found) throw new RangeError(`There is no part named ${name}.`);
    return found;
  }
}

/** Allocates a buffer of zeros. @throws InputError if there is not enough memory */
export function allocate(dtype: Dtype, length: number): Numbers {
  try {
    switch (dtype) {
      case "f32":
        return new Float32Array(length);
      case "f64":
        return new Float64Array(length);
      case "i32":
        return new Int32Array(length);
    }
  } catch {
    throw new InputError(
      `There is no memory for a buffer of ${length} numbers: choose a smaller n_embd, n_layer or block_size.`,
    );
  }
}

import { InputError } from "./errors";
import type { Dtype, Floats, Ops, Tensor } from "./ops";

/** A named matrix inside a flat buffer; offset and size in elements. */
export interface Part {
  readonly name: string;
  readonly offset: number;
  readonly rows: number;
  readonly columns: number;
}

/** The order of the matrices in a flat buffer. */
export class Layout {
  readonly parts: Part[] = [];
  /** Elements in all. */
  length = 0;

  add(name: string, rows: number, columns: number): void {
    this.parts.push({ name, offset: this.length, rows, columns });
    this.length += rows * columns;
  }

  /** Views of all parts in `floats`, by name. */
  views(ops: Ops, floats: Floats): Map<string, Tensor> {
    return new Map(
      this.parts.map(({ name, offset, rows, columns }) => [name, ops.view(floats, offset, rows * columns)]),
    );
  }
}

/** @throws RangeError for a part that the layout does not have */
export function part(views: Map<string, Tensor>, name: string): Tensor {
  const view = views.get(name);
  if (!view) throw new RangeError(`There is no part named ${name}.`);
  return view;
}

/** @throws InputError when the engine has no memory for so many */
export function allocate(dtype: Dtype, length: number): Floats {
  try {
    return dtype === "f32" ? new Float32Array(length) : new Float64Array(length);
  } catch {
    throw new InputError(
      `There is no memory for a buffer of ${length} numbers: choose a smaller n_embd, n_layer or block_size.`,
    );
  }
}

import { allocate, type Layout } from "../model/layout";
import type { ElementaryFunctions } from "../base/elementary";
import type { Numbers, Ops, Tensor } from "../model/ops";

export const BETA1 = 0.85;
export const BETA2 = 0.99;
export const EPSILON = 1e-8;

/** The state of Adam for a model: moving averages of the gradients (m) and of their squares (v), initially zero. */
export class Adam {
  /** In i32 each number holds both. */
  readonly m: Numbers;
  readonly v: Numbers;
  private readonly pow: ElementaryFunctions["pow"];
  private readonly w: Tensor;
  private readonly g: Tensor;
  private readonly mView: Tensor;
  private readonly vView: Tensor;

  /**
   * @param layout of the gradients, which i32 needs
   * @throws InputError if there is not enough memory
   */
  constructor(
    private readonly ops: Ops,
    parameters: Numbers,
    gradients: Numbers,
    layout?: Layout,
  ) {
    const { length } = parameters;
    this.pow = ops.functions.pow;
    this.m = allocate(ops.dtype, length);
    this.v = ops.codec ? this.m : allocate(ops.dtype, length);
    const third = ops.codec ? matricesOf(layout) : this.v;
    this.w = ops.view(parameters, 0, length);
    this.g = ops.view(gradients, 0, gradients.length);
    this.mView = ops.view(this.m, 0, length);
    this.vView = ops.view(third, 0, third.length);
  }

  /** Updates the parameters from their gradients: see Ops.adam, whose result it returns. `step` counts from 0. */
  update(step: number, learningRate: number): boolean {
    const rate = learningRate / (1 - this.pow(BETA1, step + 1));
    const vScale = 1 / (1 - this.pow(BETA2, step + 1));
    return this.ops.adam(this.w, this.g, this.mView, this.vView, BETA1, BETA2, EPSILON, rate, vScale);
  }

  /**
   * Runs an update of the same size on the gradients, set to zero, to measure its time. The parameters stay. In i32 it
   * does nothing, as the buffer of the gradients has more than gradients.
   */
  warmUp(): void {
    const { ops, g } = this;
    if (ops.codec) return;
    ops.zero(g);
    ops.adam(g, g, g, g, BETA1, BETA2, EPSILON, 0, 1);
  }
}

/** The table of matrices that Ops.adam takes in i32. */
function matricesOf(layout: Layout | undefined): Int32Array {
  const rows: number[] = [];
  let w = 0;
  let start = 0;
  let length = 0;
  for (const { offset, rows: height, columns, format } of layout?.parts ?? []) {
    if (length === 0) start = offset;
    length += height * columns;
    if (!format) continue;
    rows.push(w, start, length, format.exponents);
    w += length;
    length = 0;
  }
  return Int32Array.from(rows);
}

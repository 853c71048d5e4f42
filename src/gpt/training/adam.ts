import { allocate, type Layout } from "../model/layout";
import { stepOf } from "../model/i32-arithmetic";
import type { ElementaryFunctions } from "../base/elementary";
import type { Codec, Numbers, Ops, Tensor } from "../model/ops";

export const BETA1 = 0.85;
export const BETA2 = 0.99;
export const EPSILON = 1e-8;

/** Numbers of Adam.begin(), and the place of one of them in i32. */
export const CONSTANTS = 5;
const IS_CLAMPED = 1;

/** The state of Adam for a model: moving averages of the gradients (m) and of their squares (v), initially zero. */
export class Adam {
  /** In words, each number holds both. */
  readonly m: Numbers;
  readonly v: Numbers;
  /** How float32 files store them; undefined if they are floats. */
  readonly codec: Codec | undefined;
  private readonly pow: ElementaryFunctions["pow"];
  private readonly w: Tensor;
  private readonly g: Tensor;
  private readonly mView: Tensor;
  private readonly vView: Tensor | undefined;
  private readonly isAtOnce: boolean;
  private readonly constants: Numbers;
  private readonly constantsView: Tensor;

  /**
   * @param gradients none if the ops update weights at once
   * @param inWords whether the moments of floats are in words, as those of i32 are
   * @param layout of the gradients, which i32 needs
   * @throws InputError if there is not enough memory
   */
  constructor(
    private readonly ops: Ops,
    parameters: Numbers,
    gradients: Numbers,
    inWords = false,
    layout?: Layout,
  ) {
    const { length } = parameters;
    this.pow = ops.functions.pow;
    this.codec = ops.codec ?? (inWords ? ops.words : undefined);
    this.m = allocate(this.codec ? "i32" : ops.dtype, length);
    this.v = this.codec ? this.m : allocate(ops.dtype, length);
    this.w = ops.view(parameters, 0, length);
    this.g = ops.view(gradients, 0, gradients.length);
    this.mView = ops.view(this.m, 0, length);
    const third = ops.codec ? matricesOf(layout) : this.v;
    this.vView = this.codec && !ops.codec ? undefined : ops.view(third, 0, third.length);
    this.isAtOnce = gradients.length === 0;
    this.constants = allocate(ops.dtype, this.isAtOnce ? CONSTANTS : 0);
    this.constantsView = ops.view(this.constants, 0, this.constants.length);
  }

  /**
   * Updates the parameters from their gradients, unless a backward pass has done so. `step` counts from 0.
   * @returns whether all weights are in range: see Ops.adam
   */
  update(step: number, learningRate: number): boolean {
    if (this.isAtOnce) return this.ops.codec === undefined || this.constants[IS_CLAMPED] === 0;
    const rate = learningRate / (1 - this.pow(BETA1, step + 1));
    const vScale = 1 / (1 - this.pow(BETA2, step + 1));
    return this.ops.adam(this.w, this.g, this.mView, this.vView, BETA1, BETA2, EPSILON, rate, vScale);
  }

  /**
   * Begins a backward pass that updates the weights at once: see Accumulate. Returns the constants of the step, valid
   * until the next: β1, β2, ε, rate and vScale of Ops.adam; in i32 rate / sqrt(vScale), and whether a weight was clamped.
   */
  begin(step: number, learningRate: number): Tensor {
    const constants = this.constants;
    const rate = learningRate / (1 - this.pow(BETA1, step + 1));
    const vScale = 1 / (1 - this.pow(BETA2, step + 1));
    if (this.ops.codec) {
      constants[0] = stepOf(rate, vScale);
      constants[IS_CLAMPED] = 0;
    } else {
      constants[0] = BETA1;
      constants[1] = BETA2;
      constants[2] = EPSILON;
      constants[3] = rate;
      constants[4] = vScale;
    }
    return this.constantsView;
  }

  /**
   * Runs an update of the same size on the gradients, set to zero, to measure its time. The parameters stay. With moments
   * in words it does nothing.
   */
  warmUp(): void {
    const { ops, g } = this;
    if (this.codec) return;
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

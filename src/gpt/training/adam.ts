import { allocate } from "../model/layout";
import type { Floats, Ops, Tensor } from "../model/ops";

export const BETA1 = 0.85;
export const BETA2 = 0.99;
export const EPSILON = 1e-8;

/** The state of Adam for a model: moving averages of the gradients (m) and of their squares (v), initially zero. */
export class Adam {
  readonly m: Floats;
  readonly v: Floats;
  private readonly w: Tensor;
  private readonly g: Tensor;
  private readonly mView: Tensor;
  private readonly vView: Tensor;

  constructor(
    private readonly ops: Ops,
    parameters: Floats,
    gradients: Floats,
  ) {
    const length = parameters.length;
    this.m = allocate(ops.dtype, length);
    this.v = allocate(ops.dtype, length);
    this.w = ops.view(parameters, 0, length);
    this.g = ops.view(gradients, 0, length);
    this.mView = ops.view(this.m, 0, length);
    this.vView = ops.view(this.v, 0, length);
  }

  /** Updates the parameters from their gradients: see Ops.adam. `step` counts from 0. */
  update(step: number, learningRate: number): void {
    const rate = learningRate / (1 - BETA1 ** (step + 1));
    const vScale = 1 / (1 - BETA2 ** (step + 1));
    this.ops.adam(this.w, this.g, this.mView, this.vView, BETA1, BETA2, EPSILON, rate, vScale);
  }

  /** Runs an update of the same size on the gradients, set to zero, to measure its time. The parameters stay. */
  warmUp(): void {
    const g = this.g;
    this.ops.zero(g);
    this.ops.adam(g, g, g, g, BETA1, BETA2, EPSILON, 0, 1);
  }
}

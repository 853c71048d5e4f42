import { allocate } from "../model/layout";
import type { ModelConfig } from "../model/config";
import type { Numbers, Ops, Tensor } from "../model/ops";
import { tensorsOf, viewWeights, type Weights } from "../model/parameters";

export const BETA1 = 0.85;
export const BETA2 = 0.99;
export const EPSILON = 1e-8;

/** What one call of Ops.adam updates. */
export interface Part {
  readonly w: Tensor;
  readonly g: Tensor;
  readonly m: Tensor;
  readonly v: Tensor;
}

/** The state of Adam for a model: moving averages of the gradients (m) and of their squares (v), initially zero. */
export class Adam {
  /** In i32 each number holds both. */
  readonly m: Numbers;
  readonly v: Numbers;
  /** All parameters at once; in i32 matrix by matrix, as their gradients have an exponent each. */
  readonly parts: readonly Part[];

  /**
   * @param matrices the shape of the model and views of its gradients, which i32 needs
   * @throws InputError if there is not enough memory
   */
  constructor(
    private readonly ops: Ops,
    parameters: Numbers,
    gradients: Numbers,
    matrices?: { readonly config: ModelConfig; readonly gradients: Weights },
  ) {
    const { length } = parameters;
    this.m = allocate(ops.dtype, length);
    this.v = ops.codec ? this.m : allocate(ops.dtype, length);
    if (ops.codec && matrices) {
      const [w, m] = [parameters, this.m].map((numbers) => tensorsOf(viewWeights(ops, numbers, matrices.config)));
      this.parts = tensorsOf(matrices.gradients).map((g, i) => ({ w: w[i], g, m: m[i], v: m[i] }));
    } else {
      const [w, g, m, v] = [parameters, gradients, this.m, this.v].map((numbers) => ops.view(numbers, 0, length));
      this.parts = [{ w, g, m, v }];
    }
  }

  /**
   * Updates the parameters from their gradients: see Ops.adam, whose result it returns. `step` counts from 0.
   */
  update(step: number, learningRate: number): boolean {
    const ops = this.ops;
    const functions = ops.functions;
    const parts = this.parts;
    const rate = learningRate / (1 - functions.pow(BETA1, step + 1));
    const vScale = 1 / (1 - functions.pow(BETA2, step + 1));
    let isInRange = true;
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i];
      if (!ops.adam(part.w, part.g, part.m, part.v, BETA1, BETA2, EPSILON, rate, vScale)) isInRange = false;
    }
    return isInRange;
  }

  /** Runs an update of the same size on the gradients, set to zero, to measure its time. The parameters stay. */
  warmUp(): void {
    const ops = this.ops;
    for (const { g } of this.parts) {
      ops.zero(g);
      ops.adam(g, g, g, g, BETA1, BETA2, EPSILON, 0, 1);
    }
  }
}

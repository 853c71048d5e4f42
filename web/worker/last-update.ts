import { BETA1, BETA2, EPSILON } from "../../src/gpt/training/adam";
import { gradientLayout } from "../../src/gpt/model/parameters";
import { WEIGHT_STEP } from "../../src/gpt/model/i32-arithmetic";
import { powerOfTwo } from "../../src/gpt/base/elementary";
import type { Numbers } from "../../src/gpt/model/ops";
import type { Trainer } from "../../src/gpt/training/trainer";
import type { WeightReading, WeightUpdate } from "./messages";

/** Maximum number of parameters whose gradients and earlier values are kept. */
const MAX_KEPT = 1 << 22;

/** What the last step did to each weight: copies of its gradients, and of the weights before and after it. */
export class LastUpdate {
  private readonly gradients: Numbers | undefined;
  private before: Numbers | undefined;
  private after: Numbers | undefined;
  private learningRate = 0;
  /** Steps up to the last update, 0 before the first. */
  private updates = 0;

  /** Allocates three times the size of the model, unless that has more than `most` parameters. */
  constructor(
    private readonly trainer: Trainer,
    most = MAX_KEPT,
  ) {
    const { parameters } = trainer.model;
    if (parameters.length > most) return;
    this.gradients = trainer.gradients.slice();
    this.before = parameters.slice();
    this.after = parameters.slice();
  }

  /** Call it when the weights have been drawn or loaded. */
  begin(): void {
    this.after?.set(this.trainer.model.parameters);
    this.updates = 0;
  }

  /** Call it after each update, before anything else uses the trainer. */
  take(): void {
    const { trainer, gradients, before, after } = this;
    this.learningRate = trainer.learningRate;
    this.updates = trainer.totalSteps;
    if (!gradients || !before || !after) return;
    [this.before, this.after] = [after, before];
    before.set(trainer.model.parameters);
    gradients.set(trainer.gradients);
  }

  /** A weight now, and what the last step did to it. @param index in the parameters */
  reading(index: number): WeightReading {
    const { model, stepsDone } = this.trainer;
    const value = (model.parameters[index] ?? NaN) * model.parameterUnit;
    return { stepsDone, value, update: this.updates > 0 ? this.updateOf(index) : undefined };
  }

  private updateOf(index: number): WeightUpdate {
    const { trainer, learningRate, updates } = this;
    const { model, adam } = trainer;
    const { codec } = adam;
    const isI32 = model.ops.codec !== undefined;
    const number = (numbers: Numbers, what: "m" | "v"): number => {
      if (!codec || !(numbers instanceof Int32Array)) return numbers[index] ?? NaN;
      const floats = new Float32Array(1);
      codec.decode(floats, numbers, index, what);
      return floats[0] ?? NaN;
    };
    const [m, v] = [number(adam.m, "m"), number(adam.v, "v")];
    return {
      before: (this.before?.[index] ?? NaN) * model.parameterUnit,
      gradient: this.gradientOf(index),
      m,
      v,
      correctedM: m / (1 - BETA1 ** updates),
      correctedV: v / (1 - BETA2 ** updates),
      learningRate,
      // In i32 it is the least value of v.
      epsilon: isI32 ? 0 : EPSILON,
      weightStep: isI32 ? WEIGHT_STEP * model.parameterUnit : 0,
    };
  }

  private gradientOf(index: number): number {
    const { gradients, trainer } = this;
    const { model, config } = trainer;
    // The model is too large.
    if (!gradients) return NaN;
    if (!model.ops.codec) return gradients[index] ?? NaN;
    // A tensor, of one matrix or of three, has its exponents behind its numbers.
    let [first, start, length] = [0, 0, 0];
    for (const { offset, rows, columns, format } of gradientLayout(model.config, "i32", config.batchSize).parts) {
      if (length === 0) start = offset;
      length += rows * columns;
      if (!format) continue;
      if (index < first + length) {
        const block = Math.floor((index - first) / (length / format.exponents));
        const exponent = gradients[start + length + block] ?? NaN;
        return (gradients[start + index - first] ?? NaN) * powerOfTwo(-exponent);
      }
      first += length;
      length = 0;
    }
    return NaN;
  }
}

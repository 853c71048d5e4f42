import { Adam } from "./adam";
import { createFlow, type Flow } from "./activations";
import { backward } from "./backward";
import { checkTrainingConfig, type TrainingConfig } from "../config";
import type { Dataset } from "../data/dataset";
import type { Loss } from "./loss";
import { fit, loadName } from "../data/fitting";
import { forward } from "./forward";
import { Holdout } from "../data/holdout";
import { allocate } from "./layout";
import type { Model } from "./model";
import type { Floats } from "./ops";
import { viewWeights, type Weights } from "./parameters";
import type { Random } from "./random";

/**
 * Trains a model, one name a step. Everything is allocated when it is made; step() allocates nothing,
 * and returns soon enough that an event loop can live beside it.
 */
export class Trainer {
  /** Steps done. */
  stepsDone = 0;
  /** The name that the last step drew. */
  nameIndex = -1;
  /** Of the last name that was trained on. */
  lastLoss: number | undefined;
  /** Of the last step: it falls linearly from the first step's to zero. */
  learningRate = 0;
  readonly adam: Adam;
  readonly gradients: Floats;
  private readonly gradientViews: Weights;
  private readonly flow: Flow;
  private readonly tokens: Uint8Array;
  readonly holdout: Holdout | undefined;
  private nextName = 0;

  /** @throws InputError when the configuration or the dataset leaves nothing to train on */
  constructor(
    readonly model: Model,
    readonly dataset: Dataset,
    private readonly random: Random,
    readonly config: TrainingConfig,
  ) {
    checkTrainingConfig(config);
    fit(model, dataset);
    const { ops, parameters } = model;
    this.holdout = config.holdout > 0 ? new Holdout(dataset, config.holdout) : undefined;
    this.gradients = allocate(ops.dtype, parameters.length);
    this.gradientViews = viewWeights(ops, this.gradients, model.config);
    this.flow = createFlow(ops, model.config);
    this.adam = new Adam(ops, parameters, this.gradients);
    this.tokens = new Uint8Array(model.config.blockSize + 1);
  }

  /** Draws a name and trains on it: returns its loss. A loss that is not finite moves nothing, and is no step done. */
  step(): Loss {
    this.nameIndex = this.drawName();
    const rows = loadName(this.model, this.dataset, this.nameIndex, this.tokens);
    const { stepsDone, config } = this;
    const learningRate = config.learningRate * (1 - stepsDone / config.steps);
    this.learningRate = learningRate;
    let loss: Loss = "passed over";
    if (rows > 0) {
      loss = this.computeGradients(this.tokens, rows);
      if (loss - loss !== 0) return "diverged";
      this.lastLoss = loss;
      this.adam.update(stepsDone, learningRate);
    }
    this.stepsDone = stepsDone + 1;
    return loss;
  }

  /** Sets `gradients` to those of the loss over tokens 0 to `rows`, and returns the loss. */
  computeGradients(tokens: Uint8Array, rows: number): number {
    const { ops, activations, config } = this.model;
    forward(this.model, tokens, 0, rows);
    const loss = ops.softmaxCrossEntropy(activations.logits, tokens, rows, config.vocabularySize);
    backward(this.model, this.gradientViews, this.flow, tokens, rows);
    return loss;
  }

  private drawName(): number {
    const { dataset, holdout } = this;
    for (;;) {
      let name: number;
      if (this.config.sampling === "random") name = this.random.index(dataset.count);
      else {
        name = this.nextName;
        this.nextName = (name + 1) % dataset.count;
      }
      if (!holdout?.has(name)) return name;
    }
  }
}

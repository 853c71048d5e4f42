import { Adam } from "./adam";
import { createFlow, type Flow } from "./activations";
import { backward } from "./backward";
import { checkTrainingConfig, PRESETS, type TrainingConfig } from "../config";
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
 * Trains a model: the gradients of a batch of names are summed, then Adam moves the parameters. Everything
 * is allocated when it is made; step() allocates nothing.
 */
export class Trainer {
  /** Steps done: updates of the parameters. */
  stepsDone = 0;
  /** The name that was drawn last. */
  nameIndex = -1;
  /** Of the last step that had one. */
  lastLoss: number | undefined;
  /** Of the last step: it falls linearly from the first step's to zero. */
  learningRate = 0;
  readonly adam: Adam;
  readonly gradients: Floats;
  readonly holdout: Holdout | undefined;
  private readonly gradientViews: Weights;
  private readonly flow: Flow;
  private readonly tokens: Uint8Array;
  /** What the gradient of each token is multiplied with; 0 where its name has a weight, that its tokens share. */
  private readonly tokenWeight: number;
  private readonly nameWeight: number;
  private readonly isRandom: boolean;
  private nextName = 0;
  /** Of the batch: names to come; of those that came and fit, their weight, and their loss times that. */
  private namesLeft: number;
  private weight = 0;
  private lossSum = 0;

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
    this.isRandom = config.sampling === "random";
    this.tokens = new Uint8Array(model.config.blockSize + 1);
    const isByToken = PRESETS[model.config.preset].weighs === "tokens";
    this.namesLeft = config.batchSize;
    this.nameWeight = 1 / config.batchSize;
    this.tokenWeight = isByToken ? 1 / (dataset.meanTokens * config.batchSize) : 0;
  }

  /** Trains on a whole batch: returns the step's loss. */
  step(): Loss {
    let loss: Loss | undefined;
    do loss = this.name();
    while (loss === undefined);
    return loss;
  }

  /**
   * Draws a name and adds its gradients to those of the batch; the last name of a batch moves the parameters.
   * Returns undefined before that, then the loss of the step: the mean over its names, or over its tokens
   * where the preset weighs these. A loss that is not finite moves nothing, and is no step done.
   */
  name(): Loss | undefined {
    const model = this.model;
    const tokens = this.tokens;
    const tokenWeight = this.tokenWeight;
    const index = this.drawName();
    const rows = loadName(model, this.dataset, index, tokens);
    this.nameIndex = index;
    if (rows > 0) {
      const loss = this.computeGradients(tokens, rows, tokenWeight || this.nameWeight / rows, this.weight > 0);
      if (loss - loss !== 0) return "diverged";
      const weight = tokenWeight > 0 ? rows : 1;
      this.lossSum += weight * loss;
      this.weight += weight;
    }
    const left = this.namesLeft - 1;
    this.namesLeft = left;
    return left > 0 ? undefined : this.update();
  }

  private update(): Loss {
    const stepsDone = this.stepsDone;
    const config = this.config;
    const weight = this.weight;
    const learningRate = config.learningRate * (1 - stepsDone / config.steps);
    this.learningRate = learningRate;
    this.stepsDone = stepsDone + 1;
    this.namesLeft = config.batchSize;
    if (weight === 0) return "passed over";
    const loss = this.lossSum / weight;
    this.lastLoss = loss;
    this.lossSum = this.weight = 0;
    this.adam.update(stepsDone, learningRate);
    return loss;
  }

  /**
   * Sets `gradients` to those of the loss over tokens 0 to `rows`, or adds them (`accumulate`), and returns
   * the loss.
   * @param weight of each token: 1 / rows for the gradient of the mean loss
   */
  computeGradients(tokens: Uint8Array, rows: number, weight: number, accumulate: boolean): number {
    const model = this.model;
    forward(model, tokens, 0, rows);
    const logits = model.activations.logits;
    const loss = model.ops.softmaxCrossEntropy(logits, tokens, rows, model.shape.vocabulary, weight);
    backward(model, this.gradientViews, this.flow, tokens, rows, accumulate);
    return loss;
  }

  private drawName(): number {
    const holdout = this.holdout;
    for (;;) {
      const name = this.isRandom ? this.random.index(this.dataset.count) : this.followingName();
      if (!holdout?.has(name)) return name;
    }
  }

  private followingName(): number {
    const name = this.nextName;
    this.nextName = (name + 1) % this.dataset.count;
    return name;
  }
}

import { Adam } from "./adam";
import { type ActivationGradients, activationGradientsLayout, viewActivationGradients } from "../model/activations";
import { backward } from "../model/backward";
import { checkTrainingConfig, PRESETS, type TrainingConfig } from "../model/config";
import type { Dataset } from "../data/dataset";
import { bindDataset, loadDocument, maxCharacters } from "./document-length";
import { forward } from "../model/forward";
import { Holdout } from "./holdout";
import { allocate } from "../model/layout";
import type { Model } from "../model/model";
import type { Floats } from "../model/ops";
import { viewWeights, type Weights } from "../model/parameters";
import type { Loss } from "./events";
import type { TrainingState } from "./training-state";
import type { Random } from "../model/random";

/**
 * Trains a model: the gradients of a batch of names are summed, then Adam moves the parameters. Everything
 * is allocated when it is made; step() allocates nothing.
 */
export class Trainer {
  /** Steps done of the schedule. */
  stepsDone = 0;
  /** Of the last step: it falls linearly from the first step's to zero. */
  learningRate = 0;
  /** The name that was drawn last. */
  documentIndex = -1;
  /** Of the last step that had one. */
  lastLoss: number | undefined;
  readonly adam: Adam;
  readonly gradients: Floats;
  readonly holdout: Holdout | undefined;
  private readonly gradientViews: Weights;
  private readonly activationGradients: ActivationGradients;
  private readonly activationGradientFloats: Floats;
  private readonly tokens: Uint8Array;
  /** What the gradient of each token is multiplied with; 0 where its name has a weight, that its tokens share. */
  private readonly tokenWeight: number;
  private readonly documentWeight: number;
  private readonly isRandom: boolean;
  /** Steps done of the schedules before this one. */
  private earlierSteps = 0;
  private nextDocument = 0;
  /** Where the batch under way began: the word of the stream, and the name that came next. */
  private firstState = 0;
  private firstDocument = 0;
  /** Of the batch: names to come; of those that came and fit, their weight, and their loss times that. */
  private documentsLeft: number;
  private weight = 0;
  private lossSum = 0;

  /** @throws InputError when the configuration or the dataset leaves nothing to train on */
  constructor(
    readonly model: Model,
    readonly dataset: Dataset,
    readonly random: Random,
    private training: TrainingConfig,
  ) {
    const config = training;
    checkTrainingConfig(config);
    bindDataset(model, dataset);
    const { ops, parameters } = model;
    this.holdout = config.holdout > 0 ? new Holdout(dataset, config.holdout, maxCharacters(model.config)) : undefined;
    this.gradients = allocate(ops.dtype, parameters.length);
    this.gradientViews = viewWeights(ops, this.gradients, model.config);
    this.activationGradientFloats = allocate(ops.dtype, activationGradientsLayout(model.config).length);
    this.activationGradients = viewActivationGradients(ops, this.activationGradientFloats, model.config);
    this.adam = new Adam(ops, parameters, this.gradients);
    this.isRandom = config.sampling === "random";
    this.tokens = new Uint8Array(model.config.blockSize + 1);
    const isByToken = PRESETS[model.config.preset].weighs === "tokens";
    this.documentsLeft = config.batchSize;
    this.documentWeight = 1 / config.batchSize;
    this.tokenWeight = isByToken ? 1 / (dataset.meanTokens * config.batchSize) : 0;
  }

  get config(): TrainingConfig {
    return this.training;
  }

  /** Steps done in all: where one schedule follows another, those of all of them. */
  get totalSteps(): number {
    return this.earlierSteps + this.stepsDone;
  }

  /**
   * Begins a schedule of so many steps, its rate falling linearly to zero; Adam goes on as it is.
   * @throws InputError when no training can have them
   */
  beginSchedule(steps: number, learningRate: number): void {
    const config = { ...this.training, steps, learningRate };
    checkTrainingConfig(config);
    this.training = config;
    this.earlierSteps += this.stepsDone;
    this.stepsDone = 0;
  }

  get isBetweenBatches(): boolean {
    return this.documentsLeft === this.training.batchSize;
  }

  /** After the last update: of a batch that is under way nothing is kept, its names are drawn again. */
  get state(): TrainingState {
    const { totalSteps, stepsDone } = this;
    const { position } = this.random;
    if (this.isBetweenBatches) return { totalSteps, stepsDone, random: position, nextName: this.nextDocument };
    const random = { ...position, state: this.firstState >>> 0 };
    return { totalSteps, stepsDone, random, nextName: this.firstDocument };
  }

  /** Goes on from there, once the parameters and Adam's moments are those of that moment. */
  restore(state: TrainingState): void {
    this.earlierSteps = state.totalSteps - state.stepsDone;
    this.stepsDone = state.stepsDone;
    this.lastLoss = undefined;
    this.beginBatch(state);
  }

  /** Begins anew, once the parameters are others: Adam has seen nothing yet. */
  reset(): void {
    this.adam.m.fill(0);
    this.adam.v.fill(0);
    this.restore({ totalSteps: 0, stepsDone: 0, random: this.random.position, nextName: 0 });
  }

  /** Forgets the names of a batch under way: they will be drawn again. */
  abandonBatch(): void {
    this.beginBatch(this.state);
  }

  private beginBatch({ random, nextName }: TrainingState): void {
    this.random.goTo(random);
    this.nextDocument = nextName;
    this.documentsLeft = this.training.batchSize;
    this.lossSum = this.weight = 0;
  }

  /** Between two batches: computes the gradients of a name, and forgets them, to see how long it takes. */
  warmUpDocument(index: number): void {
    const rows = loadDocument(this.model, this.dataset, index, this.tokens);
    if (rows > 0) this.computeGradients(this.tokens, rows, 1 / rows, false);
  }

  /** An update that moves nothing, likewise. */
  warmUpUpdate(): void {
    this.adam.warmUp();
  }

  /** Trains on a whole batch: returns the step's loss. */
  step(): Loss {
    let loss: Loss | undefined;
    do loss = this.trainDocument();
    while (loss === undefined);
    return loss;
  }

  /**
   * Draws a name and adds its gradients to those of the batch; the last name of a batch moves the parameters.
   * Returns undefined before that, then the loss of the step: the mean over its names, or over its tokens
   * where the preset weighs these. A loss that is not finite moves nothing, and is no step done.
   */
  trainDocument(): Loss | undefined {
    const tokens = this.tokens;
    const tokenWeight = this.tokenWeight;
    const batchSize = this.training.batchSize;
    if (batchSize > 1 && this.documentsLeft === batchSize) {
      this.firstState = this.random.word;
      this.firstDocument = this.nextDocument;
    }
    const index = this.drawName();
    const rows = loadDocument(this.model, this.dataset, index, tokens);
    this.documentIndex = index;
    if (rows > 0) {
      const loss = this.computeGradients(tokens, rows, tokenWeight || this.documentWeight / rows, this.weight > 0);
      if (loss - loss !== 0) {
        // Its gradients are in those of the batch.
        this.abandonBatch();
        return "diverged";
      }
      const weight = tokenWeight > 0 ? rows : 1;
      this.lossSum += weight * loss;
      this.weight += weight;
    }
    const left = this.documentsLeft - 1;
    this.documentsLeft = left;
    return left > 0 ? undefined : this.update();
  }

  private update(): Loss {
    const step = this.stepsDone;
    const config = this.training;
    const weight = this.weight;
    const learningRate = config.learningRate * (1 - step / config.steps);
    this.learningRate = learningRate;
    this.stepsDone = step + 1;
    this.documentsLeft = config.batchSize;
    if (weight === 0) return "passed over";
    const loss = this.lossSum / weight;
    this.lastLoss = loss;
    this.lossSum = this.weight = 0;
    this.adam.update(this.earlierSteps + step, learningRate);
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
    backward(model, this.gradientViews, this.activationGradients, tokens, rows, accumulate);
    return loss;
  }

  private drawName(): number {
    const own = this.dataset.own;
    // Without any the stream stays that of the published programs.
    if (own !== undefined && own.count > 0 && this.random.uniform() < own.share)
      return this.dataset.count + this.random.index(own.count);
    const holdout = this.holdout;
    for (;;) {
      const name = this.isRandom ? this.random.index(this.dataset.count) : this.followingName();
      if (!holdout?.has(name)) return name;
    }
  }

  private followingName(): number {
    const name = this.nextDocument;
    this.nextDocument = (name + 1) % this.dataset.count;
    return name;
  }
}

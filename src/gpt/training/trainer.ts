import { Adam } from "./adam";
import { type ActivationGradients, activationGradientsLayout, viewActivationGradients } from "../model/activations";
import { backward } from "../model/backward";
import { checkSetting, checkTrainingConfig, PRESETS, type TrainingConfig } from "../model/config";
import type { Dataset } from "../data/dataset";
import type { DocumentSource } from "../data/document-source";
import type { Document } from "../data/vocabulary";
import { bindDataset, encodeDocument, loadDocument, maxSymbols } from "./document-length";
import { forward } from "../model/forward";
import { Holdout } from "./holdout";
import { allocate } from "../model/layout";
import type { Model } from "../model/model";
import type { Accumulate, Numbers } from "../model/ops";
import { canUpdateAtOnce, gradientLayout, viewWeights, type Weights } from "../model/parameters";
import type { Loss } from "./events";
import type { TrainingState } from "./training-state";
import type { Random } from "../model/random";

/**
 * Trains a model: sums the gradients of a batch of names, then updates the parameters with Adam. The constructor
 * allocates everything; step() allocates nothing.
 */
export class Trainer<Source extends DocumentSource = Dataset> {
  /** Steps done of the schedule. */
  stepsDone = 0;
  /** Learning rate of the last step. */
  learningRate = 0;
  /** Index of the name that was drawn last. */
  documentIndex = -1;
  /** Loss of the last step that had one. */
  lastLoss: number | undefined;
  readonly adam: Adam;
  /** In the order of gradientLayout(); none if each weight is updated right behind its gradient. */
  readonly gradients: Numbers;
  readonly holdout: Holdout | undefined;
  /** Whether each weight is updated right behind its gradient: see Accumulate. */
  private readonly updatesAtOnce: boolean;
  /** Views of the gradients, or of the moments if weights are updated at once. */
  private readonly targets: Weights;
  private readonly activationGradients: ActivationGradients;
  private readonly tokens: Uint8Array;
  /** Weight of each token's gradient; 0 if each name has a weight, documentWeight, which its tokens share. */
  private readonly tokenWeight: number;
  private readonly documentWeight: number;
  private readonly isRandom: boolean;
  /** Steps over which the learning rate falls to zero: Infinity if it is constant. */
  private fall: number;
  /** Steps done of the schedules before this one. */
  private earlierSteps = 0;
  private nextDocument = 0;
  /** Where the current batch began: the state of the random stream, and the next name in file order. */
  private firstState = 0;
  private firstDocument = 0;
  /** Of the current batch: names left; of the names done that fit, the sum of the weights, and of weight times loss. */
  private documentsLeft: number;
  private weight = 0;
  private lossSum = 0;

  /** @throws InputError for an invalid configuration, a dataset that does not fit the model, or too little memory */
  constructor(
    readonly model: Model,
    readonly dataset: Source,
    readonly random: Random,
    private training: TrainingConfig,
  ) {
    checkTrainingConfig(training);
    bindDataset(model, dataset);
    const { ops, parameters } = model;
    // Other numbers than f32 have but one way.
    const config = ops.dtype === "f32" ? training : { ...training, moments: "f32" as const };
    this.training = config;
    this.holdout = config.holdout > 0 ? new Holdout(dataset, config.holdout, maxSymbols(model)) : undefined;
    const layout = gradientLayout(model.config, ops.dtype, config.batchSize);
    this.updatesAtOnce = canUpdateAtOnce(model.config, ops, config);
    this.gradients = allocate(ops.dtype, this.updatesAtOnce ? 0 : layout.length);
    const numbers = allocate(ops.dtype, activationGradientsLayout(model.config, ops.dtype).length);
    this.activationGradients = viewActivationGradients(ops, numbers, model.config);
    this.adam = new Adam(ops, parameters, this.gradients, config.moments === "bf16", layout);
    this.targets = this.updatesAtOnce
      ? viewWeights(ops, this.adam.m, model.config)
      : viewWeights(ops, this.gradients, model.config, layout);
    this.isRandom = config.sampling === "random";
    this.tokens = new Uint8Array(model.config.blockSize + 1);
    this.fall = fallOf(config);
    const isByToken = PRESETS[model.config.preset].weighs === "tokens";
    this.documentsLeft = config.batchSize;
    this.documentWeight = 1 / config.batchSize;
    this.tokenWeight = isByToken ? 1 / (dataset.meanTokens * config.batchSize) : 0;
  }

  get config(): TrainingConfig {
    return this.training;
  }

  /** Steps done in total, over all schedules. */
  get totalSteps(): number {
    return this.earlierSteps + this.stepsDone;
  }

  /** Whether all steps of the schedule are done, and no other begins by itself. */
  get isOver(): boolean {
    const { steps, schedule = "linear" } = this.training;
    return schedule === "linear" && this.stepsDone >= steps;
  }

  /**
   * Begins another schedule of the same kind; Adam's state stays.
   * @throws InputError for an invalid number of steps or learning rate
   */
  beginSchedule(steps: number, learningRate: number): void {
    const config = { ...this.training, steps, learningRate };
    checkTrainingConfig(config);
    this.training = config;
    this.fall = fallOf(config);
    this.earlierSteps += this.stepsDone;
    this.stepsDone = 0;
  }

  get isBetweenBatches(): boolean {
    return this.documentsLeft === this.training.batchSize;
  }

  /** The state after the last update. It has nothing of an unfinished batch, whose names will be drawn again. */
  get state(): TrainingState {
    const { totalSteps, stepsDone } = this;
    const { position } = this.random;
    if (this.isBetweenBatches) return { totalSteps, stepsDone, random: position, nextName: this.nextDocument };
    const random = { ...position, state: this.firstState >>> 0 };
    return { totalSteps, stepsDone, random, nextName: this.firstDocument };
  }

  /** Resumes from a state; the parameters and Adam's moments must have been restored. */
  restore(state: TrainingState): void {
    this.earlierSteps = state.totalSteps - state.stepsDone;
    this.stepsDone = state.stepsDone;
    this.lastLoss = undefined;
    this.beginBatch(state);
  }

  /** Starts over with new parameters: clears Adam's state. */
  reset(): void {
    this.adam.m.fill(0);
    this.adam.v.fill(0);
    this.restore({ totalSteps: 0, stepsDone: 0, random: this.random.position, nextName: 0 });
  }

  /** Discards an unfinished batch: its names will be drawn again. */
  abandonBatch(): void {
    this.beginBatch(this.state);
  }

  private beginBatch({ random, nextName }: TrainingState): void {
    this.random.goTo(random);
    this.nextDocument = nextName;
    this.documentsLeft = this.training.batchSize;
    this.lossSum = this.weight = 0;
  }

  /**
   * Computes the gradients of a name, to measure the time. Only between two batches: it overwrites the gradients. Without
   * gradients it does nothing.
   */
  warmUpDocument(index: number): void {
    if (this.updatesAtOnce) return;
    const rows = loadDocument(this.model, this.dataset, index, this.tokens);
    if (rows > 0) this.computeGradients(this.tokens, rows, 1 / rows, false);
  }

  /** Runs an update that changes no parameter, likewise. */
  warmUpUpdate(): void {
    this.adam.warmUp();
  }

  /**
   * Trains on a whole batch; returns the loss of the step, as trainDocument() does. Allocates nothing, but 100 bytes
   * where a schedule begins again.
   * @throws RangeError if the schedule is over: its learning rate would be below zero
   */
  step(): Loss {
    if (this.stepsDone >= this.training.steps) this.repeatSchedule();
    let loss: Loss | undefined;
    do loss = this.trainDocument();
    while (loss === undefined);
    return loss;
  }

  /**
   * Draws a name and adds its gradients to those of the batch; after the last name of a batch, updates the
   * parameters. Returns undefined before that, then the loss of the step: the mean over its names, or over its
   * tokens if the preset weighs tokens. A loss that is not finite changes no parameter, and does not count as a step; in
   * i32 the training has diverged when an update clamps a weight.
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
      const how = this.updatesAtOnce ? this.adam.begin(this.totalSteps, this.nextRate) : this.weight > 0;
      const loss = this.pass(tokens, rows, tokenWeight || this.documentWeight / rows, how);
      if (loss - loss !== 0) {
        // The batch is no step: its names will be drawn again.
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

  /**
   * One update on a document that comes just now, beside the schedule: it adds to totalSteps, not to stepsDone, and the
   * learning rate is constant, so that a device can learn for ever. An unfinished batch is discarded: its names will be
   * drawn again. Otherwise it allocates nothing, unless the document has names, or is in another form of Unicode than
   * the vocabulary.
   * @param document a text, or the numbers of its symbols
   * @param learningRate by default that of the schedule's first step
   * @returns the document's loss before the update, the mean over its tokens in nats; "diverged" as trainDocument() does
   * @throws InputError if the document is empty, has a symbol outside the vocabulary or is too long, or for an invalid
   * learning rate; nothing has changed then
   */
  learn(document: Document, learningRate = this.training.learningRate): Loss {
    checkSetting("learning_rate", learningRate, "learning-rate");
    const tokens = this.tokens;
    const rows = encodeDocument(this.model, document, tokens);
    if (!this.isBetweenBatches) this.abandonBatch();
    // The weight of a batch of one.
    const weight = this.tokenWeight * this.training.batchSize || 1 / rows;
    const how = this.updatesAtOnce && this.adam.begin(this.totalSteps, learningRate);
    const loss = this.pass(tokens, rows, weight, how);
    if (loss - loss !== 0) return "diverged";
    const isInRange = this.adam.update(this.totalSteps, learningRate);
    this.earlierSteps++;
    this.learningRate = learningRate;
    this.lastLoss = loss;
    return isInRange ? loss : "diverged";
  }

  /** After the last step of a schedule, begins the next. @throws RangeError if that does not begin by itself */
  repeatSchedule(): void {
    const { steps, learningRate } = this.training;
    if (this.isOver) throw new RangeError(`All ${steps} steps of the schedule are done: begin another.`);
    this.beginSchedule(steps, learningRate);
  }

  /** Learning rate of the next step. */
  private get nextRate(): number {
    return this.training.learningRate * (1 - this.stepsDone / this.fall);
  }

  private update(): Loss {
    const step = this.stepsDone;
    const config = this.training;
    const weight = this.weight;
    const learningRate = this.nextRate;
    this.learningRate = learningRate;
    this.stepsDone = step + 1;
    this.documentsLeft = config.batchSize;
    if (weight === 0) return "passed over";
    const loss = this.lossSum / weight;
    this.lastLoss = loss;
    this.lossSum = this.weight = 0;
    return this.adam.update(this.earlierSteps + step, learningRate) ? loss : "diverged";
  }

  /**
   * Sets `gradients` to those of the loss over tokens 0 to `rows` or, with `accumulate`, adds them. If the loss is not
   * finite, nothing changes. Returns the mean loss.
   * @param weight weight of each token: 1 / rows gives the gradient of the mean loss
   * @throws RangeError if this training keeps no gradients
   */
  computeGradients(tokens: Uint8Array, rows: number, weight: number, accumulate: boolean): number {
    if (this.updatesAtOnce) throw new RangeError("This training keeps no gradients: see canUpdateAtOnce().");
    return this.pass(tokens, rows, weight, accumulate);
  }

  /** The forward and the backward pass; also one that updates the weights at once: see Accumulate. */
  private pass(tokens: Uint8Array, rows: number, weight: number, accumulate: Accumulate): number {
    const model = this.model;
    forward(model, tokens, 0, rows);
    const logits = model.activations.logits;
    const loss = model.ops.softmaxCrossEntropy(logits, tokens, rows, model.shape.vocabulary, weight);
    if (loss - loss === 0) backward(model, this.targets, this.activationGradients, tokens, rows, accumulate);
    return loss;
  }

  private drawName(): number {
    const own = this.dataset.own;
    // Without words of the user the random stream is that of the published programs.
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

function fallOf({ schedule, steps }: TrainingConfig): number {
  return schedule === "constant" ? Infinity : steps;
}

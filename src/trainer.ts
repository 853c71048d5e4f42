import { Adam } from "./adam";
import { backward, createFlow, type Flow } from "./backward";
import { checkTrainingConfig, PRESETS, type TrainingConfig } from "./config";
import type { Dataset } from "./dataset";
import { InputError } from "./errors";
import { forward } from "./forward";
import { Holdout } from "./holdout";
import { allocate } from "./layout";
import type { Model } from "./model";
import type { Floats } from "./ops";
import { viewWeights, type Weights } from "./parameters";
import type { Random } from "./random";
import { VOCABULARY_SIZE } from "./tokenizer";

/**
 * Trains a model, one name a step. Everything is allocated when it is made; step() allocates nothing,
 * and returns soon enough that an event loop can live beside it.
 */
export class Trainer {
  /** Steps done. */
  stepsDone = 0;
  /** The name that the last step drew. */
  nameIndex = -1;
  readonly adam: Adam;
  readonly gradients: Floats;
  private readonly gradientViews: Weights;
  private readonly flow: Flow;
  private readonly tokens: Uint8Array;
  private readonly holdout: Holdout | undefined;
  private nextName = 0;

  /** @throws InputError when the configuration or the dataset leaves nothing to train on */
  constructor(
    readonly model: Model,
    readonly dataset: Dataset,
    private readonly random: Random,
    readonly config: TrainingConfig,
  ) {
    checkTrainingConfig(config);
    checkFits(model, dataset);
    const { ops, parameters } = model;
    this.holdout = config.holdout > 0 ? new Holdout(dataset, config.holdout) : undefined;
    this.gradients = allocate(ops.dtype, parameters.length);
    this.gradientViews = viewWeights(ops, this.gradients, model.config);
    this.flow = createFlow(ops, model.config);
    this.adam = new Adam(ops, parameters, this.gradients);
    this.tokens = new Uint8Array(model.config.blockSize + 1);
  }

  /** Of the step to come: it falls linearly from the first step's to zero. */
  get learningRate(): number {
    return this.config.learningRate * (1 - this.stepsDone / this.config.steps);
  }

  /** Draws a name and trains on it: returns its loss, or undefined when it was too long and passed over. */
  step(): number | undefined {
    this.nameIndex = this.drawName();
    const rows = loadName(this.model, this.dataset, this.nameIndex, this.tokens);
    let loss: number | undefined;
    if (rows > 0) {
      loss = this.computeGradients(this.tokens, rows);
      this.adam.update(this.stepsDone, this.learningRate);
    }
    this.stepsDone++;
    return loss;
  }

  /** Sets `gradients` to those of the loss over tokens 0 to `rows`, and returns the loss. */
  computeGradients(tokens: Uint8Array, rows: number): number {
    const { ops, activations } = this.model;
    forward(this.model, tokens, 0, rows);
    const loss = ops.softmaxCrossEntropy(activations.logits, tokens, rows, VOCABULARY_SIZE);
    backward(this.model, this.gradientViews, this.flow, tokens, rows);
    return loss;
  }

  /** The mean loss over (a sample of) the names held out; undefined where there are none. */
  validationLoss(): number | undefined {
    const { model, dataset, holdout, tokens } = this;
    if (!holdout) return undefined;
    let sum = 0;
    let count = 0;
    for (let i = 0; i < holdout.sample.length; i++) {
      const loss = nameLoss(model, dataset, holdout.sample[i], tokens);
      if (loss === undefined) continue;
      sum += loss;
      count++;
    }
    return count > 0 ? sum / count : undefined;
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

/** The loss of name `index`, without training; undefined when it does not fit. `tokens`: block_size + 1. */
export function nameLoss(model: Model, dataset: Dataset, index: number, tokens: Uint8Array): number | undefined {
  const rows = loadName(model, dataset, index, tokens);
  if (rows === 0) return undefined;
  forward(model, tokens, 0, rows);
  return model.ops.softmaxCrossEntropy(model.activations.logits, tokens, rows, VOCABULARY_SIZE);
}

/** @throws InputError when every name is longer than the block and would be passed over */
export function checkFits(model: Model, dataset: Dataset): void {
  const { preset, blockSize } = model.config;
  if (PRESETS[preset].cutsLongNames || dataset.shortest + 1 <= blockSize) return;
  throw new InputError(
    `${dataset.source} has no name that fits block_size ${blockSize}, which takes ${blockSize - 1} letters: ` +
      `the shortest, on line ${dataset.shortestLine}, has ${dataset.shortest}.`,
  );
}

/** Puts name `index` into `tokens` and returns how many positions it has; 0 when it is to be passed over. */
function loadName(model: Model, dataset: Dataset, index: number, tokens: Uint8Array): number {
  const { preset, blockSize } = model.config;
  const rows = dataset.tokens(index, tokens) - 1;
  if (rows <= blockSize) return rows;
  return PRESETS[preset].cutsLongNames ? blockSize : 0;
}

import { loadModel, saveCheckpoint } from "./checkpoint";
import {
  checkInteger,
  checkTemperature,
  DEFAULT_MODEL,
  DEFAULT_TRAINING,
  type ModelConfig,
  PRESETS,
  type TrainingConfig,
} from "./config";
import { Dataset } from "./dataset";
import { InputError } from "./errors";
import { Generator } from "./generate";
import { Model } from "./model";
import type { Ops } from "./ops";
import { drawParameters } from "./parameters";
import { checkRoom } from "./plan";
import type { Platform, Storage } from "./platform";
import { Random } from "./random";
import { Trainer } from "./trainer";

/** Training goes on for about this many milliseconds before the event loop gets its turn. */
const SLICE_MILLISECONDS = 50;

/** What to train. Whatever is left out comes from the checkpoint or the preset. */
export interface AppConfig {
  readonly model: Partial<ModelConfig>;
  readonly training: Partial<TrainingConfig>;
  readonly seed: number;
  /** How many names to generate after training. */
  readonly samples: number;
  readonly temperature?: number;
  /** The log has a line every so many steps, and one for the last. */
  readonly logEvery: number;
  /** A checkpoint to start from instead of drawing the weights. */
  readonly init?: string;
  /** Where to save a checkpoint when training ends. */
  readonly save?: string;
}

export const DEFAULT_APP: AppConfig = Object.freeze({
  model: Object.freeze({}),
  training: Object.freeze({}),
  seed: 42,
  samples: 20,
  logEvery: 100,
});

/** Told of what the app does, as it happens. */
export interface AppObserver {
  /** After each step; there is no loss when the name was passed over. */
  step?(trainer: Trainer, loss: number | undefined, learningRate: number, validationLoss: number | undefined): void;
  /** Training has ended, and the checkpoint is saved; `milliseconds` is the training alone. */
  trained?(trainer: Trainer, milliseconds: number): void;
  /** The app has nothing more to do; `stopped` when stop() ended it. */
  done?(stopped: boolean): void;
}

/**
 * The device program: trains a model on the platform's names, in slices that leave the event loop
 * room, and then generates some. The log is line for line that of the original.
 */
export class App {
  readonly trainer: Trainer;
  private readonly random: Random;
  /** Of the names to generate. */
  readonly temperature: number;
  private started = 0;
  private stopping = false;
  private lastLoss: number | undefined;

  /** @throws InputError when the configuration, the dataset or the checkpoint will not do */
  constructor(
    private readonly platform: Platform,
    private readonly config: AppConfig,
    ops: Ops,
    private readonly observer: AppObserver = {},
  ) {
    checkInteger("samples", config.samples, 0, 1e9);
    checkInteger("log-every", config.logEvery, 1, 1e9);
    const dataset = new Dataset(platform.names, platform.namesFile, platform.skipLines);
    this.random = new Random(config.seed);
    const check = (wanted: ModelConfig): void => {
      const room = platform.room();
      if (room) checkRoom(wanted, room, dataset.indexBytes, ops.dtype);
    };
    const model =
      config.init === undefined
        ? drawnModel(config, ops, this.random, check)
        : loadModel(storageOf(platform), config.init, config.model, ops, check);
    const preset = PRESETS[model.config.preset];
    this.temperature = config.temperature ?? preset.temperature;
    checkTemperature(this.temperature);
    const training = { ...DEFAULT_TRAINING, sampling: preset.sampling, ...config.training };
    this.trainer = new Trainer(model, dataset, this.random, training);
    // A folder that cannot be written to is better found before the training than after it.
    if (config.save !== undefined) storageOf(platform).create(config.save).abort();
  }

  start(): void {
    const { model, dataset, config } = this.trainer;
    const { nHead, nEmbd } = model.config;
    this.line(`=== esp32gpt: microgpt in TypeScript on ${this.platform.engine} ===`);
    this.line(`Model: ${model.parameters.length} params, ${nHead} heads, ${nEmbd}-dim embeddings`);
    this.line(`Dataset: ${dataset.count} names loaded from flash`);
    this.line(`Training for ${config.steps} steps...`);
    this.started = this.platform.now();
    this.platform.schedule(() => this.trainSlice());
  }

  /** Ends training after the step under way: the checkpoint is saved, no names are generated. */
  stop(): void {
    this.stopping = true;
  }

  /** Where things stand, in a line. */
  status(): string {
    const { stepsDone, config } = this.trainer;
    return `Step ${stepsDone} of ${config.steps}${this.lastLoss === undefined ? "" : `, loss ${this.lastLoss.toFixed(4)}`}.`;
  }

  private trainSlice(): void {
    const { trainer, platform } = this;
    const until = platform.now() + SLICE_MILLISECONDS;
    while (!this.stopping && trainer.stepsDone < trainer.config.steps) {
      this.trainStep();
      if (platform.now() >= until) break;
    }
    if (!this.stopping && trainer.stepsDone < trainer.config.steps) platform.schedule(() => this.trainSlice());
    else this.finish();
  }

  private trainStep(): void {
    const { trainer, observer } = this;
    const { steps } = trainer.config;
    const step = trainer.stepsDone;
    const { learningRate } = trainer;
    const loss = trainer.step();
    this.lastLoss = loss ?? this.lastLoss;
    const isLogged = step % this.config.logEvery === 0 || step === steps - 1;
    const validationLoss = isLogged ? trainer.validationLoss() : undefined;
    if (isLogged) this.line(stepLine(step, steps, loss, validationLoss));
    if (observer.step) observer.step(trainer, loss, learningRate, validationLoss);
  }

  private finish(): void {
    const { trainer, platform, config, observer } = this;
    const milliseconds = platform.now() - this.started;
    if (this.stopping) this.line(`Stopped after ${trainer.stepsDone} of ${trainer.config.steps} steps.`);
    if (config.save !== undefined) {
      saveCheckpoint(storageOf(platform), config.save, trainer.model, trainer.stepsDone, trainer.adam);
      if (this.stopping) this.line(`Saved to ${config.save}.`);
    }
    observer.trained?.(trainer, milliseconds);
    if (!this.stopping) {
      this.generateNames();
      this.line("=== Done ===");
    }
    observer.done?.(this.stopping);
  }

  private generateNames(): void {
    const { temperature } = this;
    const { samples } = this.config;
    if (samples === 0) return;
    this.line(`--- Generated names (temperature=${temperature}) ---`);
    const generator = new Generator(this.trainer.model, this.random);
    for (let i = 1; i <= samples; i++) this.line(`${String(i).padStart(4)}. ${generator.name(temperature)}`);
  }

  private line(text: string): void {
    this.platform.write(`${text}\n`);
  }
}

function stepLine(step: number, steps: number, loss?: number, validationLoss?: number): string {
  const result = loss === undefined ? "name too long, passed over" : `loss = ${loss.toFixed(4)}`;
  const validation = validationLoss === undefined ? "" : `, validation loss = ${validationLoss.toFixed(4)}`;
  return `step ${String(step).padStart(4)}/${steps}: ${result}${validation}`;
}

function drawnModel(appConfig: AppConfig, ops: Ops, random: Random, check: (config: ModelConfig) => void): Model {
  const config = { ...DEFAULT_MODEL, ...appConfig.model };
  check(config);
  const model = new Model(config, ops);
  drawParameters(model.parameters, random, PRESETS[config.preset].initStd);
  return model;
}

/** @throws InputError where there is none */
export function storageOf({ storage, engine }: Platform): Storage {
  if (!storage) throw new InputError(`There is no storage on ${engine}.`);
  return storage;
}

import type { SamplingLimits } from "../../src/gpt/model/config";
import { checkInteger, InputError, printablePath } from "../../src/gpt/base/errors";
import { areFinite } from "../../src/gpt/model/are-finite";
import { allocate } from "../../src/gpt/model/layout";
import { drawParameters } from "../../src/gpt/model/parameters";
import type { Numbers } from "../../src/gpt/model/ops";
import { Random } from "../../src/gpt/model/random";
import { typescriptOps } from "../../src/gpt/model/typescript-ops";
import type { Clock, Platform, MemoryBudget } from "../../src/gpt/base/platform";
import { doSteps } from "../../src/device/commands/training";
import { addWord, forgetWord } from "../../src/device/commands/words";
import { adopt } from "../../src/device/commands/transfer";
import { Device } from "../../src/device/device";
import type { Event } from "../../src/protocol/events";
import { ALL_FILES, RECEIVED, STORED } from "../../src/device/checkpoint-files";
import { saveTraining } from "../../src/gpt/checkpoint/training-checkpoint";
import { Runner } from "../../src/gpt/base/runner";
import { readSettings } from "../../src/device/settings";
import { drawLetter } from "./draw";
import { inspect, type Inspection } from "./inspection";
import { PairCount } from "./pair-count";
import type { Draw, Drawing, Omission, WhatIf } from "./questions";
import { askWhatIf } from "./what-if";
import { LastUpdate } from "./last-update";
import {
  type StartMessage,
  type TrainingUpdate,
  type OwnWord,
  type Ready,
  type Requests,
  type Sample,
  SHOWN,
  type WeightCurve,
  type WeightReading,
} from "./messages";
import { WeightHistory } from "./weight-history";
import { recordStep, recordWhatIf } from "./recorded-step";
import type { StepRecording } from "./step-recording";
import { inheritOwnWords, measureOwnWords } from "./own-words";
import { Samples } from "./samples";
import { PageStorage } from "../../src/places/browser/storage";
import { View } from "./view";

/** A memory limit beyond any model that is practical in a page. */
const ROOM: MemoryBudget = { total: 256 << 20, largestPiece: 256 << 20 };
/** Interval between saves, in seconds of training. */
const SAVE_EVERY = 2;
/** With a limited speed: maximum number of timer ticks per second. */
const PACES = 50;
const MAX_NAMES = 100;
/** Documents of the dataset that the page shows. */
const EXAMPLES = 3;
/** Duration of the warm-up before a training, in milliseconds. */
const WARM_UP = 80;
/** Pairs are counted for this many milliseconds at a time; while it trains, with a pause in between. */
const COUNTING = 8;
const COUNTING_PAUSE = 200;
/** Maximum number of documents among which an example is looked for. */
const MAX_LOOKED_AT = 10_000;

/** The event loop of a worker. */
export interface WorkerClock extends Clock {
  wait(milliseconds: number): Promise<void>;
}

/** The device program in a worker of the page. */
export class TrainingWorker implements Requests {
  private readonly samples: Samples;
  private untrained: readonly Sample[] = [];
  private readonly lastUpdate: LastUpdate;
  private readonly history: WeightHistory;
  private speed = Infinity;
  private isRunning = false;
  private isPacing = false;

  private constructor(
    private readonly device: Device,
    private readonly storage: PageStorage,
    private readonly clock: WorkerClock,
    private readonly view: View,
    private readonly emit: (update: TrainingUpdate) => void,
  ) {
    const { trainer } = device;
    this.samples = new Samples(device);
    this.lastUpdate = new LastUpdate(trainer);
    this.history = new WeightHistory(trainer.model.parameters.length, trainer.model.parameterUnit);
  }

  /**
   * Prepares a new training, or resumes a saved one; it is paused.
   * @param broken called on an internal error
   * @throws InputError (as a rejection) when the settings, the dataset or the checkpoint are invalid
   */
  static async begin(
    { settings, names, namesFile, folder, isAfresh, ownWords, shown, checkpoint }: StartMessage,
    clock: WorkerClock,
    emit: (update: TrainingUpdate) => void,
    broken: (error: unknown) => void,
  ): Promise<TrainingWorker> {
    const view = new View();
    const storage = await PageStorage.open(folder, (file) => (file === STORED ? { [SHOWN]: view.saved } : {}));
    if (isAfresh) for (const name of ALL_FILES) await storage.remove(name);
    const platform: Platform = {
      place: "browser",
      names,
      namesFile,
      storage,
      ...bound(clock),
      memoryBudget: () => ROOM,
    };
    const device = new Device({
      platform,
      settings: readSettings({ ...settings, save_every: SAVE_EVERY }),
      // An object of its own, in which a recorder can take the place of the kernels.
      provideOps: (dtype) => ({ ...typescriptOps(dtype) }),
      write: () => undefined,
      onEvent: (event) => trainingWorker.onEvent(event),
    });
    const trainingWorker = new TrainingWorker(device, storage, clock, view, emit);
    device.pause();
    device.run().catch(broken);
    await device.runBetweenSteps(() => undefined);
    if (shown) view.restore(shown, device.trainer.stepsDone);
    if (checkpoint) await trainingWorker.adopt(checkpoint);
    // A training that goes on has the words that are stored with it.
    if (device.trainer.stepsDone === 0 && ownWords.length > 0) {
      const lost = inheritOwnWords(device, ownWords);
      if (lost !== "") emit({ type: "remark", message: lost });
      await device.saveSoon();
    }
    trainingWorker.warmUp();
    trainingWorker.untrained = trainingWorker.samples.untrained();
    trainingWorker.beginHistory();
    return trainingWorker;
  }

  get ready(): Ready {
    const { seed, trainer } = this.device;
    const { model, dataset, stepsDone, config } = trainer;
    return {
      seed,
      parameters: model.parameters.length,
      names: dataset.count,
      vocabulary: String(model.vocabulary),
      longest: dataset.longest,
      example: this.example(),
      examples: Array.from({ length: Math.min(EXAMPLES, dataset.count) }, (_, i) => this.document(i)),
      untrained: this.untrained,
      indexBytes: dataset.indexBytes,
      stepsDone,
      steps: config.steps,
      isKept: this.storage.isLasting,
      ownWords: measureOwnWords(this.device),
    };
  }

  resume(): void {
    if (!this.device.isUnderWay) throw new InputError("The training is over: start again.");
    this.isRunning = true;
    this.move();
  }

  async pause(): Promise<void> {
    this.isRunning = false;
    this.device.pause();
    await this.device.saveSoon();
  }

  save(): Promise<void> {
    return this.device.saveSoon();
  }

  halt(): void {
    this.isRunning = false;
    this.device.pause();
  }

  async step(): Promise<void> {
    this.isRunning = false;
    await doSteps(this.device, 1);
    await this.device.saveSoon();
  }

  setSpeed(stepsPerSecond: number): void {
    this.speed = stepsPerSecond;
    if (this.isRunning) this.move();
  }

  generate(count: number, temperature: number, prefix: string, limits: SamplingLimits): Sample[] {
    checkInteger("The number of names", count, 1, MAX_NAMES);
    return this.samples.generate(count, temperature, prefix, limits);
  }

  words(): Sample[] {
    return this.samples.shown();
  }

  async pairLoss(): Promise<number> {
    const { clock } = this;
    const pairs = new PairCount(this.device.trainer);
    const now = (): number => clock.now();
    while (pairs.count(now() + COUNTING, now)) await clock.wait(this.isRunning ? COUNTING_PAUSE : 0);
    return pairs.loss;
  }

  inspect(text: string): Inspection {
    return inspect(this.device.trainer.model, text);
  }

  draw(drawing: Drawing): Draw {
    return drawLetter(this.device.trainer.model, drawing);
  }

  whatIf(omission: Omission): Promise<WhatIf> {
    const { trainer, seed, settings } = this.device;
    return askWhatIf(trainer, omission, { clock: this.clock, seed, temperature: settings.value("temperature") });
  }

  weights(): Float32Array {
    const { parameters } = this.device.trainer.model;
    if (!(parameters instanceof Int32Array) && !areFinite(parameters))
      throw new InputError(
        "The model's numbers are not finite, so there is nothing to see: train it again, with a lower learning rate.",
      );
    return this.floatsOf(parameters);
  }

  drawnWeights(): Float32Array {
    const { seed, trainer } = this.device;
    const { ops, config, parameters } = trainer.model;
    const drawn = allocate(ops.dtype, parameters.length);
    drawParameters(drawn, new Random(seed), config, ops);
    return this.floatsOf(drawn);
  }

  weight(index: number): WeightReading {
    return this.lastUpdate.reading(index);
  }

  weightCurve(index: number): WeightCurve {
    return this.history.curve(index);
  }

  async checkpoint(): Promise<Uint8Array> {
    const { device } = this;
    // In memory, so that it also works without browser storage.
    const storage = PageStorage.inMemory("");
    const runner = new Runner(device.context.platform);
    await device.runBetweenSteps(() => {
      const { trainer, seed } = device;
      return saveTraining(runner, storage, STORED, { trainer, seed });
    });
    const bytes = await storage.read(STORED);
    if (!bytes) throw new Error("the checkpoint that was saved is not there");
    return bytes;
  }

  async recordStep(layer: number): Promise<StepRecording> {
    if (this.isRunning) await this.pause();
    const recording = await recordStep(this.device, layer);
    await this.device.saveSoon();
    return recording;
  }

  async recordWhatIf(word: string | undefined, layer: number): Promise<StepRecording> {
    const { device } = this;
    if (this.isRunning) await this.pause();
    return device.runBetweenSteps(() => recordWhatIf(device.trainer, word, layer));
  }

  addWord(word: string): Promise<void> {
    const { device } = this;
    return device.runBetweenSteps(() => addWord(device, word));
  }

  forgetWord(word: string): Promise<void> {
    const { device } = this;
    return device.runBetweenSteps(() => forgetWord(device, word));
  }

  ownWords(): Promise<readonly OwnWord[]> {
    const { device } = this;
    return device.runBetweenSteps(() => measureOwnWords(device));
  }

  /** Runs some steps first, so that the JIT compiler has optimised the code when the training starts. */
  private warmUp(): void {
    const { clock, device } = this;
    const { trainer } = device;
    const end = clock.now() + WARM_UP;
    for (let i = 0; clock.now() < end; i++) {
      trainer.warmUpDocument(i % trainer.dataset.count);
      trainer.warmUpUpdate();
    }
  }

  private beginHistory(): void {
    const { model, stepsDone } = this.device.trainer;
    this.lastUpdate.begin();
    this.history.take(stepsDone, model.parameters);
  }

  /** Numbers of the parameters as floats. */
  private floatsOf(numbers: Numbers): Float32Array {
    const { parameterUnit } = this.device.trainer.model;
    const floats = new Float32Array(numbers.length);
    if (parameterUnit === 1) floats.set(numbers);
    else for (let i = 0; i < floats.length; i++) floats[i] = (numbers[i] ?? 0) * parameterUnit;
    return floats;
  }

  private async adopt({ file: name, bytes }: NonNullable<StartMessage["checkpoint"]>): Promise<void> {
    const file = await this.storage.create(RECEIVED);
    file.write(bytes);
    await file.commit();
    await adopt(this.device, printablePath(name)).finally(() => this.storage.remove(RECEIVED));
  }

  /** Trains at the set speed. */
  private move(): void {
    if (this.speed === Infinity) this.device.resume();
    else if (!this.isPacing) void this.pace();
  }

  private async pace(): Promise<void> {
    const { clock, device } = this;
    this.isPacing = true;
    let at = clock.now();
    while (this.isRunning && this.speed < Infinity && device.isUnderWay) {
      const steps = Math.max(1, Math.round(this.speed / PACES));
      await device.step(steps);
      at = Math.max(at + (1000 * steps) / this.speed, clock.now());
      await clock.wait(at - clock.now());
    }
    this.isPacing = false;
  }

  private onEvent(event: Event): void {
    this.view.onEvent(event);
    if (event.type === "step") {
      if (typeof event.loss === "number") this.lastUpdate.take();
      this.history.take(event.step + 1, this.device.trainer.model.parameters);
    }
    if (event.type === "name") this.emitName(this.samples.of(event.name));
    else this.emit(event);
    // The names after the last step are not in its save.
    if (event.type === "done") void this.device.saveSoon();
    if (event.type === "error" || event.type === "trained") this.isRunning = false;
  }

  /** A name that was generated after the training. */
  private emitName(name: Sample): void {
    this.view.add(name);
    this.emit({ type: "sample", ...name });
  }

  /** The first document that fits the model. */
  private example(): string {
    const { model, dataset } = this.device.trainer;
    const tokens = new Uint8Array(model.config.blockSize + 1);
    const most = Math.min(dataset.count, MAX_LOOKED_AT);
    for (let index = 0; index < most; index++)
      if (dataset.tokens(index, tokens) <= tokens.length) return this.document(index);
    return this.document(0);
  }

  /** A document of the dataset, cut to what fits the model. */
  private document(index: number): string {
    const { model, dataset } = this.device.trainer;
    const tokens = new Uint8Array(model.config.blockSize + 1);
    const length = Math.min(dataset.tokens(index, tokens), tokens.length);
    return Array.from(tokens.subarray(1, length - 1), (token) => model.vocabulary.characterOf(token)).join("");
  }
}

/** A Platform's clock. */
function bound(clock: Clock): Clock {
  return { now: () => clock.now(), schedule: (slice) => clock.schedule(slice) };
}

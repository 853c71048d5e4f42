import { DEFAULT_MODEL, type TrainingConfig, trainingConfig } from "../config";
import { DeviceLog } from "./device-log";
import { InputError } from "../errors";
import type { DeviceState, Tell } from "./events";
import { Generator } from "../model/generate";
import { HalfLoaded, Keeper, RECEIVED, STORED } from "./keeping";
import { Model } from "../model/model";
import { drawParameters } from "../model/parameters";
import { besideCommands, checkRoom } from "../plan";
import { Random } from "../model/random";
import { Runner, type Task } from "./runner";
import { buildOf, type FirmwareSettings } from "./settings";
import { datasetOf, startOf, type Surroundings } from "./surroundings";
import type { Platform } from "../platform";
import { Trainer } from "../model/trainer";
import { Training } from "./training";
import { Transfer } from "./transfer";
import { Writing } from "./writing";

/** Milliseconds between two lines for programs that tell of steps. */
const TELL_EVERY = 200;
/** Commands that wait for the training to rest: each keeps some 4 KB of slots. */
const MOST_WAITING = 2;

/** Where a device runs. */
export interface DevicePlace {
  readonly platform: Platform;
  readonly settings: FirmwareSettings;
  readonly provideOps: Surroundings["provideOps"];
  /** Takes whole lines of the log. */
  readonly write: (text: string) => void;
  /** Is told of everything as it happens, and of every step, where somebody listens in the same program. */
  readonly hear?: Tell;
  /** Whether there is room for more lines: what was asked for waits, rather than be lost. */
  readonly hasRoom?: () => boolean;
  /** Starts everything anew, where that can be done. */
  readonly reboot?: () => void;
}

/**
 * The device program: it goes on where it was when the power went, or begins anew; trains, saves, writes
 * names, and idles. It is the same on a chip, on XS, on Node and in a page. What a console can ask of it is
 * in desk.ts.
 */
export class Device {
  readonly log: DeviceLog;
  readonly trainer: Trainer;
  readonly transfer: Transfer | undefined;
  readonly keeper: Keeper | undefined;
  /** With which the run began. */
  seed: number;
  temperature: number;
  /** Whether a checkpoint is about to replace what the trainer has. */
  isLoading = false;
  private readonly runner: Runner;
  private training: Training;
  /** With which step it began, and how long it has trained since then. */
  private readonly begun = { from: 0, milliseconds: 0 };
  private current: DeviceState = "idle";
  private isPaused = false;
  /** The steps that were asked for: with how many done it pauses, and whom to tell. */
  private stepping: { readonly until: number; readonly end: () => void } | undefined;
  private logEvery: number;
  private saveEvery: number;
  /** When the next save is due; milliseconds of the clock. */
  private saveAt = Infinity;
  private saveWaiting: Promise<void> | undefined;
  /** Whether a save was passed over, as the checkpoint was fetched. */
  private isSaveOwed = false;
  /** What is done once the training rests, and how to wake the device that idles. */
  private readonly waiting: (() => Promise<void>)[] = [];
  private wake: () => void = () => undefined;
  /** How often what can be cut short was. */
  private cuts = 0;

  /**
   * Allocates all that training needs.
   * @throws InputError when the settings or the dataset will not do, or there is no memory
   */
  constructor(readonly place: DevicePlace) {
    const { platform, settings, write, hear } = place;
    const { storage } = platform;
    this.log = new DeviceLog(write, hear);
    this.runner = new Runner(platform);
    const dataset = datasetOf(platform);
    const config = { ...DEFAULT_MODEL, ...settings.model, vocabularySize: dataset.vocabulary.size };
    const room = platform.room();
    if (room) checkRoom(config, besideCommands(room), dataset.indexBytes);
    const model = new Model(config, place.provideOps("f32", settings.ops), dataset.vocabulary);
    this.seed = settings.seed;
    this.temperature = settings.temperature;
    this.logEvery = settings.logEvery;
    this.saveEvery = settings.saveEvery;
    const schedule = this.schedule();
    this.trainer = new Trainer(model, dataset, new Random(this.seed), schedule);
    if (storage) {
      this.keeper = new Keeper(storage, this.runner, this.trainer, buildOf(settings, schedule), this.log.tell);
      this.transfer = new Transfer(storage, STORED, RECEIVED, platform, this.log.tell);
    }
    this.training = this.newTraining();
  }

  get state(): DeviceState {
    return this.current === "training" && this.isPaused ? "paused" : this.current;
  }

  /** Lives; rejects for mistakes in the program only. */
  async run(): Promise<never> {
    await this.begin();
    for (;;) {
      const next = this.waiting.shift();
      if (next) await next();
      else if (!this.isPaused && !this.training.isOver) await this.trainUntilRest();
      else await this.idle();
    }
  }

  /** With what is stored, or with fresh weights. */
  private async begin(): Promise<void> {
    const { keeper, trainer, place } = this;
    const { platform, settings } = place;
    this.isLoading = true;
    const seed = await keeper?.restoreOrKeep();
    this.isLoading = false;
    if (seed !== undefined) this.seed = seed;
    else {
      if (settings.isSeedRandom) this.say(`Seed: ${this.seed}`);
      this.drawWeights();
    }
    if (!keeper) this.say(platform.storageProblem ?? "There is no storage: what is learnt is lost at power-off.");
    this.training = this.newTraining();
    this.tellStart(false);
    const words = trainer.dataset.own?.count ?? 0;
    if (words > 0) this.say(`With ${words} words of your own.`);
    if (this.training.isOver)
      this.say(`It is trained already, ${trainer.totalSteps} steps${this.toConsole(": train N goes on for N more")}.`);
    this.saveAt = this.nextSave();
  }

  /** Trains until it is over, a save is due, or a command waits. */
  private async trainUntilRest(): Promise<void> {
    const { training, runner, place, log, begun } = this;
    const { platform } = place;
    this.enter("training");
    training.restAt = this.saveAt;
    const hasDoneSteps = (): boolean =>
      this.stepping !== undefined && this.trainer.stepsDone >= this.stepping.until && training.isBetweenSteps;
    const at = platform.now();
    try {
      await runner.run(this.stepping ? { work: (now) => training.work(now) && !hasDoneSteps() } : training);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const advice = this.keeper ? this.toConsole(" load goes back to the last checkpoint.") : "";
      log.tell({ type: "error", message: error.message + advice });
      this.pause();
      return;
    }
    const now = platform.now();
    begun.milliseconds += now - at;
    if (training.isOver) await this.finish();
    else {
      if (hasDoneSteps()) this.pause();
      if (now >= this.saveAt) await this.saveBySelf();
    }
  }

  private async finish(): Promise<void> {
    this.endSteps();
    const { trainer, log, place, temperature, begun } = this;
    const { stepsDone, config } = trainer;
    log.tell({ type: "trained", ending: "done", stepsDone, steps: config.steps, ...begun });
    await this.saveBySelf();
    const { samples } = place.settings;
    if (samples > 0) {
      log.tell({ type: "names", temperature });
      // The stream itself stays where the checkpoint says it is.
      const generator = new Generator(trainer.model, trainer.random.copy());
      const write = (name: string, number: number): void => log.tell({ type: "name", number, name });
      await this.runToCut(new Writing(generator, samples, temperature, "", write)).catch((error: unknown) => {
        if (!(error instanceof InputError)) throw error;
        log.tell({ type: "error", message: error.message });
      });
    }
    log.tell({ type: "done", job: "train", outcome: "done" });
  }

  private idle(): Promise<void> {
    this.enter(this.training.isOver ? "idle" : "paused");
    return new Promise((wake) => (this.wake = wake));
  }

  private enter(state: DeviceState): void {
    const isNew = this.current !== state;
    this.current = state;
    if (isNew) this.tellState();
  }

  // --- training ---

  /** A schedule of the build's settings, or of another number of steps. */
  schedule(steps?: number): TrainingConfig {
    const { model, training } = this.place.settings;
    const wanted = steps === undefined ? training : { ...training, steps };
    return trainingConfig(model.preset ?? DEFAULT_MODEL.preset, wanted);
  }

  /** Whether there are steps to do. */
  get isUnderWay(): boolean {
    return !this.training.isOver;
  }

  /** Whether it trains, or will as soon as nothing else must be done. */
  get isTraining(): boolean {
    return this.isUnderWay && !this.isPaused;
  }

  pause(): void {
    this.isPaused = true;
    this.training.rest();
    this.endSteps();
  }

  resume(): void {
    this.isPaused = false;
    this.endSteps();
    this.wake();
  }

  /** Does so many steps, with the measurement that follows the last, and pauses; resolves then, or when it is paused before. */
  step(count: number): Promise<void> {
    this.resume();
    this.training.rest();
    return new Promise((end) => (this.stepping = { until: this.trainer.stepsDone + count, end }));
  }

  private endSteps(): void {
    this.stepping?.end();
    this.stepping = undefined;
  }

  /** While the training rests: fresh weights, by the seed of the run. */
  drawWeights(): void {
    const { model, random } = this.trainer;
    random.goTo(new Random(this.seed).position);
    drawParameters(model.parameters, random, model.config);
    this.trainer.reset();
  }

  /** While the training rests: goes on from where the trainer now is. */
  goOn(isTraining: boolean): void {
    this.training = this.newTraining();
    this.isPaused = !isTraining;
    this.endSteps();
    this.saveAt = this.nextSave();
    this.tellState();
  }

  private newTraining(): Training {
    this.begun.from = this.trainer.stepsDone;
    this.begun.milliseconds = 0;
    return new Training(this.trainer, this.logEvery, this.tellEvery, this.log.tell);
  }

  /** Does what must not meet a training under way; resolves or rejects with it. */
  whileResting<T>(work: () => Promise<T> | T): Promise<T> {
    if (this.waiting.length >= MOST_WAITING)
      return Promise.reject(new InputError("Too much waits already: try again in a moment."));
    return this.onceResting(work);
  }

  private onceResting<T>(work: () => Promise<T> | T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.waiting.push(async () => {
        try {
          resolve(await work());
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          reject(error);
        }
      });
      this.training.rest();
      this.wake();
    });
  }

  /** Lets a checkpoint replace what the trainer has; goes on training where it did. */
  whileLoading(load: () => Promise<void>): Promise<void> {
    return this.whileResting(async () => {
      const isTraining = this.isTraining && !this.stepping;
      this.isLoading = true;
      try {
        await load();
        this.goOn(isTraining);
      } catch (error) {
        if (error instanceof HalfLoaded) this.isPaused = true;
        throw error;
      } finally {
        this.isLoading = false;
      }
    });
  }

  /** Runs a task until it is over, or cut short: then it resolves to false. */
  async runToCut(task: Task): Promise<boolean> {
    const { cuts } = this;
    await this.runner.run({ work: (now) => this.cuts === cuts && task.work(now) });
    return this.cuts === cuts;
  }

  /** The same for one that answers in lines: it waits for room for them. */
  runPaced(task: Task): Promise<boolean> {
    const { hasRoom } = this.place;
    return this.runToCut(hasRoom ? { work: (now) => !hasRoom() || task.work(now) } : task);
  }

  cut(): void {
    this.cuts++;
  }

  // --- saving ---

  private nextSave(): number {
    return this.saveEvery > 0 ? this.place.platform.now() + 1000 * this.saveEvery : Infinity;
  }

  /** While the training rests. A checkpoint that is being fetched stays as it is. */
  async saveBySelf(): Promise<void> {
    this.saveAt = this.nextSave();
    const { keeper } = this;
    if (!keeper) return;
    this.isSaveOwed = this.transfer?.isFetching ?? false;
    if (this.isSaveOwed) return;
    await this.saving(() => keeper.saveOrSay(this.seed));
  }

  /** When a fetch is over. */
  saveWhatWaited(): void {
    if (this.isSaveOwed) void this.saveSoon();
  }

  /** While the training rests. */
  async saving(save: () => Promise<void>): Promise<void> {
    const before = this.current;
    this.enter("saving");
    try {
      await save();
    } finally {
      this.saveAt = this.nextSave();
      this.enter(before);
    }
  }

  /** Changes that come one after the other share a save; resolves when it is over, or has been told to have failed. */
  saveSoon(): Promise<void> {
    this.tellState();
    if (!this.keeper) return Promise.resolve();
    return (this.saveWaiting ??= this.onceResting(() => {
      this.saveWaiting = undefined;
      return this.saveBySelf();
    }));
  }

  setSaveEvery(seconds: number): void {
    this.saveEvery = seconds;
    this.saveAt = this.nextSave();
    this.training.rest();
  }

  // --- telling ---

  setLogEvery(steps: number): void {
    this.logEvery = this.training.logEvery = steps;
  }

  /** For programs, or for people. */
  setLog(isJson: boolean): void {
    if (isJson) {
      this.log.beginJson(this.place.settings.version, this.place.platform.place);
      this.tellState();
    } else this.log.beginText();
    this.training.setTellEvery(this.tellEvery);
  }

  private get tellEvery(): number {
    if (this.place.hear) return 0;
    return this.log.isJson ? TELL_EVERY : Infinity;
  }

  get intervals(): { readonly logEvery: number; readonly saveEvery: number } {
    return { logEvery: this.logEvery, saveEvery: this.saveEvery };
  }

  tellStart(isAgain: boolean): void {
    this.log.tell({ ...startOf(this.trainer, this.place.platform), ...(isAgain && { isAgain }) });
  }

  say(text: string): void {
    this.log.tell({ type: "answer", text });
  }

  /** Of a sentence, what names a command: who listens in the same program has none to type. */
  private toConsole(advice: string): string {
    return this.place.hear ? "" : advice;
  }

  private tellState(): void {
    const { stepsDone: step, totalSteps, lastLoss, config, dataset, model } = this.trainer;
    this.log.tell({
      type: "state",
      state: this.state,
      step,
      steps: config.steps,
      totalSteps,
      words: dataset.own?.count ?? 0,
      seed: this.seed,
      parameters: model.parameters.length,
      loss: lastLoss ?? null,
    });
  }
}

import { benchmark } from "./benchmark";
import { DEFAULT_MODEL, type TrainingConfig, trainingConfig } from "../config";
import type { Controls } from "./console";
import { DeviceLog } from "./device-log";
import { InputError } from "../errors";
import { Evaluation } from "./evaluation";
import type { DeviceState } from "./events";
import { checkWord } from "../data/fitting";
import { Generator } from "../model/generate";
import { Keeper, RECEIVED, STORED } from "./keeping";
import { Model } from "../model/model";
import { DEFAULT_SHARE, OwnWords } from "../data/own-words";
import { drawParameters } from "../model/parameters";
import { checkRoom, planMemory } from "../plan";
import { Random, siblingSeed } from "../model/random";
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
/** Commands that wait for the training to rest. */
const MOST_WAITING = 8;
/** Names between two events of progress. */
const PROGRESS_NAMES = 1000;

/** Where a device runs. */
export interface DevicePlace {
  readonly platform: Platform;
  readonly settings: FirmwareSettings;
  readonly provideOps: Surroundings["provideOps"];
  /** Takes whole lines of the log. */
  readonly write: (text: string) => void;
  /** Starts everything anew, where that can be done. */
  readonly reboot?: () => void;
}

/**
 * The device program: it goes on where it was when the power went, or begins anew; trains, saves, writes
 * names, and idles. In between its console is served. It is the same on a chip, on XS, on Node and in a page.
 */
export class Device implements Controls {
  readonly log: DeviceLog;
  readonly trainer: Trainer;
  readonly transfer: Transfer | undefined;
  private readonly runner: Runner;
  private readonly keeper: Keeper | undefined;
  private readonly generator: Generator;
  private training: Training;
  /** With which step it began, and when. */
  private begun = { from: 0, at: 0 };
  private seed: number;
  private temperature: number;
  private logEvery: number;
  private saveEvery: number;
  /** When the next save is due; milliseconds of the clock. */
  private saveAt = Infinity;
  private state: DeviceState = "idle";
  private isPaused = false;
  /** What is done once the training rests, and how to wake the device that idles. */
  private readonly waiting: (() => Promise<void>)[] = [];
  private isSaveWaiting = false;
  private wake: () => void = () => undefined;
  /** What writes, measures or times for the console, one at a time; and whether it is to end. */
  private isBusy = false;
  private isCut = false;

  /**
   * Allocates all that training needs.
   * @throws InputError when the settings or the dataset will not do, or there is no memory
   */
  constructor(private readonly place: DevicePlace) {
    const { platform, settings, write } = place;
    this.log = new DeviceLog(write);
    this.runner = new Runner(platform);
    const ops = place.provideOps("f32", settings.ops);
    const dataset = datasetOf(platform);
    const config = { ...DEFAULT_MODEL, ...settings.model, vocabularySize: dataset.vocabulary.size };
    const room = platform.room();
    if (room) checkRoom(config, room, dataset.indexBytes);
    const model = new Model(config, ops, dataset.vocabulary);
    this.seed = settings.seed;
    this.trainer = new Trainer(model, dataset, new Random(this.seed), this.schedule());
    this.generator = new Generator(model, new Random(siblingSeed(this.seed)));
    this.temperature = settings.temperature;
    this.logEvery = settings.logEvery;
    this.saveEvery = settings.saveEvery;
    const { storage } = platform;
    if (storage) {
      this.keeper = new Keeper(storage, this.runner, this.trainer, buildOf(settings, this.schedule()), this.log.tell);
      this.transfer = new Transfer(storage, platform, this.log.tell);
    }
    this.training = this.newTraining();
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

  /** What is stored, or fresh weights. */
  private async begin(): Promise<void> {
    const { keeper, place, trainer } = this;
    const seed = await keeper?.restoreOrKeep();
    if (seed === undefined) {
      if (place.settings.isSeedRandom) this.say(`Seed: ${this.seed}`);
      this.drawWeights();
    } else this.seed = seed;
    if (!keeper) this.say(place.platform.storageProblem ?? "There is no storage: what is learnt is lost at power-off.");
    this.training = this.newTraining();
    this.tellStart(false);
    const own = trainer.dataset.own?.count ?? 0;
    if (own > 0) this.say(`With ${own} words of your own.`);
    if (this.training.isOver) this.say(`It is trained already: ${this.status()} train N goes on for N steps.`);
    this.saveAt = this.nextSave();
  }

  private drawWeights(): void {
    const { model, random } = this.trainer;
    random.goTo(new Random(this.seed).position);
    drawParameters(model.parameters, random, model.config);
    this.trainer.reset();
  }

  private newTraining(): Training {
    this.begun = { from: this.trainer.stepsDone, at: this.place.platform.now() };
    return new Training(this.trainer, this.logEvery, this.log.isJson ? TELL_EVERY : Infinity, this.log.tell);
  }

  /** A schedule of the build's settings, or of another number of steps. */
  private schedule(steps?: number): TrainingConfig {
    const { model, training } = this.place.settings;
    return trainingConfig(
      model.preset ?? DEFAULT_MODEL.preset,
      steps === undefined ? training : { ...training, steps },
    );
  }

  /** Trains until it is over, a save is due, or a command waits. */
  private async trainUntilRest(): Promise<void> {
    const { training, runner, place, log } = this;
    this.enter("training");
    training.restAt = this.saveAt;
    try {
      await runner.run(training);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      log.tell({ type: "error", message: error.message });
      this.isPaused = true;
      return;
    }
    if (training.isOver) await this.finish();
    else if (place.platform.now() >= this.saveAt) await this.saveBySelf();
  }

  private async finish(): Promise<void> {
    const { trainer, log, place, temperature } = this;
    const { steps } = trainer.config;
    const { from, at } = this.begun;
    const milliseconds = place.platform.now() - at;
    log.tell({ type: "trained", ending: "done", stepsDone: trainer.stepsDone, steps, from, milliseconds });
    await this.saveBySelf();
    const { samples } = place.settings;
    if (samples > 0) {
      log.tell({ type: "names", temperature });
      // The stream itself stays where the checkpoint says it is.
      const generator = new Generator(trainer.model, trainer.random.copy());
      const write = (name: string, number: number): void => log.tell({ type: "name", number, name });
      await this.runCuttable(new Writing(generator, samples, temperature, "", write)).catch((error: unknown) => {
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

  private async saveBySelf(): Promise<void> {
    this.saveAt = this.nextSave();
    if (!this.keeper || this.transfer?.isFetching) return;
    const before = this.state;
    this.enter("saving");
    await this.keeper.saveOrSay(this.seed);
    this.saveAt = this.nextSave();
    this.enter(before);
  }

  private nextSave(): number {
    return this.saveEvery > 0 ? this.place.platform.now() + 1000 * this.saveEvery : Infinity;
  }

  private enter(state: DeviceState): void {
    const isNew = this.state !== state;
    this.state = state;
    if (isNew) this.tellState();
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

  private tellStart(isAgain: boolean): void {
    this.log.tell({ ...startOf(this.trainer, this.place.platform), ...(isAgain && { isAgain }) });
  }

  private say(text: string): void {
    this.log.tell({ type: "answer", text });
  }

  /** Does what must not meet a training under way, and resolves or rejects with it. */
  private whileResting<T>(work: () => Promise<T> | T): Promise<T> {
    if (this.waiting.length >= MOST_WAITING)
      return Promise.reject(new InputError("Too much waits already: try again."));
    return new Promise((resolve, reject) => {
      this.waiting.push(async () => {
        try {
          resolve(await work());
        } catch (error) {
          if (error instanceof InputError) reject(error);
          else throw error;
        }
      });
      this.training.rest();
      this.wake();
    });
  }

  /** Runs what the console asked for, until it is over or cut short. */
  private async runCuttable(task: Task): Promise<void> {
    if (this.isBusy) throw new InputError("What was asked for before is still under way: stop ends it.");
    this.isBusy = true;
    this.isCut = false;
    try {
      await this.runner.run({ work: (now) => !this.isCut && task.work(now) && !this.isCut });
    } finally {
      this.isBusy = false;
    }
  }

  // What the console can ask for: see console.ts.

  status(): string {
    const { stepsDone, config, totalSteps, lastLoss, dataset } = this.trainer;
    const loss = lastLoss === undefined ? "" : `, loss ${lastLoss.toFixed(4)}`;
    const all = totalSteps === stepsDone ? "" : `, ${totalSteps} in all`;
    const own = dataset.own?.count ? `, ${dataset.own.count} words of your own` : "";
    return `Step ${stepsDone} of ${config.steps}${all}${loss}${own}; ${this.state}.`;
  }

  async train(steps?: number): Promise<void> {
    const isUnderWay = !this.training.isOver;
    if (steps === undefined && isUnderWay) return this.resume();
    if (isUnderWay && !this.isPaused)
      throw new InputError(
        `It is training, step ${this.trainer.stepsDone} of ${this.trainer.config.steps}: pause first.`,
      );
    await this.whileResting(() => {
      const { steps: length, learningRate } = this.schedule(steps);
      this.trainer.abandonBatch();
      this.trainer.beginSchedule(length, learningRate);
      this.training = this.newTraining();
      this.tellStart(true);
      this.isPaused = false;
      this.saveAt = this.nextSave();
    });
  }

  pause(): void {
    this.isPaused = true;
    this.training.rest();
  }

  resume(): void {
    if (this.training.isOver) throw new InputError("The training is over: train N goes on for N steps.");
    this.isPaused = false;
    this.wake();
  }

  async save(): Promise<void> {
    const keeper = this.needKeeper();
    if (this.transfer?.isFetching)
      throw new InputError("The checkpoint is being fetched: try again when that has ended.");
    await this.whileResting(async () => {
      const before = this.state;
      this.enter("saving");
      try {
        await keeper.save(this.seed);
      } finally {
        this.enter(before);
      }
    });
  }

  async load(): Promise<void> {
    const keeper = this.needKeeper();
    await this.whileResting(async () => {
      const wasTraining = this.state === "training";
      const seed = await keeper.restore();
      if (seed === undefined) throw new InputError("There is no checkpoint yet: save makes one.");
      this.seed = seed;
      this.goOn(wasTraining);
    });
  }

  /** With another state of the training. */
  private goOn(isTraining: boolean): void {
    this.training = this.newTraining();
    this.isPaused = !isTraining;
    this.tellState();
  }

  async reset(): Promise<void> {
    await this.whileResting(() => {
      const { steps, learningRate } = this.schedule();
      this.trainer.beginSchedule(steps, learningRate);
      this.drawWeights();
      this.goOn(false);
    });
  }

  async generate(count: number, temperature = this.temperature, prefix = ""): Promise<void> {
    this.generator.checkPrefix(prefix);
    const write = (name: string, number: number): void => this.log.tell({ type: "name", number, name, isAnswer: true });
    await this.runCuttable(new Writing(this.generator, count, temperature, prefix, write));
  }

  async evaluate(ofOwn: boolean): Promise<void> {
    const { model, dataset, holdout } = this.trainer;
    const own = dataset.own?.count ?? 0;
    if (ofOwn && own === 0) throw new InputError("There are no words of your own: add some.");
    const indices = ofOwn ? Uint32Array.from({ length: own }, (_, i) => dataset.count + i) : undefined;
    const evaluation = new Evaluation(model, dataset, indices, ofOwn ? undefined : holdout);
    const { total } = evaluation;
    await this.runCuttable({
      work: () => {
        const isMore = evaluation.work();
        if (evaluation.done % PROGRESS_NAMES === 0) this.log.tell({ type: "progress", done: evaluation.done, total });
        return isMore;
      },
    });
    if (this.isCut) throw new InputError(`Stopped after ${evaluation.done} of ${total} names.`);
    this.log.tell(evaluation.result);
  }

  stop(): void {
    this.isCut = true;
  }

  add(word: string): void {
    const { model, dataset } = this.trainer;
    checkWord(model, word);
    dataset.own ??= new OwnWords();
    dataset.own.add(word);
    this.saveSoon();
  }

  forget(word: string): void {
    const { own } = this.trainer.dataset;
    if (!own) throw new InputError("There are no words of your own.");
    own.forget(word);
    this.saveSoon();
  }

  words(): readonly string[] {
    return this.trainer.dataset.own?.text.split("\n").slice(0, -1) ?? [];
  }

  /** Words that come one after the other share a save. */
  private saveSoon(): void {
    this.tellState();
    if (this.isSaveWaiting || !this.keeper) return;
    this.isSaveWaiting = true;
    void this.whileResting(() => {
      this.isSaveWaiting = false;
      return this.saveBySelf();
    }).catch(() => (this.isSaveWaiting = false));
  }

  get values(): Readonly<Record<string, string | number>> {
    const { log, logEvery, saveEvery, temperature } = this;
    const own_share = this.trainer.dataset.own?.share ?? DEFAULT_SHARE;
    return { log: log.isJson ? "json" : "text", log_every: logEvery, save_every: saveEvery, temperature, own_share };
  }

  setLog(isJson: boolean): void {
    if (isJson) {
      this.log.beginJson(this.place.settings.version, this.place.platform.place);
      this.tellState();
    } else this.log.beginText();
    this.training.setTellEvery(isJson ? TELL_EVERY : Infinity);
  }

  setNumber(key: "log_every" | "save_every" | "temperature" | "own_share", value: number): void {
    switch (key) {
      case "log_every":
        this.logEvery = this.training.logEvery = value;
        break;
      case "save_every":
        this.saveEvery = value;
        this.saveAt = this.nextSave();
        this.training.rest();
        break;
      case "temperature":
        this.temperature = value;
        break;
      case "own_share":
        this.trainer.dataset.own ??= new OwnWords();
        this.trainer.dataset.own.share = value;
        this.saveSoon();
    }
  }

  plan(): readonly string[] {
    const { trainer, place } = this;
    const { buffers, bufferBytes, chunks, slots, stack, total } = planMemory(
      trainer.model.config,
      trainer.dataset.indexBytes,
    );
    const room = place.platform.room();
    return [
      ...buffers.map(({ name, bytes }) => `${name.padEnd(24)}${String(bytes).padStart(8)}`),
      `${"buffers in all".padEnd(24)}${String(bufferBytes).padStart(8)}`,
      `XS takes ${total} bytes: chunks ${chunks}, slots ${slots}, stack ${stack}.`,
      ...(room ? [`It could have ${room.total}; ${room.largestPiece} more are in one piece.`] : []),
    ];
  }

  async bench(): Promise<void> {
    await this.whileResting(() => {
      const { trainer, place } = this;
      trainer.abandonBatch();
      const run = (task: Task): Promise<void> => this.runCuttable(task);
      return benchmark(trainer, place.provideOps, place.platform, run, (text) => this.say(text));
    });
  }

  version(): string {
    const { settings, platform } = this.place;
    return `Version ${settings.version} "${settings.codename}" on ${platform.place}.`;
  }

  reboot(): void {
    if (!this.place.reboot) throw new InputError(`A program on ${this.place.platform.place} cannot be rebooted.`);
    this.place.reboot();
  }

  async fetch(): Promise<void> {
    const transfer = this.needTransfer();
    transfer.endFetch();
    await this.save();
    transfer.beginFetch();
  }

  async received(): Promise<void> {
    const keeper = this.needKeeper();
    await this.needTransfer().received();
    await this.whileResting(async () => {
      const wasTraining = this.state === "training";
      const seed = await keeper.adopt();
      if (seed !== undefined) this.seed = seed;
      this.goOn(wasTraining);
      await this.place.platform.storage?.move(RECEIVED, STORED);
      await this.saveBySelf();
    });
  }

  private needKeeper(): Keeper {
    if (!this.keeper) throw new InputError("There is no storage.");
    return this.keeper;
  }

  private needTransfer(): Transfer {
    if (!this.transfer) throw new InputError("There is no storage.");
    return this.transfer;
  }
}

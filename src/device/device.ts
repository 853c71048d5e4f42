import {
  DEFAULT_MODEL,
  NO_LIMITS,
  type SamplingLimits,
  type TrainingConfig,
  trainingConfig,
} from "../gpt/model/config";
import { BootGuard } from "./boot-guard";
import { CancellableTasks } from "./cancellable-tasks";
import type { DevicePlace } from "./place";
import { RECEIVED, STORED } from "./checkpoint-store";
import { DeviceLog } from "./device-log";
import { countOf, InputError } from "../gpt/base/errors";
import type { DeviceState } from "../protocol/events";
import { Keeper } from "./keeping";
import { HalfLoaded } from "../gpt/checkpoint/training-checkpoint";
import { tellOddities, tellTooLong } from "../gpt/training/list-remarks";
import { Model } from "../gpt/model/model";
import { drawParameters } from "../gpt/model/parameters";
import { besideCommands, checkRoom } from "../gpt/plan";
import { Random } from "../gpt/model/random";
import { type Ending, Runner, type Task } from "../gpt/base/runner";
import { buildOf } from "./settings";
import { type StoredKey, StoredSettings } from "./stored-settings";
import { datasetOf } from "../gpt/data/dataset";
import { startOf, Training } from "../gpt/training/training";
import { Session } from "../gpt/training/session";
import { Trainer } from "../gpt/training/trainer";
import { Transfer } from "./transfer";
import { unattended } from "../gpt/base/unattended";

/** Milliseconds between two lines for programs that tell of steps. */
const TELL_EVERY = 200;

/**
 * Bytes that may wait to be sent before a chunk of a checkpoint joins them: what a UART takes at once, so that it has
 * always something to send, and what is answered meanwhile is soon sent.
 */
const MAX_BYTES_BEFORE_CHUNK = 128;

/**
 * The device program: it goes on where it was when the power went, or begins anew; trains, saves, writes
 * names, and idles. It is the same on a chip, on XS, on Node and in a page. What a console can ask of it is in commands/.
 */
export class Device {
  readonly log: DeviceLog;
  readonly trainer: Trainer;
  readonly transfer: Transfer | undefined;
  readonly keeper: Keeper | undefined;
  readonly settings: StoredSettings;
  /** With which the run began. */
  seed: number;
  /** Whether commands can be carried out: the stored checkpoint is restored, or there is none. */
  isReady = false;
  /** Is called when that is so, and whenever the training has come to rest. */
  onRest: () => void = () => undefined;
  readonly tasks: CancellableTasks;
  private readonly runner: Runner;
  private session: Session;
  private current: DeviceState = "idle";
  private isPaused = false;
  /** Whether what follows the last step of a training is under way: a save, names. */
  isEnding = false;
  /** The steps that were asked for: with how many done it pauses, and whom to tell. */
  private stepping: { readonly until: number; readonly end: () => void } | undefined;
  private saveWaiting: Promise<void> | undefined;
  /** Whether a save was passed over, as the checkpoint was fetched. */
  private isSaveOwed = false;
  /** What is done once the training rests, and how to wake the device that idles. */
  private readonly waiting: (() => Promise<void>)[] = [];
  private wake: (() => void) | undefined;

  /**
   * Allocates all that training needs.
   * @throws InputError when the settings or the dataset will not do, or there is no memory
   */
  constructor(readonly place: DevicePlace) {
    const { platform, settings, write, hear } = place;
    const { storage } = platform;
    this.log = new DeviceLog(write, hear);
    this.runner = new Runner(platform, (now) => this.isPortUrgent(now));
    const sayAlive = (): void => {
      if (this.log.isJson) this.tellState();
    };
    this.tasks = new CancellableTasks(this.runner, sayAlive, place.hasRoom);
    const dataset = datasetOf(platform);
    const config = { ...DEFAULT_MODEL, ...settings.model, vocabularySize: dataset.vocabulary.size };
    const room = platform.room();
    if (room) checkRoom(config, besideCommands(room), dataset.indexBytes);
    const model = new Model(config, place.provideOps("f32", settings.ops), dataset.vocabulary);
    this.seed = settings.seed;
    const { temperature, logEvery, saveEvery } = settings;
    this.settings = new StoredSettings(storage, {
      log_every: logEvery,
      save_every: saveEvery,
      temperature,
      top_k: NO_LIMITS.topK,
      top_p: NO_LIMITS.topP,
    });
    const schedule = this.schedule();
    this.trainer = new Trainer(model, dataset, new Random(this.seed), schedule);
    if (storage) {
      const build = buildOf(settings, schedule);
      const runPaced = (task: Task): Promise<unknown> =>
        this.runner.run(this.tasks.paced(task, MAX_BYTES_BEFORE_CHUNK));
      const { runner, trainer } = this;
      const { tell } = this.log;
      this.keeper = new Keeper({ storage, runner, trainer, build, tell, marker: platform.bootMarker });
      this.transfer = new Transfer({ storage, stored: STORED, received: RECEIVED, clock: platform, tell, runPaced });
    }
    this.session = this.newSession();
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
    await this.settings.load(
      (message) => this.log.tell({ type: "remark", message }),
      new BootGuard(platform.bootMarker),
    );
    const seed = await keeper?.restoreOrBegin(this.seed, () => this.drawWeights());
    if (seed !== undefined) this.seed = seed;
    else {
      if (settings.isSeedRandom) this.say(`Seed: ${this.seed}`);
      if (!keeper) this.drawWeights();
    }
    if (!keeper) this.say(platform.storageProblem ?? "There is no storage: what is learnt is lost at power-off.");
    this.session = this.newSession();
    await tellOddities(trainer.dataset, this.runner, this.log.tell);
    await tellTooLong(trainer, this.runner, this.log.tell);
    this.tellStart(false);
    const words = trainer.dataset.own?.count ?? 0;
    if (words > 0) this.say(`With ${ownWords(words)}.`);
    if (this.training.isOver)
      this.say(`It is trained already, ${trainer.totalSteps} steps${this.toConsole(": train N goes on for N more")}.`);
    this.isReady = true;
    this.onRest();
  }

  /** Trains until it is over, a save is due, or a command waits. */
  private async trainUntilRest(): Promise<void> {
    const { training, log } = this;
    this.enter("training");
    const task = this.stepping ? { work: (now: number) => training.work(now) && !this.hasDoneSteps } : training;
    try {
      await this.session.advance(task);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const advice = this.keeper ? this.toConsole(" load goes back to the last checkpoint.") : "";
      log.tell({ type: "error", message: error.message + advice });
      this.pause();
      return;
    }
    if (training.isOver) await this.finish();
  }

  /** Whether the steps that were asked for are done. */
  private get hasDoneSteps(): boolean {
    const { stepping, trainer, training } = this;
    return stepping !== undefined && trainer.stepsDone >= stepping.until && training.isBetweenSteps;
  }

  private async finish(): Promise<void> {
    this.isEnding = true;
    this.endSteps();
    await this.session.finish("done");
    this.isEnding = false;
    this.log.tell({ type: "done", job: "train", outcome: "done" });
  }

  private idle(): Promise<void> {
    this.enter(this.training.isOver ? "idle" : "paused");
    return new Promise((wake) => {
      this.wake = () => {
        this.wake = undefined;
        wake();
      };
      this.onRest();
    });
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
    this.wake?.();
  }

  /** Does so many steps, with the measurement that follows the last, and pauses; resolves then, or when it is paused before. */
  step(count: number): Promise<void> {
    this.resume();
    this.training.rest();
    return new Promise((end) => (this.stepping = { until: this.trainer.stepsDone + count, end }));
  }

  /** Begins a schedule, once the training rests: at once where it does. */
  beginSchedule({ steps, learningRate }: TrainingConfig): Promise<void> {
    const begin = (): void => {
      this.trainer.abandonBatch();
      this.trainer.beginSchedule(steps, learningRate);
      this.tellStart(true);
      this.goOn(true);
    };
    if (!this.wake) return this.whileResting(begin);
    this.current = "training";
    begin();
    this.wake();
    return Promise.resolve();
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
    this.session = this.newSession();
    this.isPaused = !isTraining;
    this.endSteps();
    this.tellState();
  }

  private newSession(): Session {
    const { trainer, log, runner, settings, place } = this;
    const training = new Training(trainer, settings.value("log_every"), this.tellEvery, log.tell);
    return new Session(trainer, training, {
      clock: place.platform,
      tell: log.tell,
      run: (task) => runner.run(task),
      write: (task) => this.writeNames(task),
      saveEvery: () => settings.value("save_every") || Infinity,
      rested: () => {
        if (!training.isOver && this.hasDoneSteps) this.pause();
      },
      save: () => this.saveBySelf(),
      names: () => ({ count: place.settings.samples, temperature: settings.value("temperature"), ...this.limits }),
    });
  }

  private get training(): Training {
    return this.session.training;
  }

  private async writeNames(task: Task): Promise<Ending> {
    try {
      return (await this.tasks.run((run) => run(task))) ? "done" : "stopped";
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.log.tell({ type: "error", message: error.message });
      return "stopped";
    }
  }

  /** Does what must not meet a training under way; resolves or rejects with it. */
  whileResting<T>(work: () => Promise<T> | T): Promise<T> {
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
      this.wake?.();
    });
  }

  /** Lets a checkpoint replace what the trainer has; goes on training where it did. */
  whileLoading(load: () => Promise<void>): Promise<void> {
    return this.whileResting(async () => {
      try {
        await load();
        // It may have been paused meanwhile.
        this.goOn(this.isTraining && !this.stepping);
      } catch (error) {
        if (error instanceof HalfLoaded) this.isPaused = true;
        throw error;
      }
    });
  }

  /** Whether a port is to be served after each bit of work. */
  private isPortUrgent(now: number): boolean {
    return (this.place.isBusy?.() ?? false) || (this.transfer?.isUnderWay(now) ?? false);
  }

  /** Cancels what can be, and the steps that were asked for; returns whether there was anything. */
  cancel(): boolean {
    const wasRunning = this.tasks.cancel();
    const wasStepping = this.stepping !== undefined;
    if (wasStepping) this.pause();
    return wasRunning || wasStepping;
  }

  // --- saving ---

  /** While the training rests. A checkpoint that is being fetched stays as it is: then it is saved when that is over. */
  async saveBySelf(): Promise<void> {
    this.session.scheduleSave();
    const { keeper, transfer } = this;
    if (!keeper) return;
    if (transfer?.isFetching) this.saveAfterFetch(transfer);
    else await this.saving(() => keeper.saveOrSay(this.seed));
  }

  /** Once a fetch has ended, or is forgotten. */
  private saveAfterFetch(transfer: Transfer): void {
    if (this.isSaveOwed) return;
    this.isSaveOwed = true;
    const saved = this.runner.run({ work: () => transfer.isFetching }).then(() => {
      this.isSaveOwed = false;
      return this.saveSoon();
    });
    unattended(saved, this.place.platform);
  }

  /** While the training rests. */
  async saving(save: () => Promise<void>): Promise<void> {
    const before = this.current;
    this.transfer?.forget();
    this.enter("saving");
    try {
      await save();
    } finally {
      this.session.scheduleSave();
      this.enter(before);
    }
  }

  /** Changes that come one after the other share a save; resolves when it is over, or has been told to have failed. */
  saveSoon(): Promise<void> {
    this.tellState();
    if (!this.keeper) return Promise.resolve();
    return (this.saveWaiting ??= this.whileResting(() => {
      this.saveWaiting = undefined;
      return this.saveBySelf();
    }));
  }

  // --- telling ---

  /** What names are drawn within. */
  get limits(): SamplingLimits {
    return { topK: this.settings.value("top_k"), topP: this.settings.value("top_p") };
  }

  /** Lets a setting hold, the build's value where there is none, and stores it: see StoredSettings.set. */
  set(key: StoredKey, value: number | undefined): Promise<void> {
    const storing = this.settings.set(key, value);
    if (key === "log_every") this.training.setLogEvery(this.settings.value(key));
    else if (key === "save_every") {
      this.session.scheduleSave();
      this.training.rest();
    }
    return storing;
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

/** So many of one's own, in words. */
export function ownWords(count: number): string {
  return `${countOf(count, "word")} of your own`;
}

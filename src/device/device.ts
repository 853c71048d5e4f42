import {
  DEFAULT_MODEL,
  NO_LIMITS,
  type SamplingLimits,
  type TrainingConfig,
  trainingConfig,
} from "../gpt/model/config";
import { BootGuard } from "./boot-guard";
import { CancellableTasks } from "./cancellable-tasks";
import type { DeviceContext } from "./device-context";
import { RECEIVED, STORED } from "./checkpoint-files";
import { DeviceLog } from "./device-log";
import { countOf, InputError } from "../gpt/base/errors";
import type { DeviceState } from "../protocol/events";
import { CheckpointStore } from "./checkpoint-store";
import { HalfLoaded } from "../gpt/checkpoint/training-checkpoint";
import { reportOddities, reportTooLong } from "../gpt/training/list-remarks";
import { Model } from "../gpt/model/model";
import { drawParameters } from "../gpt/model/parameters";
import { besideCommands, checkMemory } from "../gpt/plan";
import { Random } from "../gpt/model/random";
import { type Ending, Runner, type Task } from "../gpt/base/runner";
import { buildOf } from "./settings";
import { type StoredKey, StoredSettings } from "./stored-settings";
import { datasetOf } from "../gpt/data/dataset";
import { startOf, TrainingTask } from "../gpt/training/training";
import { Session } from "../gpt/training/session";
import { Trainer } from "../gpt/training/trainer";
import { Transfer } from "./transfer";
import { unattended } from "../gpt/base/unattended";

/** Minimum interval in milliseconds between two step events in the JSON log. */
const TELL_EVERY = 200;

/**
 * A chunk of a checkpoint is queued only when at most this many bytes wait to be sent: the size of a UART's hardware
 * buffer. That keeps the line busy, and the queue short enough that other answers are sent soon.
 */
const MAX_BYTES_BEFORE_CHUNK = 128;

/**
 * The device program: it resumes the stored training or begins a new one; trains, saves, generates names, and idles.
 * It is the same on a chip, on XS, on Node and in a page. The console's commands are in commands/.
 */
export class Device {
  readonly log: DeviceLog;
  readonly trainer: Trainer;
  readonly transfer: Transfer | undefined;
  readonly checkpoints: CheckpointStore | undefined;
  readonly settings: StoredSettings;
  /** Seed of the run. */
  seed: number;
  /** Whether commands can run: loading at boot is complete. */
  isReady = false;
  /** Called when isReady becomes true, and whenever the main loop becomes idle. */
  onIdle: () => void = () => undefined;
  readonly tasks: CancellableTasks;
  private readonly runner: Runner;
  private session: Session;
  private current: DeviceState = "idle";
  private isPaused = false;
  /** Whether the work after the last step is in progress: a save, generated names. */
  isEnding = false;
  /** A running `step` command: the step at which to pause, and the callback to call then. */
  private stepping: { readonly until: number; readonly end: () => void } | undefined;
  private pendingSave: Promise<void> | undefined;
  /** Whether a save is postponed because a client fetches the checkpoint. */
  private isSavePending = false;
  /** Work queued for the end of the current step, and the callback that wakes the idle main loop. */
  private readonly waiting: (() => Promise<void>)[] = [];
  private wake: (() => void) | undefined;

  /**
   * Allocates everything that training needs.
   * @throws InputError when the settings or the dataset are invalid, or memory does not suffice
   */
  constructor(readonly context: DeviceContext) {
    const { platform, settings, write, onEvent } = context;
    const { storage } = platform;
    this.log = new DeviceLog(write, onEvent);
    this.runner = new Runner(platform, (now) => this.isPortUrgent(now));
    const sayAlive = (): void => {
      if (this.log.isJson) this.emitState();
    };
    this.tasks = new CancellableTasks(this.runner, sayAlive, context.canWrite);
    const dataset = datasetOf(platform);
    const config = { ...DEFAULT_MODEL, ...settings.model, vocabularySize: dataset.vocabulary.size };
    const ops = context.provideOps(settings.dtype ?? context.storedDtype, settings.ops);
    const memory = platform.memoryBudget();
    const { indexBytes } = dataset;
    if (memory) checkMemory(config, besideCommands(memory), { indexBytes, ops, training: settings.training });
    const model = new Model(config, ops, dataset.vocabulary);
    this.seed = settings.seed;
    const { temperature, logEvery, saveEvery } = settings;
    this.settings = new StoredSettings(storage, {
      log_every: logEvery,
      save_every: saveEvery,
      temperature,
      top_k: NO_LIMITS.topK,
      top_p: NO_LIMITS.topP,
    });
    const schedule = this.schedule(undefined, ops);
    this.trainer = new Trainer(model, dataset, new Random(this.seed), schedule);
    if (storage) {
      const build = buildOf(settings, schedule, ops.dtype);
      const runWithBackPressure = (task: Task): Promise<unknown> =>
        this.runner.run(this.tasks.withBackPressure(task, MAX_BYTES_BEFORE_CHUNK));
      const { runner, trainer } = this;
      const { emit } = this.log;
      this.checkpoints = new CheckpointStore({ storage, runner, trainer, build, emit, marker: platform.bootMarker });
      this.transfer = new Transfer({
        storage,
        stored: STORED,
        received: RECEIVED,
        clock: platform,
        emit,
        runWithBackPressure,
      });
    }
    this.session = this.newSession();
  }

  get state(): DeviceState {
    return this.current === "training" && this.isPaused ? "paused" : this.current;
  }

  /** The main loop; it never resolves, and rejects only on a bug. */
  async run(): Promise<never> {
    await this.begin();
    for (;;) {
      const next = this.waiting.shift();
      if (next) await next();
      else if (!this.isPaused && !this.training.isOver) await this.trainUntilYield();
      else await this.idle();
    }
  }

  /** Loads the settings and the checkpoint, or initializes the weights, and prints the banner. */
  private async begin(): Promise<void> {
    const { checkpoints, trainer, context } = this;
    const { platform, settings } = context;
    await this.settings.load(
      (message) => this.log.emit({ type: "remark", message }),
      new BootGuard(platform.bootMarker),
    );
    const seed = await checkpoints?.restoreOrBegin(this.seed, () => this.drawWeights());
    if (seed !== undefined) {
      this.seed = seed;
      this.sayDtype();
    } else {
      if (settings.isSeedRandom) this.say(`Seed: ${this.seed}`);
      if (!checkpoints) this.drawWeights();
    }
    if (!checkpoints) this.say(platform.storageProblem ?? "There is no storage: the training is lost at power-off.");
    this.session = this.newSession();
    await reportOddities(trainer.dataset, this.runner, this.log.emit);
    await reportTooLong(trainer, this.runner, this.log.emit);
    this.emitStart(false);
    const words = trainer.dataset.own?.count ?? 0;
    if (words > 0) this.say(`With ${ownWords(words)}.`);
    if (this.training.isOver)
      this.say(`It is trained already, ${trainer.totalSteps} steps${this.toConsole(": train N adds N steps")}.`);
    this.isReady = true;
    this.onIdle();
  }

  /** Says so if the stored training goes on in a dtype that is not the fastest here. */
  private sayDtype(): void {
    const { settings, provideOps } = this.context;
    const { dtype } = this.trainer.model.ops;
    const { dtype: usual } = provideOps(undefined);
    if (settings.dtype === undefined && dtype !== usual)
      this.say(`It goes on in ${dtype}. A build with dtype=${usual}, which is faster on this chip, starts afresh.`);
  }

  /** Trains until it is over, a save is due, or a command waits. */
  private async trainUntilYield(): Promise<void> {
    const { training, log } = this;
    this.enter("training");
    const task = this.stepping ? { work: (now: number) => training.work(now) && !this.hasDoneSteps } : training;
    try {
      await this.session.advance(task);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const advice = this.checkpoints ? this.toConsole(" load restores the last checkpoint.") : "";
      log.emit({ type: "error", message: error.message + advice });
      this.pause();
      return;
    }
    if (training.isOver) await this.finish();
  }

  /** Whether the steps of a `step` command are done. */
  private get hasDoneSteps(): boolean {
    const { stepping, trainer, training } = this;
    return stepping !== undefined && trainer.stepsDone >= stepping.until && training.isBetweenSteps;
  }

  private async finish(): Promise<void> {
    this.isEnding = true;
    this.endSteps();
    await this.session.finish("done");
    this.isEnding = false;
    this.log.emit({ type: "done", job: "train", outcome: "done" });
  }

  private idle(): Promise<void> {
    this.enter(this.training.isOver ? "idle" : "paused");
    return new Promise((wake) => {
      this.wake = () => {
        this.wake = undefined;
        wake();
      };
      this.onIdle();
    });
  }

  private enter(state: DeviceState): void {
    const isNew = this.current !== state;
    this.current = state;
    if (isNew) this.emitState();
  }

  // --- training ---

  /** The schedule of the build's settings, optionally with another number of steps. */
  schedule(steps?: number, { functions } = this.trainer.model.ops): TrainingConfig {
    const { model, training } = this.context.settings;
    const wanted = steps === undefined ? training : { ...training, steps };
    return trainingConfig(model.preset ?? DEFAULT_MODEL.preset, wanted, undefined, functions);
  }

  /** Whether the schedule has steps left. */
  get isUnderWay(): boolean {
    return !this.training.isOver;
  }

  /** Whether it trains, or will when pending work is done. */
  get isTraining(): boolean {
    return this.isUnderWay && !this.isPaused;
  }

  pause(): void {
    this.isPaused = true;
    this.training.requestYield();
    this.endSteps();
  }

  resume(): void {
    this.isPaused = false;
    this.endSteps();
    this.wake?.();
  }

  /** Trains `count` steps and the validation after the last, then pauses. Resolves then, or at an earlier pause. */
  step(count: number): Promise<void> {
    this.resume();
    this.training.requestYield();
    return new Promise((end) => (this.stepping = { until: this.trainer.stepsDone + count, end }));
  }

  /** Begins a schedule between two steps: immediately when the main loop is idle. */
  beginSchedule({ steps, learningRate }: TrainingConfig): Promise<void> {
    const begin = (): void => {
      this.trainer.abandonBatch();
      this.trainer.beginSchedule(steps, learningRate);
      this.emitStart(true);
      this.beginSession(true);
    };
    if (!this.wake) return this.runBetweenSteps(begin);
    this.current = "training";
    begin();
    this.wake();
    return Promise.resolve();
  }

  private endSteps(): void {
    this.stepping?.end();
    this.stepping = undefined;
  }

  /** Call between two steps. Initializes the weights from the seed of the run, and resets the trainer. */
  drawWeights(): void {
    const { model, random } = this.trainer;
    random.goTo(new Random(this.seed).position);
    drawParameters(model.parameters, random, model.config, model.ops);
    this.trainer.reset();
  }

  /** Call between two steps. Begins a session from the trainer's current state. */
  beginSession(isTraining: boolean): void {
    this.session = this.newSession();
    this.isPaused = !isTraining;
    this.endSteps();
    this.emitState();
  }

  private newSession(): Session {
    const { trainer, log, runner, settings, context } = this;
    const training = new TrainingTask(trainer, settings.value("log_every"), this.emitEvery, log.emit);
    return new Session(trainer, training, {
      clock: context.platform,
      emit: log.emit,
      run: (task) => runner.run(task),
      write: (task) => this.generateNames(task),
      saveEvery: () => settings.value("save_every") || Infinity,
      onYield: () => {
        if (!training.isOver && this.hasDoneSteps) this.pause();
      },
      save: () => this.autosave(),
      names: () => ({ count: context.settings.samples, temperature: settings.value("temperature"), ...this.limits }),
    });
  }

  private get training(): TrainingTask {
    return this.session.training;
  }

  private async generateNames(task: Task): Promise<Ending> {
    try {
      return (await this.tasks.run((run) => run(task))) ? "done" : "stopped";
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.log.emit({ type: "error", message: error.message });
      return "stopped";
    }
  }

  /** Runs work between two training steps; resolves with its result, or rejects with its InputError. */
  runBetweenSteps<T>(work: () => Promise<T> | T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.waiting.push(async () => {
        try {
          resolve(await work());
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          reject(error);
        }
      });
      this.training.requestYield();
      this.wake?.();
    });
  }

  /** Runs `load`, which replaces the trainer's state, between two steps; then training continues if it was running. */
  whileLoading(load: () => Promise<void>): Promise<void> {
    return this.runBetweenSteps(async () => {
      try {
        await load();
        // A pause may have arrived during the load.
        this.beginSession(this.isTraining && !this.stepping);
      } catch (error) {
        if (error instanceof HalfLoaded) this.isPaused = true;
        throw error;
      }
    });
  }

  /** Whether the port must be served after each unit of work. */
  private isPortUrgent(now: number): boolean {
    return (this.context.isBusy?.() ?? false) || (this.transfer?.isUnderWay(now) ?? false);
  }

  /** Cancels running tasks and a `step` command; returns whether there was anything to cancel. */
  cancel(): boolean {
    const wasRunning = this.tasks.cancel();
    const wasStepping = this.stepping !== undefined;
    if (wasStepping) this.pause();
    return wasRunning || wasStepping;
  }

  // --- saving ---

  /** Call between two steps. Saves; while a client fetches the checkpoint, the save is postponed until that ends. */
  async autosave(): Promise<void> {
    this.session.scheduleSave();
    const { checkpoints, transfer } = this;
    if (!checkpoints) return;
    if (transfer?.isFetching) this.saveAfterFetch(transfer);
    else await this.saving(() => checkpoints.saveOrSay(this.seed));
  }

  /** Saves when the fetch has ended or timed out. */
  private saveAfterFetch(transfer: Transfer): void {
    if (this.isSavePending) return;
    this.isSavePending = true;
    const saved = this.runner.run({ work: () => transfer.isFetching }).then(() => {
      this.isSavePending = false;
      return this.saveSoon();
    });
    unattended(saved, this.context.platform);
  }

  /** Call between two steps. Runs `save` in the state "saving"; rejects with its errors. */
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

  /** Schedules a save; consecutive calls share one. Resolves when it has ended; a failure is reported as a remark. */
  saveSoon(): Promise<void> {
    this.emitState();
    if (!this.checkpoints) return Promise.resolve();
    return (this.pendingSave ??= this.runBetweenSteps(() => {
      this.pendingSave = undefined;
      return this.autosave();
    }));
  }

  // --- reporting ---

  /** The limits for sampling names. */
  get limits(): SamplingLimits {
    return { topK: this.settings.value("top_k"), topP: this.settings.value("top_p") };
  }

  /** Changes and stores a setting; undefined restores the build's value. See StoredSettings.set. */
  set(key: StoredKey, value: number | undefined): Promise<void> {
    const storing = this.settings.set(key, value);
    if (key === "log_every") this.training.setLogEvery(this.settings.value(key));
    else if (key === "save_every") {
      this.session.scheduleSave();
      this.training.requestYield();
    }
    return storing;
  }

  /** Switches the log to JSON lines or to text. */
  setLog(isJson: boolean): void {
    if (isJson) {
      this.log.beginJson(this.context.settings.version, this.context.platform.place);
      this.emitState();
    } else this.log.beginText();
    this.training.setEmitEvery(this.emitEvery);
  }

  private get emitEvery(): number {
    if (this.context.onEvent) return 0;
    return this.log.isJson ? TELL_EVERY : Infinity;
  }

  emitStart(isAgain: boolean): void {
    this.log.emit({ ...startOf(this.trainer, this.context.platform), ...(isAgain && { isAgain }) });
  }

  say(text: string): void {
    this.log.emit({ type: "answer", text });
  }

  /** Advice that names a command; empty for a listener in the same program, which has no console. */
  private toConsole(advice: string): string {
    return this.context.onEvent ? "" : advice;
  }

  private emitState(): void {
    const { stepsDone: step, totalSteps, lastLoss, config, dataset, model } = this.trainer;
    this.log.emit({
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

/** A number of user words as text for people. */
export function ownWords(count: number): string {
  return `${countOf(count, "word")} of your own`;
}

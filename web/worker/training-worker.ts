import type { SamplingLimits } from "../../src/gpt/model/config";
import { checkInteger, InputError, printablePath } from "../../src/gpt/base/errors";
import { Generator } from "../../src/gpt/model/generate";
import { Random, siblingSeed } from "../../src/gpt/model/random";
import { typescriptOps } from "../../src/gpt/model/typescript-ops";
import type { Clock, Platform, MemoryBudget } from "../../src/gpt/base/platform";
import { doSteps } from "../../src/device/commands/training";
import { adopt } from "../../src/device/commands/transfer";
import { Device } from "../../src/device/device";
import type { Event } from "../../src/protocol/events";
import { ALL_FILES, RECEIVED, STORED } from "../../src/device/checkpoint-files";
import { saveTraining } from "../../src/gpt/checkpoint/training-checkpoint";
import { Runner } from "../../src/gpt/base/runner";
import { readSettings } from "../../src/device/settings";
import { inspect, type Inspection } from "./inspection";
import { type StartMessage, type TrainingUpdate, type Ready, type Requests, type Sample, SHOWN } from "./messages";
import { PageStorage } from "../../src/places/browser/storage";
import { View } from "./view";

/** A memory limit beyond any model that is practical in a page. */
const ROOM: MemoryBudget = { total: 256 << 20, largestPiece: 256 << 20 };
/** Interval between saves, in seconds of training. */
const SAVE_EVERY = 2;
/** With a limited speed: maximum number of timer ticks per second. */
const PACES = 50;
const MAX_NAMES = 100;
/** Duration of the warm-up before a training, in milliseconds. */
const WARM_UP = 80;
/** Steps at which early names are generated; later ones come with the lines of the log. */
const FIRST_SAMPLES = [0, 1, 2, 5, 10, 20, 50];

/** The event loop of a worker. */
export interface WorkerClock extends Clock {
  wait(milliseconds: number): Promise<void>;
}

/** The device program in a worker of the page. */
export class TrainingWorker implements Requests {
  private readonly generator: Generator;
  private speed = Infinity;
  private isRunning = false;
  private isWalking = false;

  private constructor(
    private readonly device: Device,
    private readonly storage: PageStorage,
    private readonly clock: WorkerClock,
    private readonly view: View,
    private readonly emit: (update: TrainingUpdate) => void,
  ) {
    const { trainer, seed } = device;
    // A separate random stream, so that generated names do not affect the training.
    this.generator = new Generator(trainer.model, new Random(siblingSeed(seed)));
  }

  /**
   * Prepares a new training, or resumes a saved one; it is paused.
   * @param broken called on an internal error
   * @throws InputError (as a rejection) when the settings, the dataset or the checkpoint are invalid
   */
  static async begin(
    { settings, names, namesFile, folder, isAfresh, shown, checkpoint }: StartMessage,
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
      provideOps: typescriptOps,
      write: () => undefined,
      onEvent: (event) => trainingWorker.onEvent(event),
    });
    const trainingWorker = new TrainingWorker(device, storage, clock, view, emit);
    device.pause();
    device.run().catch(broken);
    await device.runBetweenSteps(() => undefined);
    if (shown) view.restore(shown, device.trainer.stepsDone);
    if (checkpoint) await trainingWorker.adopt(checkpoint);
    trainingWorker.warmUp();
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
      indexBytes: dataset.indexBytes,
      stepsDone,
      steps: config.steps,
      isKept: this.storage.isLasting,
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
    return Array.from({ length: count }, () => this.sample(temperature, prefix, limits));
  }

  inspect(text: string): Inspection {
    return inspect(this.device.trainer.model, text);
  }

  weights(): Float32Array {
    const { parameters, parameterUnit } = this.device.trainer.model;
    return Float32Array.from(parameters, (x) => x * parameterUnit);
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

  private async adopt({ file: name, bytes }: NonNullable<StartMessage["checkpoint"]>): Promise<void> {
    const file = await this.storage.create(RECEIVED);
    file.write(bytes);
    await file.commit();
    await adopt(this.device, printablePath(name)).finally(() => this.storage.remove(RECEIVED));
  }

  /** Trains at the set speed. */
  private move(): void {
    if (this.speed === Infinity) this.device.resume();
    else if (!this.isWalking) void this.walk();
  }

  private async walk(): Promise<void> {
    const { clock, device } = this;
    this.isWalking = true;
    let at = clock.now();
    while (this.isRunning && this.speed < Infinity && device.isUnderWay) {
      const steps = Math.max(1, Math.round(this.speed / PACES));
      await device.step(steps);
      at = Math.max(at + (1000 * steps) / this.speed, clock.now());
      await clock.wait(at - clock.now());
    }
    this.isWalking = false;
  }

  private onEvent(event: Event): void {
    this.view.onEvent(event);
    if (event.type === "name") this.emitSample(this.known(event.name), true);
    else this.emit(event);
    // The names after the last step are not in its save.
    if (event.type === "done") void this.device.saveSoon();
    if (event.type === "error" || event.type === "trained") this.isRunning = false;
    if (event.type === "step" && isSampled(event.step, event.isLogged))
      this.emitSample(this.sample(this.device.settings.value("temperature"), ""), false);
  }

  private emitSample(sample: Sample, isLast: boolean): void {
    this.view.add(sample, isLast);
    this.emit({ type: "sample", isLast, ...sample });
  }

  private example(): string {
    const { model, dataset } = this.device.trainer;
    const tokens = new Uint8Array(model.config.blockSize);
    const end = dataset.tokens(0, tokens) - 1;
    return Array.from(tokens.subarray(1, end), (token) => model.vocabulary.characterOf(token)).join("");
  }

  private sample(temperature: number, prefix: string, limits?: SamplingLimits): Sample {
    return this.known(this.generator.name(temperature, prefix, limits));
  }

  private known(name: string): Sample {
    const { dataset, stepsDone: step, totalSteps } = this.device.trainer;
    // With weights from a training on another dataset, `isKnown` would be meaningless before the first step.
    return { step, name, isKnown: totalSteps > 0 ? dataset.has(name) : undefined };
  }
}

function isSampled(step: number, isLogged: boolean): boolean {
  return step > 50 ? isLogged : FIRST_SAMPLES.includes(step);
}

/** A Platform's clock. */
function bound(clock: Clock): Clock {
  return { now: () => clock.now(), schedule: (slice) => clock.schedule(slice) };
}

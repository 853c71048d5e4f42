import { signal } from "@preact/signals";
import workerUrl from "virtual:training-worker-url";
import { InputError } from "../../src/gpt/base/errors";
import { LossCurve } from "../../src/jobs/loss-curve";
import type { Choice } from "./address";
import { PassingError } from "./passing-error";
import { onEnd } from "../worker/locks";
import {
  MAX_NAMES,
  type OwnWord,
  type StartMessage,
  type TrainingUpdate,
  type Ready,
  type WorkerMessage,
  type RequestName,
  type Requests,
  type Sample,
} from "../worker/messages";
import type { StepRecording } from "../worker/step-recording";

const MAX_REMARKS = 4;

/** How long a worker may take to answer at all, and how long to be ready, in milliseconds. */
const ANSWER_MS = 10_000;
const READY_MS = 120_000;

/** Why a training cannot go on: an internal error, numbers out of range, or another tab that goes on with it. */
export type Obstacle = "" | "broken" | "diverged" | "elsewhere";

/** The result of a request. */
type Answer<Name extends RequestName> = Promise<Awaited<ReturnType<Requests[Name]>>>;

/** A training in its own worker, with the state that the page shows. */
export class Run {
  readonly curve: LossCurve;
  /** Incremented with every change of the curve or the number of steps. */
  readonly changes = signal(0);
  readonly stepsDone = signal(0);
  readonly isRunning = signal(false);
  readonly isOver = signal(false);
  readonly obstacle = signal<Obstacle>("");
  /** Names of the model as it is now, and those generated after the training; latest last. */
  readonly words = signal<readonly Sample[]>([]);
  readonly lastNames = signal<readonly Sample[]>([]);
  /** The loss of counting pairs: see PairCount. Undefined until it has been counted. */
  readonly pairLoss = signal<number | undefined>(undefined);
  /** The last remarks of the training. */
  readonly remarks = signal<readonly string[]>([]);
  readonly problem = signal("");
  /** The words of the user, as they were when asked for last. */
  readonly ownWords = signal<readonly OwnWord[]>([]);
  /** Duration of the finished training: milliseconds and steps. */
  readonly took = signal<{ readonly milliseconds: number; readonly steps: number } | undefined>(undefined);
  private readonly requests = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  private lastId = 0;
  private isEnded = false;

  private constructor(
    private readonly worker: Worker,
    readonly choice: Choice,
    readonly ready: Ready,
    first: readonly TrainingUpdate[],
    { shown, lock }: Pick<StartMessage, "shown" | "lock">,
  ) {
    // A saved view with steps beyond the checkpoint belongs to another training.
    if (shown && shown.curve.lastStep < ready.stepsDone) {
      this.curve = LossCurve.from(shown.curve);
      this.lastNames.value = shown.lastNames;
    } else this.curve = new LossCurve();
    this.stepsDone.value = ready.stepsDone;
    this.ownWords.value = ready.ownWords;
    this.isOver.value = ready.stepsDone >= ready.steps;
    for (const update of first) this.onEvent(update);
    worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => this.receive(data);
    worker.onerror = (event) => {
      // It is told here, and need not be told as an error of the page.
      event.preventDefault();
      this.break(event.message);
    };
    onEnd(lock, () => this.break("its worker has ended."));
  }

  /**
   * Starts a worker; the training is paused.
   * @throws InputError (as a rejection) when the worker refuses, PassingError when it fails
   */
  static begin(given: Omit<StartMessage, "lock">, choice: Choice): Promise<Run> {
    const beginning = { ...given, lock: `esp32gpt worker ${Math.random()}` };
    const worker = new Worker(workerUrl, { type: "module" });
    return new Promise((resolve, reject) => {
      const first: TrainingUpdate[] = [];
      const give = (error: InputError): void => {
        clearTimeout(timer);
        worker.terminate();
        reject(error);
      };
      const giveUp = (): void => give(new PassingError("The training worker does not answer: try again."));
      let timer = setTimeout(giveUp, ANSWER_MS);
      const fail = (message: string): void =>
        give(new PassingError(`The training cannot begin because of an internal error: ${message}`));
      worker.onerror = (event: Partial<ErrorEvent> & Event) => {
        event.preventDefault();
        const { message } = event;
        // An event without a message: the worker's script could not be loaded.
        if (message === undefined)
          give(new PassingError("The training worker does not start: try again, or reload the page."));
        else fail(message);
      };
      worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
        clearTimeout(timer);
        if (data.type === "happened") {
          timer = setTimeout(giveUp, READY_MS);
          first.push(...data.updates);
        } else if (data.type === "ready") resolve(new Run(worker, choice, data.ready, first, beginning));
        else if (data.type === "refused") give(new InputError(data.message));
        else fail("message" in data ? data.message : data.type);
      };
      worker.postMessage(beginning);
    });
  }

  /** Whether it trains or works on a request, so that there may be something to save. */
  get isBusy(): boolean {
    return this.obstacle.value === "" && (this.isRunning.value || this.requests.size > 0);
  }

  get seed(): number {
    return this.ready.seed;
  }

  /**
   * Sends a request to the worker.
   * @throws InputError (as a rejection) when the worker refuses
   */
  ask<Name extends RequestName>(name: Name, ...values: Parameters<Requests[Name]>): Answer<Name> {
    if (this.isEnded) return Promise.reject(new InputError("This training has been ended."));
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.requests.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.worker.postMessage({ id, name, values });
    });
  }

  /** Starts or resumes the training. */
  async resume(): Promise<void> {
    this.problem.value = "";
    await this.ask("resume");
    this.isRunning.value = !this.isOver.value;
  }

  async pause(): Promise<void> {
    await this.ask("pause");
    this.isRunning.value = false;
  }

  async step(): Promise<void> {
    this.isRunning.value = false;
    await this.ask("step");
  }

  /** Does one step and records it. */
  async recordStep(layer: number): Promise<StepRecording> {
    this.isRunning.value = false;
    return this.ask("recordStep", layer);
  }

  /** Pauses, and records a step that the training does not make: see Requests. */
  async recordWhatIf(word: string | undefined, layer: number): Promise<StepRecording> {
    this.isRunning.value = false;
    return this.ask("recordWhatIf", word, layer);
  }

  /** Asks for the words of the user and their losses. */
  async updateOwnWords(): Promise<void> {
    this.ownWords.value = await this.ask("ownWords");
  }

  /** Gives the training up to another tab, which reads what is stored. */
  async giveUp(mayStore: boolean): Promise<void> {
    this.problem.value = "This training goes on in another tab, which stores it: this tab does not store it any more.";
    this.obstacle.value = "elsewhere";
    this.isRunning.value = false;
    await this.ask(mayStore ? "pause" : "halt");
  }

  /** Stops the training; the model stays usable. */
  async stop(): Promise<void> {
    await this.pause();
    this.isOver.value = true;
  }

  /** Terminates the worker; pending requests reject. */
  end(): void {
    this.isEnded = true;
    this.worker.terminate();
    this.isRunning.value = false;
    this.fail(new InputError("This training has been ended."));
  }

  private receive(report: WorkerMessage): void {
    if (report.type === "happened") for (const update of report.updates) this.onEvent(update);
    else if (report.type === "answered") this.take(report.id)?.resolve(report.value);
    else if (report.type === "failed") this.take(report.id)?.reject(new InputError(report.message));
    else this.break("message" in report ? report.message : report.type);
  }

  private take(id: number): { resolve: (value: unknown) => void; reject: (error: Error) => void } | undefined {
    const request = this.requests.get(id);
    this.requests.delete(id);
    return request;
  }

  private onEvent(update: TrainingUpdate): void {
    const { curve, ready } = this;
    switch (update.type) {
      case "steps":
        update.losses.forEach((loss, i) => curve.onEvent(stepOf(update.from + i, ready.steps, loss)));
        this.stepsDone.value = update.from + update.losses.length;
        break;
      case "step":
        curve.onEvent(update);
        this.stepsDone.value = update.step + 1;
        break;
      case "sample": {
        const { step, name, isKnown, bits } = update;
        this.lastNames.value = [...this.lastNames.value, { step, name, isKnown, bits }].slice(-MAX_NAMES);
        return;
      }
      case "trained":
        this.isRunning.value = false;
        this.isOver.value = true;
        this.took.value = { milliseconds: update.milliseconds, steps: update.stepsDone - update.from };
        break;
      case "remark":
        this.say(update.message);
        return;
      case "answer":
        this.say(update.text);
        return;
      case "error":
        this.isRunning.value = false;
        this.problem.value = update.message;
        // No other error stops a training before its end.
        if (!this.isOver.value) this.obstacle.value = "diverged";
        return;
      default:
        return;
    }
    this.changes.value++;
  }

  private say(sentence: string): void {
    this.remarks.value = [...this.remarks.value, sentence].slice(-MAX_REMARKS);
  }

  private break(message: string): void {
    if (this.isEnded) return;
    this.obstacle.value = "broken";
    this.problem.value = `The training ended because of an internal error: ${message}`;
    this.end();
  }

  private fail(error: Error): void {
    for (const { reject } of this.requests.values()) reject(error);
    this.requests.clear();
  }
}

function stepOf(step: number, steps: number, loss: number): Parameters<LossCurve["onEvent"]>[0] {
  return {
    type: "step",
    step,
    steps,
    loss: Number.isNaN(loss) ? "passed over" : loss,
    learningRate: 0,
    name: 0,
    isLogged: false,
    validationLoss: undefined,
    mean: undefined,
  };
}

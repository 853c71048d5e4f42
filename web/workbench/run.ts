import { signal } from "@preact/signals";
import workerUrl from "virtual:training-worker-url";
import { InputError } from "../../src/gpt/base/errors";
import { LossCurve } from "../../src/jobs/loss-curve";
import type { Choice } from "./address";
import type { SavedView } from "./run-store";
import type {
  OwnWord,
  StartMessage,
  TrainingUpdate,
  Ready,
  WorkerMessage,
  RequestName,
  Requests,
  Sample,
} from "../worker/messages";
import type { StepRecording } from "../worker/step-recording";

/** Maximum number of names after a training that are shown. */
const MAX_NAMES = 200;

const MAX_REMARKS = 4;

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
  /** Called when a checkpoint was saved, with the curve up to it, and after the last names. */
  saved: () => void = () => undefined;
  private readonly requests = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  private lastId = 0;

  private constructor(
    private readonly worker: Worker,
    readonly choice: Choice,
    readonly ready: Ready,
    first: readonly TrainingUpdate[],
    shown: SavedView | undefined,
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
    worker.onerror = ({ message }) => this.break(message);
  }

  /**
   * Starts a worker; the training is paused.
   * @param shown the saved view, if there is one
   * @throws InputError (as a rejection) when the worker refuses
   */
  static begin(beginning: StartMessage, choice: Choice, shown?: SavedView): Promise<Run> {
    const worker = new Worker(workerUrl, { type: "module" });
    return new Promise((resolve, reject) => {
      const first: TrainingUpdate[] = [];
      const give = (error: Error): void => {
        worker.terminate();
        reject(error);
      };
      // The worker's script could not be loaded.
      worker.onerror = () => give(new InputError("The training worker does not start: reload the page."));
      worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
        if (data.type === "happened") first.push(...data.updates);
        else if (data.type === "ready") resolve(new Run(worker, choice, data.ready, first, shown));
        else give(data.type === "refused" ? new InputError(data.message) : new Error(JSON.stringify(data)));
      };
      worker.postMessage(beginning);
    });
  }

  get shown(): SavedView {
    const { curve, lastNames } = this;
    return { curve: curve.kept, lastNames: lastNames.value };
  }

  get seed(): number {
    return this.ready.seed;
  }

  /**
   * Sends a request to the worker.
   * @throws InputError (as a rejection) when the worker refuses
   */
  ask<Name extends RequestName>(name: Name, ...values: Parameters<Requests[Name]>): Answer<Name> {
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

  /** Stops the training; the model stays usable. */
  async stop(): Promise<void> {
    await this.pause();
    this.isOver.value = true;
  }

  /** Terminates the worker; pending requests reject. */
  end(): void {
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
      case "saved":
      case "done":
        this.saved();
        return;
      case "remark":
        this.say(update.message);
        return;
      case "answer":
        this.say(update.text);
        return;
      case "error":
        this.isRunning.value = false;
        this.problem.value = update.message;
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

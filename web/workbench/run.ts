import { signal } from "@preact/signals";
import { InputError } from "../../src/gpt/base/errors";
import { LossCurve } from "../../src/jobs/loss-curve";
import type { Choice } from "./address";
import type { Shown } from "./kept";
import type { Beginning, Happening, Ready, Report, RequestName, Requests, Sample } from "../learner/messages";

/** Names that are shown, the last ones. */
const MOST_SAMPLES = 200;

const MOST_REMARKS = 4;

/** What a request gives. */
type Answer<Name extends RequestName> = Promise<Awaited<ReturnType<Requests[Name]>>>;

/** A training in a worker of its own, as the page sees it. */
export class Run {
  readonly curve: LossCurve;
  /** Counts whatever changes the curve or the steps: whoever shows them looks at it. */
  readonly changes = signal(0);
  readonly stepsDone = signal(0);
  readonly isRunning = signal(false);
  readonly isOver = signal(false);
  /** Names on the way, and those at the end; the latest last. */
  readonly samples = signal<readonly Sample[]>([]);
  readonly lastNames = signal<readonly Sample[]>([]);
  /** What it had to say, the last of it. */
  readonly remarks = signal<readonly string[]>([]);
  readonly problem = signal("");
  /** Of the training alone, when it has ended: milliseconds, and steps. */
  readonly took = signal<{ readonly milliseconds: number; readonly steps: number } | undefined>(undefined);
  /** Called when it is saved, and the curve is that of the checkpoint; and when it has written its last names. */
  saved: () => void = () => undefined;
  private readonly requests = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  private lastId = 0;

  private constructor(
    private readonly worker: Worker,
    readonly choice: Choice,
    readonly ready: Ready,
    first: readonly Happening[],
    shown: Shown | undefined,
  ) {
    // What goes beyond the checkpoint is of another training.
    if (shown && shown.curve.lastStep < ready.stepsDone) {
      this.curve = LossCurve.from(shown.curve);
      this.samples.value = shown.samples;
      this.lastNames.value = shown.lastNames;
    } else this.curve = new LossCurve();
    this.stepsDone.value = ready.stepsDone;
    this.isOver.value = ready.stepsDone >= ready.steps;
    for (const happening of first) this.hear(happening);
    worker.onmessage = ({ data }: MessageEvent<Report>) => this.receive(data);
    worker.onerror = ({ message }) => this.break(message);
  }

  /**
   * Makes a worker ready; the training waits to be resumed.
   * @param shown what was kept of it, where there is anything
   * @throws InputError (as a rejection) with what the worker says against it
   */
  static begin(beginning: Beginning, choice: Choice, shown?: Shown): Promise<Run> {
    const worker = new Worker(new URL("../learner/worker.ts", import.meta.url), { type: "module" });
    return new Promise((resolve, reject) => {
      const first: Happening[] = [];
      const give = (error: Error): void => {
        worker.terminate();
        reject(error);
      };
      // Its program could not be loaded.
      worker.onerror = () => give(new InputError("The part of the page that trains does not start: reload the page."));
      worker.onmessage = ({ data }: MessageEvent<Report>) => {
        if (data.type === "happened") first.push(...data.happenings);
        else if (data.type === "ready") resolve(new Run(worker, choice, data.ready, first, shown));
        else give(data.type === "refused" ? new InputError(data.message) : new Error(JSON.stringify(data)));
      };
      worker.postMessage(beginning);
    });
  }

  get shown(): Shown {
    const { curve, samples, lastNames } = this;
    return { curve: curve.kept, samples: samples.value, lastNames: lastNames.value };
  }

  get seed(): number {
    return this.ready.seed;
  }

  /** @throws InputError (as a rejection) with what the worker says against it */
  ask<Name extends RequestName>(name: Name, ...values: Parameters<Requests[Name]>): Answer<Name> {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.requests.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.worker.postMessage({ id, name, values });
    });
  }

  /** Trains on. */
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

  /** Ends the training where it is: the model stays. */
  async stop(): Promise<void> {
    await this.pause();
    this.isOver.value = true;
  }

  /** Ends the worker: nothing can be asked any more. */
  end(): void {
    this.worker.terminate();
    this.isRunning.value = false;
    this.fail(new InputError("This training has been ended."));
  }

  private receive(report: Report): void {
    if (report.type === "happened") for (const happening of report.happenings) this.hear(happening);
    else if (report.type === "answered") this.take(report.id)?.resolve(report.value);
    else if (report.type === "failed") this.take(report.id)?.reject(new InputError(report.message));
    else this.break("message" in report ? report.message : report.type);
  }

  private take(id: number): { resolve: (value: unknown) => void; reject: (error: Error) => void } | undefined {
    const request = this.requests.get(id);
    this.requests.delete(id);
    return request;
  }

  private hear(happening: Happening): void {
    const { curve, ready } = this;
    switch (happening.type) {
      case "steps":
        happening.losses.forEach((loss, i) => curve.hear(stepOf(happening.from + i, ready.steps, loss)));
        this.stepsDone.value = happening.from + happening.losses.length;
        break;
      case "step":
        curve.hear(happening);
        this.stepsDone.value = happening.step + 1;
        break;
      case "sample": {
        const { step, name, isKnown, isLast } = happening;
        const list = isLast ? this.lastNames : this.samples;
        list.value = [...list.value, { step, name, isKnown }].slice(-MOST_SAMPLES);
        return;
      }
      case "trained":
        this.isRunning.value = false;
        this.isOver.value = true;
        this.took.value = { milliseconds: happening.milliseconds, steps: happening.stepsDone - happening.from };
        break;
      case "saved":
      case "done":
        this.saved();
        return;
      case "remark":
        this.say(happening.message);
        return;
      case "answer":
        this.say(happening.text);
        return;
      case "error":
        this.isRunning.value = false;
        this.problem.value = happening.message;
        return;
      default:
        return;
    }
    this.changes.value++;
  }

  private say(sentence: string): void {
    this.remarks.value = [...this.remarks.value, sentence].slice(-MOST_REMARKS);
  }

  private break(message: string): void {
    this.problem.value = `The training has ended by a mistake in this program: ${message}`;
    this.end();
  }

  private fail(error: Error): void {
    for (const { reject } of this.requests.values()) reject(error);
    this.requests.clear();
  }
}

function stepOf(step: number, steps: number, loss: number): Parameters<LossCurve["hear"]>[0] {
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

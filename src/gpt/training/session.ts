import { limitsToTell } from "../model/config";
import { Generator, type NamesToWrite, GenerateTask } from "../model/generate";
import type { Clock } from "../base/platform";
import type { Ending, Task } from "../base/runner";
import type { EmitWork } from "./events";
import type { Trainer } from "./trainer";
import { emitTrained, type TrainingTask } from "./training";

/** What differs between device, command line and page. */
export interface SessionPolicy {
  readonly clock: Clock;
  readonly emit: EmitWork;
  readonly run: (task: Task) => Promise<Ending>;
  /** Runs the task that generates names; run() by default. */
  readonly write?: (task: Task) => Promise<Ending>;
  /** Seconds of training between two saves; Infinity to save only at the end. */
  readonly saveEvery: () => number;
  /** Called whenever the training has yielded, before anything is saved. */
  readonly onYield?: (ending: Ending) => Promise<void> | void;
  /** Saves the training; `end` says how it ended, and is undefined if it has not. */
  readonly save: (end: Ending | undefined) => Promise<void>;
  /** The names to generate after the last step. */
  readonly names: () => NamesToWrite;
}

/** A training from its first step to the names that are generated after its last: train, save, generate. */
export class Session {
  /** When the next save is due; milliseconds of the clock. */
  private saveAt = Infinity;
  /** Steps done before it began, and how long it has trained since then. */
  private readonly from: number;
  private milliseconds = 0;

  constructor(
    private readonly trainer: Trainer,
    readonly training: TrainingTask,
    private readonly policy: SessionPolicy,
  ) {
    this.from = trainer.stepsDone;
    this.scheduleSave();
  }

  /** Makes the next save due one whole interval from now. */
  scheduleSave(): void {
    const { clock, saveEvery } = this.policy;
    this.saveAt = clock.now() + 1000 * saveEvery();
  }

  /**
   * Trains until the training is over, is stopped or yields, or until a save is due, which it then makes.
   * @param task does the training's work, if not all of it is wanted
   * @throws InputError (as a rejection) if the training has diverged
   */
  async advance(task: Task = this.training): Promise<Ending> {
    const { training, policy, saveAt } = this;
    const { clock } = policy;
    training.yieldAt = saveAt;
    const at = clock.now();
    const ending = training.isOver ? "done" : await policy.run(task);
    const now = clock.now();
    this.milliseconds += now - at;
    await policy.onYield?.(ending);
    if (ending === "done" && !training.isOver && now >= saveAt) {
      await policy.save(undefined);
      this.scheduleSave();
    }
    return ending;
  }

  /** Emits the end of the training, saves it, and generates names unless it was stopped. */
  async finish(ending: Ending): Promise<Ending> {
    const { trainer, training, policy, from, milliseconds } = this;
    const { emit, run, write = run } = policy;
    const { stepsDone, config, model, random } = trainer;
    emitTrained(training, { type: "trained", ending, stepsDone, steps: config.steps, from, milliseconds }, emit);
    await policy.save(ending);
    const names = policy.names();
    if (ending === "stopped" || names.count === 0) return ending;
    emit({ type: "names", temperature: names.temperature, ...limitsToTell(names) });
    // A copy, as the stream itself must stay at the position in the checkpoint.
    const generator = new Generator(model, random.copy());
    const emitName = (name: string, number: number): void => emit({ type: "name", number, name });
    return write(new GenerateTask(generator, names, emitName));
  }
}

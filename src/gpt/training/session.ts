import { limitsToTell } from "../model/config";
import { Generator, type NamesToWrite, Writing } from "../model/generate";
import type { Clock } from "../base/platform";
import type { Ending, Task } from "../base/runner";
import type { TellWork } from "./events";
import type { Trainer } from "./trainer";
import { tellTrained, type Training } from "./training";

/** What differs between the places where a training is told. */
export interface SessionPolicy {
  readonly clock: Clock;
  readonly tell: TellWork;
  readonly run: (task: Task) => Promise<Ending>;
  /** Runs what writes the names, where it is not run like the training. */
  readonly write?: (task: Task) => Promise<Ending>;
  /** Seconds of training between two saves; Infinity for none before the end. */
  readonly saveEvery: () => number;
  /** Is called whenever the training has come to rest, before anything is saved. */
  readonly rested?: (ending: Ending) => Promise<void> | void;
  /** Saves what the place keeps: while it trains, or at its end, which may be early. */
  readonly save: (end: Ending | undefined) => Promise<void>;
  /** Those that are written after the last step. */
  readonly names: () => NamesToWrite;
}

/** A training from its first step to the names that are written after its last: train, save, write. */
export class Session {
  /** When the next save is due; milliseconds of the clock. */
  private saveAt = Infinity;
  /** With which step it began, and how long it has trained since then. */
  private readonly from: number;
  private milliseconds = 0;

  constructor(
    private readonly trainer: Trainer,
    readonly training: Training,
    private readonly policy: SessionPolicy,
  ) {
    this.from = trainer.stepsDone;
    this.scheduleSave();
  }

  /** Lets the next save be due when as much time as is between two has gone by. */
  scheduleSave(): void {
    const { clock, saveEvery } = this.policy;
    this.saveAt = clock.now() + 1000 * saveEvery();
  }

  /**
   * Trains until it is over, is stopped, rests, or a save is due, which then is made.
   * @param task what does the training's work, where not all of it is wanted
   * @throws InputError (as a rejection) when the training has diverged
   */
  async advance(task: Task = this.training): Promise<Ending> {
    const { training, policy, saveAt } = this;
    const { clock } = policy;
    training.restAt = saveAt;
    const at = clock.now();
    const ending = training.isOver ? "done" : await policy.run(task);
    const now = clock.now();
    this.milliseconds += now - at;
    await policy.rested?.(ending);
    if (ending === "done" && !training.isOver && now >= saveAt) {
      await policy.save(undefined);
      this.scheduleSave();
    }
    return ending;
  }

  /** Tells that it has ended, saves, and writes names unless it was stopped. */
  async finish(ending: Ending): Promise<Ending> {
    const { trainer, training, policy, from, milliseconds } = this;
    const { tell, run, write = run } = policy;
    const { stepsDone, config, model, random } = trainer;
    tellTrained(training, { type: "trained", ending, stepsDone, steps: config.steps, from, milliseconds }, tell);
    await policy.save(ending);
    const names = policy.names();
    if (ending === "stopped" || names.count === 0) return ending;
    tell({ type: "names", temperature: names.temperature, ...limitsToTell(names) });
    // The stream itself stays where the checkpoint says it is.
    const generator = new Generator(model, random.copy());
    const tellName = (name: string, number: number): void => tell({ type: "name", number, name });
    return write(new Writing(generator, names, tellName));
  }
}

import { checkNumber } from "../config";
import type { Trainer } from "../model/trainer";
import type { Clock } from "../platform";
import type { Runner, Task } from "./runner";

/** Names and updates that are measured, and the milliseconds after which it is enough. */
const MOST_NAMES = 400;
const ENOUGH_MILLISECONDS = 400;
/** The first names warm the engine up. */
const WARM_UP = 20;

/**
 * Finds out how long training takes here, a name a bit, and leaves the trainer as it was: the gradients of
 * names, and updates by gradients of zero.
 */
export class Rehearsal implements Task {
  private namesDone = 0;
  private inNames = 0;
  private inUpdates = 0;

  constructor(
    private readonly trainer: Trainer,
    private readonly clock: Clock,
  ) {}

  work(): boolean {
    const { trainer, clock } = this;
    const start = clock.now();
    trainer.rehearseName(this.namesDone % trainer.dataset.count);
    const middle = clock.now();
    trainer.rehearseUpdate();
    const end = clock.now();
    if (++this.namesDone === WARM_UP) this.inNames = this.inUpdates = 0;
    else {
      this.inNames += middle - start;
      this.inUpdates += end - middle;
    }
    return this.namesDone < MOST_NAMES && this.inNames + this.inUpdates < ENOUGH_MILLISECONDS;
  }

  /** How many names can be trained on in so many seconds: at least one batch. */
  namesIn(seconds: number): number {
    const { batchSize } = this.trainer.config;
    const measured = Math.max(1, this.namesDone - WARM_UP);
    const millisecondsAName = (this.inNames + this.inUpdates / batchSize) / measured;
    const names = Math.floor((1000 * seconds) / Math.max(millisecondsAName, 1e-6));
    return Math.min(1e9, Math.max(batchSize, names));
  }
}

/**
 * How many names a new training can have in so many seconds, by a short measurement; undefined when the
 * runner was told to stop.
 * @throws InputError (as a rejection) for a time that makes no sense
 */
export async function namesIn(
  seconds: number,
  trainer: Trainer,
  runner: Runner,
  clock: Clock,
): Promise<number | undefined> {
  checkNumber("seconds", seconds, 0.001, 1e7);
  const rehearsal = new Rehearsal(trainer, clock);
  return (await runner.run(rehearsal)) === "done" ? rehearsal.namesIn(seconds) : undefined;
}

import { checkNumber } from "../config";
import type { Trainer } from "../model/trainer";
import type { Clock } from "../platform";
import type { Runner, Task } from "./runner";

/** Names and updates that are measured, and the milliseconds after which it is enough. */
const MOST_NAMES = 400;
const ENOUGH_MILLISECONDS = 400;
/** The first names, or what fits this time, warm the engine up. */
const WARM_UP_NAMES = 20;
const WARM_UP_MILLISECONDS = 100;

/**
 * Finds out how long training takes here, a name a bit: the gradients of names, and updates that move nothing.
 * The trainer must be between two batches.
 */
export class Rehearsal implements Task {
  private isWarm = false;
  private measured = 0;
  private inNames = 0;
  private inUpdates = 0;

  constructor(
    private readonly trainer: Trainer,
    private readonly clock: Clock,
  ) {}

  work(): boolean {
    const { trainer, clock } = this;
    const start = clock.now();
    trainer.rehearseName(this.measured % trainer.dataset.count);
    const middle = clock.now();
    trainer.rehearseUpdate();
    this.inNames += middle - start;
    this.inUpdates += clock.now() - middle;
    this.measured++;
    const time = this.inNames + this.inUpdates;
    if (this.isWarm) return this.measured < MOST_NAMES && time < ENOUGH_MILLISECONDS;
    this.isWarm = this.measured === WARM_UP_NAMES || time >= WARM_UP_MILLISECONDS;
    if (this.isWarm) this.measured = this.inNames = this.inUpdates = 0;
    return true;
  }

  /** Milliseconds that a step takes. */
  get millisecondsAStep(): number {
    const { batchSize } = this.trainer.config;
    return (batchSize * this.inNames + this.inUpdates) / Math.max(1, this.measured);
  }

  /** How many names can be trained on in so many seconds: at least one batch. */
  namesIn(seconds: number): number {
    const { batchSize } = this.trainer.config;
    const names = Math.floor((1000 * seconds * batchSize) / Math.max(this.millisecondsAStep, 1e-6));
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

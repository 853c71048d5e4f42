import type { Clock } from "./platform";

/** How a task ended. */
export type Ending = "done" | "stopped";

/** A cooperative task, done in small units of work. */
export interface Task {
  /**
   * Does the next unit of work, which takes some milliseconds, and returns whether there is more to do.
   * @param now the time of the clock, in milliseconds
   * @throws InputError when the user's input makes it fail; the runner then rejects with it
   */
  work(now: number): boolean;
  /** Whether it continues to its end after stop(): a save does. */
  readonly mustFinish?: boolean;
}

/** Tasks run for about this many milliseconds before the event loop gets its turn. */
const SLICE_MILLISECONDS = 50;

interface Running {
  readonly task: Task;
  readonly end: (ending: Ending) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Advances tasks in slices of 50 ms. Between two slices the event loop serves everything else: a
 * console, a signal, a page. Concurrent tasks take turns, one unit of work each.
 */
export class Runner {
  private readonly running: Running[] = [];
  private isStopping = false;
  /** Index of the next task; kept between slices, as one unit of work may take a whole slice. */
  private turn = 0;
  private isScheduled = false;
  private readonly slice = (): void => this.runSlice();

  /** @param isUrgent whether to yield after each unit of work at that time, because a port has to be served */
  constructor(
    private readonly clock: Clock,
    private readonly isUrgent: (now: number) => boolean = () => false,
  ) {}

  /** Runs a task until it ends or is stopped; rejects with what the task throws. */
  run(task: Task): Promise<Ending> {
    if (this.isStopping && !task.mustFinish) return Promise.resolve("stopped");
    return new Promise((end, fail) => {
      this.running.push({ task, end, fail });
      this.schedule();
    });
  }

  /** Stops all tasks after the current unit of work, and later ones before their first; mustFinish tasks continue. */
  stop(): void {
    this.isStopping = true;
    for (const running of [...this.running]) {
      if (running.task.mustFinish) continue;
      this.remove(running);
      running.end("stopped");
    }
  }

  private schedule(): void {
    if (this.isScheduled || this.running.length === 0) return;
    this.isScheduled = true;
    this.clock.schedule(this.slice);
  }

  private runSlice(): void {
    const { clock, running } = this;
    let now = clock.now();
    const until = this.isUrgent(now) ? now : now + SLICE_MILLISECONDS;
    this.isScheduled = false;
    let { turn } = this;
    let current = running[0];
    try {
      for (; running.length > 0; turn++) {
        if (turn >= running.length) turn = 0;
        current = running[turn];
        if (!current.task.work(now)) {
          this.remove(current);
          current.end("done");
        }
        now = clock.now();
        if (now >= until) break;
      }
    } catch (error) {
      this.remove(current);
      current.fail(error);
    }
    this.turn = turn + 1;
    this.schedule();
  }

  private remove(running: Running): void {
    const i = this.running.indexOf(running);
    if (i >= 0) this.running.splice(i, 1); // Its own work() may have stopped it.
  }
}

/** Something to do, a bit at a time. */
export interface Task {
  /**
   * Does the next bit, some milliseconds of work, and returns whether there is more to do.
   * @throws InputError when what the user gave makes it end; the runner then passes it on
   */
  work(): boolean;
}

/** What a runner needs of its surroundings. */
export interface Clock {
  /** Milliseconds since some moment. */
  now(): number;
  /** Calls `slice` from the event loop, after everything else that waits. */
  schedule(slice: () => void): void;
}

/** Tasks go on for about this many milliseconds before the event loop gets its turn. */
const SLICE_MILLISECONDS = 50;

/** How a task came to its end. */
export type Ending = "done" | "stopped";

interface Running {
  readonly task: Task;
  readonly end: (ending: Ending) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Advances tasks in slices of 50 ms. Between two slices the event loop serves whoever else waits: a
 * console, a signal, a page. Tasks that run at the same time take turns, a bit each.
 */
export class Runner {
  private readonly running: Running[] = [];
  private turn = 0;
  private isScheduled = false;
  private readonly slice = (): void => this.runSlice();

  constructor(private readonly clock: Clock) {}

  /** Runs a task to its end, or until it is stopped; rejects with what the task throws. */
  run(task: Task): Promise<Ending> {
    return new Promise((end, fail) => {
      this.running.push({ task, end, fail });
      this.schedule();
    });
  }

  /** Ends a task, or all of them, after the bit under way. */
  stop(task?: Task): void {
    for (let i = this.running.length - 1; i >= 0; i--) {
      const { task: other, end } = this.running[i];
      if (task !== undefined && task !== other) continue;
      this.running.splice(i, 1);
      end("stopped");
    }
  }

  private schedule(): void {
    if (this.isScheduled || this.running.length === 0) return;
    this.isScheduled = true;
    this.clock.schedule(this.slice);
  }

  private runSlice(): void {
    const { clock, running } = this;
    const until = clock.now() + SLICE_MILLISECONDS;
    this.isScheduled = false;
    while (running.length > 0) {
      this.turn = this.turn + 1 < running.length ? this.turn + 1 : 0;
      this.advance(running[this.turn]);
      if (clock.now() >= until) break;
    }
    this.schedule();
  }

  private advance(running: Running): void {
    try {
      if (running.task.work()) return;
      this.remove(running);
      running.end("done");
    } catch (error) {
      this.remove(running);
      running.fail(error);
    }
  }

  /** A task may have stopped itself. */
  private remove(running: Running): void {
    const i = this.running.indexOf(running);
    if (i >= 0) this.running.splice(i, 1);
  }
}

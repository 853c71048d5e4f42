import type { Runner, Task } from "../gpt/base/runner";

/** Interval in milliseconds at which long-running commands send a sign of life to programs. */
const ALIVE_EVERY_MS = 1000;

/** Runs the tasks of commands: they can be cancelled, obey back pressure of the output, and send signs of life. */
export class CancellableTasks {
  /** Number of cancel() calls, and of run() calls in progress. */
  private cancellations = 0;
  private underWay = 0;

  /**
   * @param sayAlive called every second while a task runs
   * @param canWrite see DeviceContext.canWrite
   */
  constructor(
    private readonly runner: Runner,
    private readonly sayAlive: () => void,
    private readonly canWrite: ((most?: number) => boolean) | undefined,
  ) {}

  /**
   * Runs work that consists of tasks; a cancel() from now on ends it.
   * @param work gets a function that runs one task; it resolves to false when the task was cancelled
   */
  async run<T>(work: (run: (task: Task) => Promise<boolean>) => Promise<T>): Promise<T> {
    const { cancellations } = this;
    const isWanted = (): boolean => this.cancellations === cancellations;
    this.underWay++;
    let aliveAt: number | undefined;
    try {
      return await work(async (task) => {
        await this.runner.run({
          work: (now) => {
            aliveAt ??= now + ALIVE_EVERY_MS;
            if (now >= aliveAt) {
              aliveAt = now + ALIVE_EVERY_MS;
              this.sayAlive();
            }
            return isWanted() && task.work(now);
          },
        });
        return isWanted();
      });
    } finally {
      this.underWay--;
    }
  }

  /**
   * Wraps a task that writes one line per unit of work: it waits while the output has no room.
   * @param most see DeviceContext.canWrite
   */
  withBackPressure(task: Task, most?: number): Task {
    const { canWrite } = this;
    return canWrite ? { work: (now) => !canWrite(most) || task.work(now) } : task;
  }

  /** Cancels everything in progress; returns whether there was anything to cancel. */
  cancel(): boolean {
    this.cancellations++;
    return this.underWay > 0;
  }
}

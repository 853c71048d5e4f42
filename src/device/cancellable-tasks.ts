import type { Runner, Task } from "../gpt/base/runner";

/** Milliseconds after which work that a command has begun tells programs that it goes on. */
const ALIVE_EVERY_MS = 1000;

/** Tasks that commands have begun: they can be cancelled, wait for room in the output, and say that they go on. */
export class CancellableTasks {
  /** How often all that was under way was cancelled, and how much is now. */
  private cancellations = 0;
  private underWay = 0;

  /**
   * @param sayAlive tells programs that the work goes on
   * @param canWrite see DeviceContext.canWrite
   */
  constructor(
    private readonly runner: Runner,
    private readonly sayAlive: () => void,
    private readonly canWrite: ((most?: number) => boolean) | undefined,
  ) {}

  /**
   * Does work of tasks that can be cancelled from now on.
   * @param work gets what runs a task until it is over, or cancelled: then it resolves to false
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

  /** A task that answers in lines: it waits for room for each. @param most bytes that may wait before */
  withBackPressure(task: Task, most?: number): Task {
    const { canWrite } = this;
    return canWrite ? { work: (now) => !canWrite(most) || task.work(now) } : task;
  }

  /** Cancels all that is under way; returns whether there was anything. */
  cancel(): boolean {
    this.cancellations++;
    return this.underWay > 0;
  }
}

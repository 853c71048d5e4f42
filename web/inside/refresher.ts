/** Repeats work on request, rate-limited and never concurrently. */
export class Refresher {
  private isBusy = false;
  private isAsked = false;
  private isOver = false;

  /**
   * @param work is followed by a pause that is at least as long as the work took
   * @param period minimum interval between two starts, in milliseconds
   */
  constructor(
    private readonly work: () => Promise<void>,
    private readonly period: number,
  ) {}

  /** Requests another run after the current one; several requests are combined. */
  ask(): void {
    this.isAsked = true;
    if (!this.isBusy) void this.run();
  }

  end(): void {
    this.isOver = true;
  }

  private async run(): Promise<void> {
    this.isBusy = true;
    try {
      while (this.isAsked && !this.isOver) {
        this.isAsked = false;
        const begin = performance.now();
        await this.work();
        const took = performance.now() - begin;
        await new Promise((resolve) => setTimeout(resolve, Math.max(took, this.period - took)));
      }
    } finally {
      this.isBusy = false;
    }
  }
}

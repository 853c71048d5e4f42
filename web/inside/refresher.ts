/** Does work again when somebody asks for it: now and then, and never twice at a time. */
export class Refresher {
  private isBusy = false;
  private isAsked = false;
  private isOver = false;

  /**
   * @param work takes its pauses: at least as long as it took itself
   * @param period milliseconds from one beginning to the next, at the least
   */
  constructor(
    private readonly work: () => Promise<void>,
    private readonly period: number,
  ) {}

  /** It will be done after this, once for all who ask meanwhile. */
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

import { type ReadonlySignal, signal } from "@preact/signals";

/** Interval between updates of the view, in milliseconds. */
const INTERVAL = 100;

/** The last items of a stream; the view is updated at most every INTERVAL. */
export class Recent<T> {
  private readonly shown = signal<readonly T[]>([]);
  private all: T[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly most: number) {}

  get items(): ReadonlySignal<readonly T[]> {
    return this.shown;
  }

  clear(): void {
    this.all = [];
    this.shown.value = [];
  }

  add(item: T): void {
    this.all.push(item);
    if (this.all.length > 2 * this.most) this.all = this.all.slice(-this.most);
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.shown.value = this.all.slice(-this.most);
    }, INTERVAL);
  }
}

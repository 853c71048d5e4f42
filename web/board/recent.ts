import { type ReadonlySignal, signal } from "@preact/signals";

/** How often what has come is shown, in milliseconds. */
const INTERVAL = 100;

/** The last items of a stream, shown a few times a second however many come. */
export class Recent<T> {
  private readonly shown = signal<readonly T[]>([]);
  private all: T[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly most: number) {}

  get items(): ReadonlySignal<readonly T[]> {
    return this.shown;
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

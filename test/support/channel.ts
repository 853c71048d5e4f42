import type { Link } from "../../src/client/commands";
import { Random } from "../../src/gpt/model/random";

/** What befalls lines on their way; shares from 0 to 1. */
export interface LinkQuality {
  readonly lost: number;
  readonly damaged: number;
  readonly doubled: number;
  /** Of lines that take up to a second longer, so that others may overtake them. */
  readonly delayed: number;
}

export const PERFECT: LinkQuality = { lost: 0, damaged: 0, doubled: 0, delayed: 0 };

interface Due {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
  isOff: boolean;
}

/** A time of its own, in which lines are carried and callbacks called, all of it by a seed. */
export class Simulation {
  time = 0;
  private readonly due: Due[] = [];
  private order = 0;
  private readonly random: Random;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  after(milliseconds: number, act: () => void): () => void {
    const due = { at: this.time + milliseconds, order: this.order++, act, isOff: false };
    this.due.push(due);
    return () => void (due.isOff = true);
  }

  /** Carries a line, or what becomes of it, to somebody. */
  carry(line: string, quality: LinkQuality, receive: (line: string) => void): void {
    const happens = (share: number): boolean => this.random.index(10_000) < share * 10_000;
    if (happens(quality.lost)) return;
    for (let copies = happens(quality.doubled) ? 2 : 1; copies > 0; copies--) {
      const arrives = happens(quality.damaged) ? this.damage(line) : line;
      this.after(5 + (happens(quality.delayed) ? this.random.index(1000) : 0), () => receive(arrives));
    }
  }

  /** What the client gets. */
  link(send: (line: string) => void): Link {
    return { send, now: () => this.time, after: (milliseconds, act) => this.after(milliseconds, act) };
  }

  /** Lets time pass until the work is done. */
  async run<T>(work: Promise<T>, most = 3_600_000): Promise<T> {
    const state = { isDone: false };
    const end = (): void => void (state.isDone = true);
    work.then(end, end);
    for (;;) {
      // Whoever waits for a promise acts before time goes on.
      await new Promise((resolve) => setImmediate(resolve));
      if (state.isDone) return work;
      this.due.sort((a, b) => a.at - b.at || a.order - b.order);
      const next = this.due.shift();
      if (next === undefined) throw new Error("everybody waits for nothing");
      if (next.at > most) throw new Error(`it does not end within ${most / 1000} s`);
      this.time = next.at;
      if (!next.isOff) next.act();
    }
  }

  private damage(line: string): string {
    const at = this.random.index(line.length);
    const what = this.random.index(3);
    if (what === 0) return line.slice(0, at);
    const other = String.fromCharCode(this.random.index(256));
    return line.slice(0, at) + (what === 1 ? other : "") + line.slice(at + 1);
  }
}

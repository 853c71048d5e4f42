import type { Ops } from "esp32gpt";
import { CONTEXT, FRESH, LENGTH, Rhythm } from "./rhythm";
import { SYMBOLS } from "./symbols";
import type { Window } from "./windows";

/*
 * What the study compares. Each detector learns from the same windows of normal operation, and then scores windows:
 * higher is more unusual. The limit of the scores is set in the same way for all of them.
 */

export interface Detector {
  learn(window: Window): void;
  score(window: Window): number;
  /** What it keeps in RAM on a device, in bytes; undefined for the model, whose memory planMemory() says. */
  readonly bytes: number | undefined;
}

/** Numbers of 4 bytes. */
const NUMBER = 4;

/** Mean and standard deviation of what has been added. */
class Moments {
  private count = 0;
  private mean = 0;
  private squares = 0;

  add(x: number): void {
    this.count++;
    const difference = x - this.mean;
    this.mean += difference / this.count;
    this.squares += difference * (x - this.mean);
  }

  /** How many standard deviations x is from the mean. */
  standardized(x: number): number {
    return (x - this.mean) / Math.sqrt(this.squares / (this.count - 1));
  }
}

/** (a) The window's energy or its standard deviation, whichever is further from normal. */
export class EnergyDetector implements Detector {
  readonly bytes = 6 * NUMBER;
  private readonly energy = new Moments();
  private readonly deviation = new Moments();

  learn({ energy, deviation }: Window): void {
    this.energy.add(Math.log(energy));
    this.deviation.add(Math.log(deviation));
  }

  score({ energy, deviation }: Window): number {
    const ofEnergy = Math.abs(this.energy.standardized(Math.log(energy)));
    return Math.max(ofEnergy, Math.abs(this.deviation.standardized(Math.log(deviation))));
  }
}

/** (b) The exponentially weighted moving average of the energy. */
export class EwmaDetector implements Detector {
  readonly bytes = 4 * NUMBER;
  private readonly energy = new Moments();
  private average = 0;

  constructor(private readonly weight: number) {}

  learn({ energy }: Window): void {
    this.energy.add(Math.log(energy));
  }

  score({ energy }: Window): number {
    this.average += this.weight * (this.energy.standardized(Math.log(energy)) - this.average);
    return Math.abs(this.average);
  }
}

/** (b) Page's cumulative sum of the energy, upwards and downwards. */
export class CusumDetector implements Detector {
  readonly bytes = 5 * NUMBER;
  private readonly energy = new Moments();
  private above = 0;
  private below = 0;

  /** @param slack in standard deviations: what a window may be off without adding to the sum */
  constructor(private readonly slack: number) {}

  learn({ energy }: Window): void {
    this.energy.add(Math.log(energy));
  }

  score({ energy }: Window): number {
    const z = this.energy.standardized(Math.log(energy));
    this.above = Math.max(0, this.above + z - this.slack);
    this.below = Math.max(0, this.below - z - this.slack);
    return Math.max(this.above, this.below);
  }
}

/**
 * (c) A Markov chain: how often each symbol came after the `order` symbols before it. The score is the mean negative
 * log-likelihood of the fresh symbols, as that of the model.
 */
export class MarkovDetector implements Detector {
  private readonly counts = new Map<string, number>();

  /**
   * @param order how many symbols back it looks
   * @param added to each count; or, with `backsOff`, how much the chain that looks one symbol less far counts
   */
  constructor(
    private readonly order: number,
    private readonly added: number,
    private readonly backsOff = false,
  ) {}

  /** A count that occurs: its symbols in 5 bits each, and 16 bits for the number. */
  get bytes(): number {
    let bits = 0;
    for (const key of this.counts.keys()) bits += 5 * key.length + 16;
    return Math.ceil(bits / 8);
  }

  learn({ symbols }: Window): void {
    for (let i = CONTEXT; i < LENGTH; i++)
      for (let order = this.backsOff ? 0 : this.order; order <= this.order; order++) {
        const before = textOf(symbols, i - order, i);
        this.count(before);
        this.count(before + String.fromCharCode(symbols[i]), true);
      }
  }

  score({ symbols }: Window): number {
    let sum = 0;
    for (let i = CONTEXT; i < LENGTH; i++) sum -= Math.log(this.probability(symbols, i, this.order));
    return sum / FRESH;
  }

  private count(text: string, isNext = false): void {
    const key = isNext ? `${text}+` : text;
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }

  private probability(symbols: Uint8Array, i: number, order: number): number {
    if (order < 0) return 1 / SYMBOLS;
    const before = textOf(symbols, i - order, i);
    const all = this.counts.get(before) ?? 0;
    const those = this.counts.get(`${before}${String.fromCharCode(symbols[i])}+`) ?? 0;
    if (this.backsOff) return (those + this.added * this.probability(symbols, i, order - 1)) / (all + this.added);
    return (those + this.added) / (all + this.added * SYMBOLS);
  }
}

/** The model. */
export class ModelDetector implements Detector {
  readonly bytes = undefined;
  private readonly rhythm: Rhythm;

  constructor(ops: Ops, windows: number, seed: number) {
    this.rhythm = new Rhythm(ops, windows, seed);
  }

  learn({ symbols }: Window): void {
    this.rhythm.learn(symbols);
  }

  score({ symbols }: Window): number {
    return this.rhythm.score(symbols);
  }
}

function textOf(symbols: Uint8Array, from: number, to: number): string {
  let text = "";
  for (let i = from; i < to; i++) text += String.fromCharCode(symbols[i]);
  return text;
}

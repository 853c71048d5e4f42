import type { Pump } from "./pump";
import { FRESH, LENGTH } from "./rhythm";
import { Symbols } from "./symbols";

/** What happened while the fresh symbols of a window came. */
export interface Window {
  /** LENGTH symbols, of which the last FRESH are new. A view, valid until the next call. */
  readonly symbols: Uint8Array;
  /** Mean square of the samples, in (µm/s)², and their standard deviation in µm/s: for detectors that need no symbols. */
  readonly energy: number;
  readonly deviation: number;
}

/** Reads a sensor until a window is full. */
export class WindowReader {
  private readonly symbols = new Symbols();
  private readonly window = new Uint8Array(LENGTH);
  private missing = LENGTH;

  constructor(private readonly sensor: Pick<Pump, "sample">) {}

  next(): Window {
    const { window } = this;
    if (this.missing === 0) {
      window.copyWithin(0, FRESH);
      this.missing = FRESH;
    }
    let samples = 0;
    let sum = 0;
    let squares = 0;
    while (this.missing > 0) {
      const sample = this.sensor.sample();
      samples++;
      sum += sample;
      squares += sample * sample;
      const symbol = this.symbols.push(sample);
      if (symbol >= 0) window[LENGTH - this.missing--] = symbol;
    }
    const energy = squares / samples;
    return { symbols: window, energy, deviation: Math.sqrt(Math.max(0, energy - (sum / samples) ** 2)) };
  }
}

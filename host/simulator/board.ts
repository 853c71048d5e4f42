import type { Duplex } from "node:stream";
import type { Settings } from "../../src/device/settings";

/** What a simulated board is to be. */
export interface BoardOptions {
  readonly settings: Settings;
  /** The list in its flash, and what messages call it. */
  readonly namesFile: string;
  readonly namesName: string;
  /** The folder of its files. */
  readonly folder: string;
  /** Gets what it cost, as JSON, when it is switched off; XS only. */
  readonly usage: (json: string) => void;
}

/** A board that is none. */
export interface Board {
  /**
   * Its serial port, with back pressure both ways: it takes what the device program reads, and gives what somebody
   * takes. The end of its input switches the board off, when all before it is carried out.
   */
  readonly port: Duplex;
  /** From power-on until it is switched off; rejects for mistakes in the program, and when its memory is full. */
  live(): Promise<void>;
  /** At once, whatever waits for it. */
  switchOff(): void;
}

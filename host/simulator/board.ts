import type { Settings } from "../../src/program/settings";

/** What a simulated board is to be. */
export interface BoardOptions {
  readonly settings: Settings;
  /** The list in its flash, and what messages call it. */
  readonly namesFile: string;
  readonly namesName: string;
  /** The folder of its files. */
  readonly folder: string;
  /** What it sends. */
  readonly output: (bytes: Uint8Array) => void;
  /** Gets what it cost, as JSON, when it is switched off; XS only. */
  readonly usage: (json: string) => void;
}

/** A board that is none. */
export interface Board {
  /** From power-on until it is switched off; rejects for mistakes in the program, and when its memory is full. */
  live(): Promise<void>;
  input(bytes: Uint8Array): void;
  switchOff(): void;
}

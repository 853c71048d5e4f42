import type { Duplex } from "node:stream";
import type { Settings } from "../../src/device/settings";
import type { Dtype } from "../../src/gpt/model/ops";

/** Configuration of a simulated board. */
export interface BoardOptions {
  readonly settings: Settings;
  /** The dataset in its flash, and its name in messages. */
  readonly namesFile: string;
  readonly namesName: string;
  /** The folder that holds its storage. */
  readonly folder: string;
  /** In which it trains unless the settings or its stored training say otherwise. */
  readonly dtype: Dtype;
  /** Receives memory and bytecode usage as JSON when the board is switched off; XS only. */
  readonly usage: (json: string) => void;
}

/** A simulated board. */
export interface Board {
  /**
   * Its serial port, with flow control in both directions. The end of its input switches the board off after all
   * commands before it are executed.
   */
  readonly port: Duplex;
  /** Runs the board until it is switched off. Rejects on an internal error and when its memory is full. */
  live(): Promise<void>;
  /** Switches the board off at once; pending input is lost. */
  switchOff(): void;
}

import type { PortChoice } from "../../../device/settings";

/** XS binds a C function by its name; see gpt_device.h. */
declare function native(name: string): never;

/**
 * The firmware's interface to the chip, imported as "esp32gpt/chip". On the simulators that module is
 * src/firmware/chip/simulator/device.ts.
 */
export interface Device {
  /** Name in the banner. */
  readonly name: string;
  /** Free heap in bytes; undefined when unknown. */
  readonly freeHeap: () => number | undefined;
  /** Largest free block of the heap in bytes; undefined when unknown. */
  readonly largestPiece: () => number | undefined;
  /** A value of esp_reset_reason_t; undefined when unknown. */
  readonly resetReason: () => number | undefined;
  /**
   * Opens a port, once. "auto" selects the chip's USB if a host is detected within half a second, otherwise UART0.
   * Returns false in debug and instrumented builds, where xsbug and trace() use all ports.
   * @param baud of UART0, as are the pins: -1 for the chip's defaults
   * @throws Error when there is no such port, or the chip cannot use these pins; then none is open
   */
  readonly openPort: (port: PortChoice, baud: number, transmit: number, receive: number) => boolean;
  /** Reads received bytes into `bytes` and returns their number. Never blocks. */
  readonly readPort: (bytes: Uint8Array) => number;
  /** Accepts as many of bytes[from] to bytes[to - 1] as there is room for, and returns their number. Never blocks. */
  readonly writePort: (bytes: Uint8Array, from: number, to: number) => number;
  /** Waits until all accepted bytes are sent; false on timeout. */
  readonly flushPort: (milliseconds: number) => boolean;
  /**
   * Prints the reason in a line, waiting at most a second for the port, and restarts the chip. Allocates nothing.
   * Returns only on a simulator, which XS ends by itself.
   * @param message appended to the reason if it is a string
   */
  readonly restart: (reason: string, message: unknown) => void;
  /** A 32-bit integer in memory that survives a reset, but not power-off; undefined if not set. @param slot 0 to 3 */
  readonly kept: (slot: number) => number | undefined;
  /** Stores a 32-bit integer in a slot. */
  readonly keep: (slot: number, value: number) => void;
  /** Cause and address of the last panic; undefined when there was none since the previous call. */
  readonly takeCrash: () => string | undefined;
}

export const device: Device = Object.freeze({
  name: "ESP32",
  freeHeap: native("gpt_xs_free_heap"),
  largestPiece: native("gpt_xs_largest_piece"),
  resetReason: native("gpt_xs_reset_reason"),
  openPort: native("gpt_xs_open_port"),
  readPort: native("gpt_xs_read_port"),
  writePort: native("gpt_xs_write_port"),
  flushPort: native("gpt_xs_flush_port"),
  restart: native("gpt_xs_restart"),
  kept: native("gpt_xs_kept"),
  keep: native("gpt_xs_keep"),
  takeCrash: native("gpt_xs_take_crash"),
});

import type { PortChoice } from "../../../device/settings";

/** XS binds a C function by its name; see gpt_device.h. */
declare function native(name: string): never;

/**
 * What the firmware asks of the chip. It imports it as "esp32gpt/chip"; on the simulators that is
 * src/firmware/chip/simulator/device.ts.
 */
export interface Device {
  /** What the banner calls it. */
  readonly name: string;
  /** Bytes of heap that are free; undefined where nobody counts. */
  readonly freeHeap: () => number | undefined;
  /** The largest of them in one piece. */
  readonly largestPiece: () => number | undefined;
  /** A number of esp_reset_reason_t. */
  readonly resetReason: () => number | undefined;
  /**
   * Opens a port, once. "auto" is the chip's own USB where a host is at its other end, for which it looks for half
   * a second, and UART0 otherwise. False in debug and instrumented builds, where all ports belong to xsbug and to
   * trace().
   * @param baud of UART0, as are the pins: -1 for the chip's own
   * @throws Error when there is no such port, or the chip cannot use these pins; none is then open
   */
  readonly openPort: (port: PortChoice, baud: number, transmit: number, receive: number) => boolean;
  /** Fills `bytes` with what has arrived and returns how many there were. */
  readonly readPort: (bytes: Uint8Array) => number;
  /** Takes as many of bytes[from] to bytes[to - 1] as there is room for, and returns how many. Never waits. */
  readonly writePort: (bytes: Uint8Array, from: number, to: number) => number;
  /** Waits until everything is sent, at most so many milliseconds; false when that was not enough. */
  readonly flushPort: (milliseconds: number) => boolean;
  /**
   * Says why in a line, where it can within a second, and restarts the chip. Allocates nothing. It returns
   * on a simulator only, which XS ends by itself.
   * @param message anything; a string is said as well
   */
  readonly restart: (reason: string, message: unknown) => void;
  /** A whole number in memory that a reset keeps and power-on does not; undefined where none is kept. @param slot 0 to 3 */
  readonly kept: (slot: number) => number | undefined;
  /** Keeps a whole number of 32 bits there. */
  readonly keep: (slot: number, value: number) => void;
  /** Where the chip panicked and why, once; undefined where it did not since that was asked last. */
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

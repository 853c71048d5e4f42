import type { PortChoice } from "../../../program/settings";

/** XS binds a C function by its name; see gpt-device.c. */
declare function native(name: string): never;

/**
 * What the firmware asks of the chip. It imports it as "gpt/device"; on the simulators that is
 * src/moddable/device/simulator/device.ts.
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
}

export const device: Device = Object.freeze({
  name: "ESP32",
  freeHeap: native("xs_gpt_free_heap"),
  largestPiece: native("xs_gpt_largest_piece"),
  resetReason: native("xs_gpt_reset_reason"),
  openPort: native("xs_gpt_open_port"),
  readPort: native("xs_gpt_read_port"),
  writePort: native("xs_gpt_write_port"),
  flushPort: native("xs_gpt_flush_port"),
  restart: native("xs_gpt_restart"),
});

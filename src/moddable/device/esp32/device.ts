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
   * Opens UART0. False in debug and instrumented builds, where the port belongs to xsbug and to trace().
   * @param pins -1 for the chip's own
   * @throws Error when the chip cannot use these pins; the port is then closed
   */
  readonly openUart: (baud: number, transmit: number, receive: number) => boolean;
  /** Fills `bytes` with what has arrived and returns how many there were. */
  readonly readUart: (bytes: Uint8Array) => number;
  /** Takes as many of bytes[from] to bytes[to - 1] as there is room for, and returns how many. Never waits. */
  readonly writeUart: (bytes: Uint8Array, from: number, to: number) => number;
  /** Waits until everything is sent, at most so many milliseconds; false when that was not enough. */
  readonly flushUart: (milliseconds: number) => boolean;
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
  openUart: native("xs_gpt_open_uart"),
  readUart: native("xs_gpt_read_uart"),
  writeUart: native("xs_gpt_write_uart"),
  flushUart: native("xs_gpt_flush_uart"),
  restart: native("xs_gpt_restart"),
});

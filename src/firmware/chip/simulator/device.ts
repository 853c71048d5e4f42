import type { Device } from "../esp32/device";

const unknown = (): undefined => undefined;

/** The chip on a desktop simulator, which has no ports: output goes to trace(). */
export const device: Device = Object.freeze({
  name: "XS",
  freeHeap: unknown,
  largestPiece: unknown,
  resetReason: unknown,
  openPort: () => false,
  readPort: () => 0,
  writePort: () => 0,
  flushPort: () => true,
  restart: unknown,
  kept: unknown,
  keep: unknown,
  takeCrash: unknown,
});

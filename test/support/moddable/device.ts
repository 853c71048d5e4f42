import type { Device } from "../../../src/firmware/chip/esp32/device";
import { board } from "./board";

/** "esp32gpt/chip" */
export const device: Device = {
  get name() {
    return board.hasPort ? "ESP32" : "XS";
  },
  freeHeap: () => board.freeHeap,
  largestPiece: () => board.largestPiece,
  resetReason: () => board.resetReason,
  openPort: (port, baud, transmit, receive) => board.open(port, baud, transmit, receive),
  readPort: (bytes) => board.read(bytes),
  writePort: (bytes, from, to) => board.write(bytes, from, to),
  flushPort: (milliseconds) => board.flush(milliseconds),
  restart: (reason, message) => board.restart(reason, message),
  kept: (slot) => board.slots[slot],
  keep: (slot, value) => void (board.slots[slot] = value),
  takeCrash: () => board.takeCrash(),
};

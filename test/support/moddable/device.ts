import type { Device } from "../../../src/moddable/device/esp32/device";
import { board } from "./board";

/** "gpt/device" */
export const device: Device = {
  get name() {
    return board.hasUart ? "ESP32" : "XS";
  },
  freeHeap: () => board.freeHeap,
  largestPiece: () => board.largestPiece,
  resetReason: () => board.resetReason,
  openUart: (baud, transmit, receive) => board.open(baud, transmit, receive),
  readUart: (bytes) => board.read(bytes),
  writeUart: (bytes, from, to) => board.write(bytes, from, to),
  flushUart: (milliseconds) => board.flush(milliseconds),
  restart: (reason, message) => board.restart(reason, message),
};

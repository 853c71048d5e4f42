import { board } from "./board";

/** "timer" */
export default {
  set: (callback: () => void, milliseconds = 0): object => board.addTimer(callback, milliseconds),
  repeat: (callback: () => void, milliseconds: number): object => board.addTimer(callback, milliseconds, milliseconds),
};

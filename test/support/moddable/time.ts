import { board } from "./board";

/** "time" */
export default {
  get ticks(): number {
    return board.now;
  },
  delta(start: number, end?: number): number {
    board.wait(board.pace);
    return (end ?? board.now) - start;
  },
};

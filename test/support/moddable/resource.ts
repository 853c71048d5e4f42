import { board } from "./board";

/** "Resource" */
export default class Resource extends Uint8Array {
  constructor(path: string) {
    if (path !== "names.txt") throw new Error(`There is no resource ${path}.`);
    super(board.names);
  }
}

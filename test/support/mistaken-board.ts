import main from "../../host/xs/board";
import { Adam } from "../../src/gpt/training/adam";

/* The device simulator's program on XS, with a mistake in it. */

Adam.prototype.update = () => {
  throw new TypeError("a mistake in Adam");
};

export default main;

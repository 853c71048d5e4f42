import type { Room } from "../../src/plan";
import type { Job } from "../job";

/** What the command line sends to the program inside XS. */
export interface Request {
  readonly job: Job;
  readonly namesFile: string;
  /** The memory of the simulated device. */
  readonly room: Room;
  /** Whether anybody listens to reports. */
  readonly isObserved: boolean;
}

/** The line by which the command line asks the job to stop. */
export const STOP = "stop";

/** Exit codes by which it learns how the job ended. */
export const EXIT_STOPPED = 130;
export const EXIT_INPUT = 2;

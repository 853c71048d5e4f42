import type { Event } from "../../src/protocol/events";
import type { Job } from "../../src/jobs/job";
import type { MemoryBudget } from "../../src/gpt/base/platform";
import type { Settings } from "../../src/device/settings";
import type { UsageReport } from "../terminal/statistics";

/*
 * How the command line and the program inside XS talk: a request to begin with, events as lines of JSON
 * on standard output, and one word on standard input.
 */

export interface Request {
  readonly job: Job;
  /** What messages call the dataset. */
  readonly namesFile: string;
  /** The file behind a name, for names that are not that file themselves. */
  readonly actual: Readonly<Record<string, string>>;
  /** The memory of the simulated device. */
  readonly memory: MemoryBudget;
  /** Whether every step is to be told, or only those that the log has a line for. */
  readonly emitsAllSteps: boolean;
  /** Whether to ask, before each save, that what was told is kept. */
  readonly flushes: boolean;
}

/** What the simulated board is to be. */
export interface BoardRequest {
  /** As mc/config has them. */
  readonly settings: Settings;
  readonly namesFile: string;
  /** Its flash: the folder of its files. */
  readonly folder: string;
  readonly memory: MemoryBudget;
}

/** How the simulated board ends when it wants to be started anew. */
export const EXIT_REBOOT = 4;

/** Asks that what was told before is kept; FLUSHED answers. */
export interface FlushRequest {
  readonly type: "flush";
}

export type WireEvent = Event | UsageReport | FlushRequest;

/** The line by which the command line asks the job to stop. */
export const STOP = "stop";

/** The line that answers a FlushRequest. */
export const FLUSHED = "flushed";

import type { Event } from "../../src/protocol/events";
import type { Job } from "../../src/jobs/job";
import type { MemoryBudget } from "../../src/gpt/base/platform";
import type { Settings } from "../../src/device/settings";
import type { Dtype } from "../../src/gpt/model/ops";
import type { UsageReport } from "../terminal/statistics";

/*
 * Messages between the command line and the program inside XS: a request at the start, events as lines of JSON on
 * standard output, and commands on standard input.
 */

export interface Request {
  readonly job: Job;
  /** The dataset's name in messages. */
  readonly namesFile: string;
  /** Actual path by the name that the user gave, where the two differ. */
  readonly actual: Readonly<Record<string, string>>;
  /** The memory of the simulated device. */
  readonly memory: MemoryBudget;
  /** Whether to emit an event for every step, or only for the steps that the log shows. */
  readonly emitsAllSteps: boolean;
  /** Whether to send a FlushRequest before each save. */
  readonly flushes: boolean;
}

/** Configuration of a simulated board. */
export interface BoardRequest {
  /** Settings as in mc/config. */
  readonly settings: Settings;
  readonly namesFile: string;
  /** The folder that holds its storage. */
  readonly folder: string;
  /** See BoardOptions. */
  readonly dtype: Dtype;
  readonly memory: MemoryBudget;
}

/** What a simulated device has, for an app. */
export interface AppRequest {
  /** The folder that holds its storage. */
  readonly folder: string;
  /** That in which its chip is fastest. */
  readonly dtype: Dtype;
  readonly memory: MemoryBudget;
  /** Whether to report what it took, on standard error. */
  readonly stats: boolean;
}

/** Exit code of a simulated board that requests a restart. */
export const EXIT_REBOOT = 4;

/** Asks the command line to make all earlier events durable; the answer is FLUSHED. */
export interface FlushRequest {
  readonly type: "flush";
}

export type WireEvent = Event | UsageReport | FlushRequest;

/** The line that asks the job to stop. */
export const STOP = "stop";

/** The line that answers a FlushRequest. */
export const FLUSHED = "flushed";

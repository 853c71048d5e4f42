import type { Ending } from "../gpt/base/runner";
import type { WorkEvent } from "../gpt/training/events";

/*
 * What happens while the program runs, told as it happens. The published log (text-log.ts), the lines for programs (lines.ts) and progress bars are formatters of it.
 */

export type Event = WorkEvent | ErrorEvent | DoneEvent | DeviceEvent;

/** What only a device with a console has to tell: see PROTOCOL.md. */
export type DeviceEvent = HelloEvent | StateEvent | WordEvent | AnswerEvent | AckEvent | DamagedEvent | ChunkEvent;

export type Emit = (event: Event) => void;

/** What ended the work before its time, in a sentence. */
export interface ErrorEvent {
  readonly type: "error";
  readonly message: string;
}

/** The last event of a job. */
export interface DoneEvent {
  readonly type: "done";
  readonly job: "train" | "generate" | "eval";
  readonly outcome: Ending | "failed";
}

/** The first of the lines for programs. */
export interface HelloEvent {
  readonly type: "hello";
  readonly protocol: number;
  readonly version: string;
  readonly place: string;
}

/** What a device does. */
export const DEVICE_STATES = Object.freeze(["training", "paused", "saving", "idle"] as const);

export type DeviceState = (typeof DEVICE_STATES)[number];

export interface StateEvent {
  readonly type: "state";
  readonly state: DeviceState;
  /** Steps done of the schedule, and in all. */
  readonly step: number;
  readonly steps: number;
  readonly totalSteps: number;
  /** How many words of one's own there are. */
  readonly words: number;
  readonly seed: number;
  readonly parameters: number;
  /** Of the last step that had one. */
  readonly loss: number | null;
}

/** A word of one's own. */
export interface WordEvent {
  readonly type: "word";
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/** A line that answers a command, for people. */
export interface AnswerEvent {
  readonly type: "answer";
  readonly text: string;
}

/** A tagged command has ended. */
export interface AckEvent {
  readonly type: "ack";
  readonly id: number;
  readonly ok: boolean;
  readonly error?: string;
  /** The place that is waited for, while a checkpoint is received. */
  readonly next?: number;
}

/** A tagged command came damaged. */
export interface DamagedEvent {
  readonly type: "damaged";
}

/** A piece of the stored checkpoint. */
export interface ChunkEvent {
  readonly type: "chunk";
  /** The place of its first byte. */
  readonly at: number;
  /** Of the whole file. */
  readonly size: number;
  /** Base64. */
  readonly data: string;
}

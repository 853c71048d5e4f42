import type { Ending } from "../gpt/base/runner";
import type { WorkEvent } from "../gpt/training/events";

/*
 * The events of a running program. The published log (text-log.ts), the lines for programs (lines.ts) and progress
 * bars are formatters of them.
 */

export type Event = WorkEvent | ErrorEvent | DoneEvent | DeviceEvent;

/** The events that only a device with a console emits: see PROTOCOL.md. */
export type DeviceEvent = HelloEvent | StateEvent | WordEvent | AnswerEvent | AckEvent | DamagedEvent | ChunkEvent;

export type Emit = (event: Event) => void;

/** An error that ended the work early; the message is a sentence. */
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

/** The first line after the log is switched to programs. */
export interface HelloEvent {
  readonly type: "hello";
  readonly protocol: number;
  readonly version: string;
  readonly place: string;
}

/** The states of a device. Their order is stored across resets: see firmware/reset.ts. */
export const DEVICE_STATES = Object.freeze(["training", "paused", "saving", "idle"] as const);

export type DeviceState = (typeof DEVICE_STATES)[number];

export interface StateEvent {
  readonly type: "state";
  readonly state: DeviceState;
  /** Steps done of the schedule; its total; and steps done in all schedules. */
  readonly step: number;
  readonly steps: number;
  readonly totalSteps: number;
  /** Number of user words. */
  readonly words: number;
  readonly seed: number;
  readonly parameters: number;
  /** Loss of the last step that was not skipped; null before one. */
  readonly loss: number | null;
}

/** A user word. */
export interface WordEvent {
  readonly type: "word";
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/** A line of the answer to a command, as text for people. */
export interface AnswerEvent {
  readonly type: "answer";
  readonly text: string;
}

/** Acknowledges a tagged command that has ended. */
export interface AckEvent {
  readonly type: "ack";
  readonly id: number;
  readonly ok: boolean;
  readonly error?: string;
  /** Offset of the next byte, while a checkpoint is received. */
  readonly next?: number;
}

/** A tagged line arrived damaged. */
export interface DamagedEvent {
  readonly type: "damaged";
}

/** A piece of the fetched checkpoint. */
export interface ChunkEvent {
  readonly type: "chunk";
  /** Offset of its first byte. */
  readonly at: number;
  /** Size of the whole file in bytes. */
  readonly size: number;
  /** Base64. */
  readonly data: string;
}

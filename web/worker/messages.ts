import type { SamplingLimits } from "../../src/gpt/model/config";
import type { Event } from "../../src/protocol/events";
import type { Settings } from "../../src/device/settings";
import type { Inspection } from "./inspection";

/*
 * What the page and the worker that trains say to each other.
 */

/** Where a training begins: the first message to the worker. */
export interface StartMessage {
  /** By the names of the firmware's settings. */
  readonly settings: Settings;
  /** The list of names, and what messages call it. */
  readonly names: Uint8Array;
  readonly namesFile: string;
  /** Where this training is kept. */
  readonly folder: string;
  /** Whether what is kept there is to be forgotten first. */
  readonly isAfresh: boolean;
  /** One to take over, and what messages call it. */
  readonly checkpoint?: { readonly file: string; readonly bytes: Uint8Array };
}

/** What the page can ask of the worker; everything may be refused with a sentence. */
export interface Requests {
  /** Trains, at the speed that is set, until it is paused or over. */
  resume(): void;
  /** Resolves when all is saved, or it has been told why it cannot be. */
  pause(): Promise<void>;
  /** Does one step, and pauses. */
  step(): Promise<void>;
  /** Steps a second; Infinity is as fast as it can. */
  setSpeed(stepsPerSecond: number): void;
  /** Up to 100 names that begin with `prefix`, drawn within the limits; the training stays as it is. */
  generate(count: number, temperature: number, prefix: string, limits: SamplingLimits): Sample[];
  /** What the model makes of a text. */
  inspect(text: string): Inspection;
  /** A copy of the parameters, in the order of the buffer. */
  weights(): Float32Array;
  /** The training as a safetensors file. */
  checkpoint(): Promise<Uint8Array>;
}

export type RequestName = keyof Requests;

export interface Request {
  readonly id: number;
  readonly name: RequestName;
  readonly values: readonly unknown[];
}

/** What the worker has made ready. */
export interface Ready {
  /** With which the training began. */
  readonly seed: number;
  readonly parameters: number;
  /** Names in the list. */
  readonly names: number;
  /** The characters of tokens 1 and on. */
  readonly vocabulary: string;
  /** The first name of the list, as much of it as the model can look at. */
  readonly example: string;
  /** Of the list's line index. */
  readonly indexBytes: number;
  readonly stepsDone: number;
  readonly steps: number;
  /** Whether what is learnt outlives the page. */
  readonly isKept: boolean;
}

/** A name that the model wrote. */
export interface Sample {
  /** The steps that were done then. */
  readonly step: number;
  readonly name: string;
  /** Whether it stands in the list; undefined where the model has not been trained on that yet. */
  readonly isKnown?: boolean | undefined;
}

/** Steps that came one after the other. */
export interface Steps {
  readonly type: "steps";
  /** The number of the first. */
  readonly from: number;
  /** Of each, in nats a token; NaN where its name was passed over. */
  readonly losses: Float64Array;
}

/** What happened: the steps of a while together, everything else as the device tells it, and names now and then. */
export type TrainingUpdate =
  Steps | Exclude<Event, { type: "name" }> | ({ readonly type: "sample"; readonly isLast: boolean } & Sample);

export type WorkerMessage =
  | { readonly type: "ready"; readonly ready: Ready }
  /** It cannot begin. */
  | { readonly type: "refused"; readonly message: string }
  | { readonly type: "happened"; readonly updates: readonly TrainingUpdate[] }
  | { readonly type: "answered"; readonly id: number; readonly value: unknown }
  | { readonly type: "failed"; readonly id: number; readonly message: string }
  /** A mistake in the program. */
  | { readonly type: "broken"; readonly message: string };

import type { KeptCurve } from "../../src/jobs/loss-curve";
import type { SamplingLimits } from "../../src/gpt/model/config";
import type { Event } from "../../src/protocol/events";
import type { Settings } from "../../src/device/settings";
import type { Inspection } from "./inspection";

/*
 * Messages between the page and the training worker.
 */

/** The first message to the worker: what to train. */
export interface StartMessage {
  /** Values by name of setting. */
  readonly settings: Settings;
  /** The dataset and its name in messages. */
  readonly names: Uint8Array;
  readonly namesFile: string;
  /** A lock that the worker holds as long as it lives. */
  readonly lock: string;
  /** The folder of this training in the browser's storage. */
  readonly folder: string;
  /** Whether to delete the saved training first. */
  readonly isAfresh: boolean;
  /** What was saved with the checkpoint in the folder. */
  readonly shown?: SavedView | undefined;
  /** A checkpoint to load, and its name in messages. */
  readonly checkpoint?: { readonly file: string; readonly bytes: Uint8Array };
}

/** Requests of the page; each may reject with a sentence. */
export interface Requests {
  /** Trains at the set speed until paused or finished. */
  resume(): void;
  /** Resolves when a checkpoint is saved, or saving has failed and was reported. */
  pause(): Promise<void>;
  /** Saves between two steps, and goes on. Resolves as pause() does. */
  save(): Promise<void>;
  /** Pauses without saving. */
  halt(): void;
  /** Does one step, then pauses and saves. */
  step(): Promise<void>;
  /** Sets the speed in steps per second; Infinity means unlimited. */
  setSpeed(stepsPerSecond: number): void;
  /** Generates up to 100 names that begin with `prefix`; does not affect the training. */
  generate(count: number, temperature: number, prefix: string, limits: SamplingLimits): Sample[];
  /** Runs the forward pass on a text. */
  inspect(text: string): Inspection;
  /** A copy of the parameters, in buffer order. */
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

/** The state of a prepared training. */
export interface Ready {
  /** The seed that the training started with. */
  readonly seed: number;
  readonly parameters: number;
  /** Number of documents in the dataset. */
  readonly names: number;
  /** The characters of tokens 1, 2, … */
  readonly vocabulary: string;
  /** Characters of the longest document. */
  readonly longest: number;
  /** The first document, cut to what fits the model. */
  readonly example: string;
  /** Size of the dataset's line index, in bytes. */
  readonly indexBytes: number;
  readonly stepsDone: number;
  readonly steps: number;
  /** Whether the training is saved in the browser. */
  readonly isKept: boolean;
}

/** A generated name. */
export interface Sample {
  /** Number of training steps done before it. */
  readonly step: number;
  readonly name: string;
  /** Whether it is in the dataset; undefined if the model has not been trained on that yet. */
  readonly isKnown?: boolean | undefined;
}

/** What the page shows of a training; saved in one transaction with its checkpoint. */
export interface SavedView {
  readonly curve: KeptCurve;
  readonly samples: readonly Sample[];
  readonly lastNames: readonly Sample[];
}

/** Maximum number of generated names that are shown. */
export const MAX_SAMPLES = 200;

/** The key of a SavedView in the folder of its training. */
export const SHOWN = "shown";

/** Consecutive training steps. */
export interface Steps {
  readonly type: "steps";
  /** The number of the first step. */
  readonly from: number;
  /** The loss of each step, in nats per token; NaN if its document was skipped. */
  readonly losses: Float64Array;
}

/** Events of the training: batched steps, the device's other events, and names generated during the training. */
export type TrainingUpdate =
  Steps | Exclude<Event, { type: "name" }> | ({ readonly type: "sample"; readonly isLast: boolean } & Sample);

export type WorkerMessage =
  | { readonly type: "ready"; readonly ready: Ready }
  /** The training cannot start. */
  | { readonly type: "refused"; readonly message: string }
  | { readonly type: "happened"; readonly updates: readonly TrainingUpdate[] }
  | { readonly type: "answered"; readonly id: number; readonly value: unknown }
  | { readonly type: "failed"; readonly id: number; readonly message: string }
  /** An internal error. */
  | { readonly type: "broken"; readonly message: string };

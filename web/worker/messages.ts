import type { KeptCurve } from "../../src/jobs/loss-curve";
import type { SamplingLimits } from "../../src/gpt/model/config";
import type { Event } from "../../src/protocol/events";
import type { Settings } from "../../src/device/settings";
import type { Inspection } from "./inspection";
import type { Draw, Drawing, Omission, WhatIf } from "./questions";
import type { StepRecording } from "./step-recording";

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
  /** Words of the user, for a training that has none stored. */
  readonly ownWords: readonly string[];
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
  /** Generates names to show beside those of the untrained model, as many. */
  words(): Sample[];
  /** The loss of a model that counts pairs of characters, on what the training is on: see PairCount. */
  pairLoss(): Promise<number>;
  /** Generates up to 100 names that begin with `prefix`; does not affect the training. */
  generate(count: number, temperature: number, prefix: string, limits: SamplingLimits): Sample[];
  /** Runs the forward pass on a text. */
  inspect(text: string): Inspection;
  /** Draws a letter. */
  draw(drawing: Drawing): Draw;
  /** Compares the model with itself without some parts. */
  whatIf(omission: Omission): Promise<WhatIf>;
  /** A copy of the parameters, in buffer order. */
  weights(): Float32Array;
  /** The parameters that the training began with, as its seed draws them. */
  drawnWeights(): Float32Array;
  /** The weight at an index of the parameters, and what the last step did to it. */
  weight(index: number): WeightReading;
  /** The values of a weight in the course of the training. */
  weightCurve(index: number): WeightCurve;
  /** The training as a safetensors file. */
  checkpoint(): Promise<Uint8Array>;
  /** Does one step, records it, then pauses and saves. @param layer the one that is kept if the model is too large for all */
  recordStep(layer: number): Promise<StepRecording>;
  /** Pauses and saves, and records a step on a word, or on one of the list, that leaves the training as it is. */
  recordWhatIf(word: string | undefined, layer: number): Promise<StepRecording>;
  /** Adds a word of the user to what is trained on. */
  addWord(word: string): Promise<void>;
  /** Removes one of them. */
  forgetWord(word: string): Promise<void>;
  /** The words of the user, in their order. */
  ownWords(): Promise<readonly OwnWord[]>;
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
  /** The first document that fits the model, or the first one, cut. */
  readonly example: string;
  /** The first three documents, likewise. */
  readonly examples: readonly string[];
  /** Names that the model generates before its first step, also if more has been trained. */
  readonly untrained: readonly Sample[];
  /** Size of the dataset's line index, in bytes. */
  readonly indexBytes: number;
  readonly stepsDone: number;
  readonly steps: number;
  /** Whether the training is saved in the browser. */
  readonly isKept: boolean;
  /** The words of the user. */
  readonly ownWords: readonly OwnWord[];
}

/** A generated name. */
export interface Sample {
  /** Number of training steps done before it. */
  readonly step: number;
  readonly name: string;
  /** Whether it is in the dataset; undefined if the model has not been trained on that yet. */
  readonly isKnown?: boolean | undefined;
  /**
   * How improbable the model that wrote it finds it: −log₂ p, the mean over its letters and its end. Absent in a name
   * of an earlier version of the page.
   */
  readonly bits?: number | undefined;
}

/** A weight between two steps. */
export interface WeightReading {
  readonly stepsDone: number;
  readonly value: number;
  /** Undefined before the first step since the training was prepared. */
  readonly update: WeightUpdate | undefined;
}

/**
 * How the last step moved a weight: w − learningRate · correctedM / (√correctedV + epsilon), rounded to what a
 * parameter can hold.
 */
export interface WeightUpdate {
  /** The weight before it, and its gradient; NaN for models of more than 4 million weights. */
  readonly before: number;
  readonly gradient: number;
  /** Adam's moments after it, and with the correction for their start at zero. */
  readonly m: number;
  readonly v: number;
  readonly correctedM: number;
  readonly correctedV: number;
  readonly learningRate: number;
  readonly epsilon: number;
  /** In i32, the distance of the values that a weight can have; else 0. */
  readonly weightStep: number;
}

/** A weight after some of the steps, in their order. */
export interface WeightCurve {
  readonly steps: readonly number[];
  readonly values: readonly number[];
  /** Whether the model is small enough for a history of its weights. */
  readonly isKept: boolean;
}

/** A word of the user. */
export interface OwnWord {
  readonly word: string;
  /** How surprising it is to the model now, in nats per token; undefined if it was not measured. */
  readonly loss: number | undefined;
}

/** What the page shows of a training; saved in one transaction with its checkpoint. */
export interface SavedView {
  readonly curve: KeptCurve;
  readonly lastNames: readonly Sample[];
}

/** Maximum number of names after a training that are shown. */
export const MAX_NAMES = 200;

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

/** Events of the training: batched steps, the device's other events, and names generated after the training. */
export type TrainingUpdate = Steps | Exclude<Event, { type: "name" }> | ({ readonly type: "sample" } & Sample);

export type WorkerMessage =
  | { readonly type: "ready"; readonly ready: Ready }
  /** The training cannot start. */
  | { readonly type: "refused"; readonly message: string }
  | { readonly type: "happened"; readonly updates: readonly TrainingUpdate[] }
  | { readonly type: "answered"; readonly id: number; readonly value: unknown }
  | { readonly type: "failed"; readonly id: number; readonly message: string }
  /** An internal error. */
  | { readonly type: "broken"; readonly message: string };

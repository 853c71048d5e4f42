import type { Ending } from "../base/runner";
import type { SamplingLimits } from "../model/config";
import type { Dtype, OpsName } from "../model/ops";

/* The events of training, saving, generating and evaluating. */

export type WorkEvent =
  | StartEvent
  | StepEvent
  | TrainedEvent
  | SavedEvent
  | NamesEvent
  | NameEvent
  | ProgressEvent
  | EvaluatedEvent
  | RemarkEvent;

export type EmitWork = (event: WorkEvent) => void;

/**
 * The loss of a name: its mean cross-entropy in nats; "passed over" if the name is too long, "diverged" if the
 * loss is not finite.
 */
export type Loss = number | "passed over" | "diverged";

/** Training begins. */
export interface StartEvent {
  readonly type: "start";
  /** ESP32, XS, Node. */
  readonly place: string;
  readonly ops: OpsName;
  /** If it is i32. */
  readonly dtype?: Dtype;
  readonly parameters: number;
  readonly nHead: number;
  readonly nEmbd: number;
  /** Names in the dataset. */
  readonly names: number;
  /** Characters of the vocabulary, if they are not all within a to z. */
  readonly characters?: number;
  readonly steps: number;
  /** Names per step. */
  readonly batchSize: number;
  /** Steps that were done before, if the training resumes. */
  readonly from?: number;
  /** Whether a device resumes a training that it has already announced in the log. */
  readonly isAgain?: boolean;
}

/** A step of training. One object is reused for all steps of a run: copy it to keep it. */
export interface StepEvent {
  readonly type: "step";
  /** From 0. */
  step: number;
  readonly steps: number;
  loss: Loss;
  learningRate: number;
  /** Index in the dataset of the (last) name. */
  name: number;
  /** Whether the log prints a line for it. */
  isLogged: boolean;
  /** Mean loss of (a sample of) the names held out, if it was measured. */
  validationLoss: number | undefined;
  /** Mean loss of the steps since the last event; undefined if every step has an event. */
  mean: number | undefined;
}

/** Training has ended. */
export interface TrainedEvent {
  readonly type: "trained";
  readonly ending: Ending;
  readonly stepsDone: number;
  readonly steps: number;
  /** Steps that were done before this run. */
  readonly from: number;
  /** Duration of the training alone. */
  readonly milliseconds: number;
  /** False if the model has not learned: see TrainingTask.complaint. */
  readonly isLearning?: boolean;
}

export interface SavedEvent {
  readonly type: "saved";
  readonly file: string;
  /** Whether a training was stopped before its end. */
  readonly isEarly: boolean;
}

/** Generated names follow. */
export interface NamesEvent extends Partial<SamplingLimits> {
  readonly type: "names";
  readonly temperature: number;
}

export interface NameEvent {
  readonly type: "name";
  /** From 1. */
  readonly number: number;
  readonly name: string;
  /** Whether the dataset contains it; undefined if that was not checked. */
  readonly isKnown?: boolean;
  /** Whether it answers a command of the console. */
  readonly isAnswer?: boolean;
}

/** Progress of work that is counted in names. */
export interface ProgressEvent {
  readonly type: "progress";
  readonly done: number;
  readonly total: number;
}

/** How well a model predicts names, and how the names that it generates compare with the dataset. */
export interface EvaluatedEvent {
  readonly type: "evaluated";
  /** Mean over the names measured, each with the same weight, in nats a token. */
  readonly loss: number;
  readonly names: number;
  readonly passedOver: number;
  /** Tokens of these names that are predicted: their characters, and the final BOS of each. */
  readonly tokens: number;
  /** Mean over these tokens, each with the same weight: the sum of -ln p, divided by their number. */
  readonly natsPerToken: number;
  /** The sum of -log2 p over these tokens, including BOS, divided by the number of characters. */
  readonly bitsPerCharacter: number;
  /** On a device, which may be in the middle of a training: steps done so far, of `steps`. */
  readonly step?: number;
  readonly steps?: number;
  /** If names were generated. */
  readonly written?: WrittenNames;
  /** Whether the model was trained on another dataset: a generated name that this one lacks need not be new. */
  readonly isOfAnotherList?: boolean;
}

/** Generated names, compared with the names of the dataset that the model can be trained on. */
export interface WrittenNames extends Partial<SamplingLimits> {
  readonly count: number;
  readonly temperature: number;
  /** Share, from 0 to 1, of names that are neither empty nor in the dataset. */
  readonly newShare: number;
  /** Share, from 0 to 1, of empty names. */
  readonly emptyShare: number;
  /** Share, from 0 to 1, of names that were generated before: one that occurs three times counts twice. */
  readonly duplicateShare: number;
  readonly length: Lengths;
  readonly dataLength: Lengths;
  /**
   * Total variation distance between the character frequencies of the generated names and of the dataset, half the
   * sum of |p - q|: from 0, equal, to 1, no character in common. 1 if all generated names are empty.
   */
  readonly letterDistance: number;
}

/** Lengths of names, in characters. */
export interface Lengths {
  readonly mean: number;
  /** Standard deviation: the root of the mean squared distance from the mean. */
  readonly deviation: number;
}

/** A sentence for the user. */
export interface RemarkEvent {
  readonly type: "remark";
  readonly message: string;
}

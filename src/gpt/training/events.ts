import type { Ending } from "../base/runner";
import type { SamplingLimits } from "../model/config";
import type { OpsName } from "../model/ops";

/* What the library tells while it trains, saves, writes and measures. */

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
 * What a name cost: its mean cross-entropy in nats; "passed over" when it was too long, "diverged" when it is
 * no finite number.
 */
export type Loss = number | "passed over" | "diverged";

/** Training begins. */
export interface StartEvent {
  readonly type: "start";
  /** ESP32, XS, Node. */
  readonly place: string;
  readonly ops: OpsName;
  readonly parameters: number;
  readonly nHead: number;
  readonly nEmbd: number;
  /** Names in the dataset. */
  readonly names: number;
  /** In the vocabulary, where it is not within a to z. */
  readonly characters?: number;
  readonly steps: number;
  /** Names a step. */
  readonly batchSize: number;
  /** Steps that were done before, where it goes on. */
  readonly from?: number;
  /** Whether the device had trained before and was told to go on: the log has said already what it is. */
  readonly isAgain?: boolean;
}

/** A step of training. One object serves all steps of a run: who wants to keep it copies it. */
export interface StepEvent {
  readonly type: "step";
  /** From 0. */
  step: number;
  readonly steps: number;
  loss: Loss;
  learningRate: number;
  /** Index of the (last) name in the dataset. */
  name: number;
  /** Whether the log has a line for it. */
  isLogged: boolean;
  /** The mean loss of (a sample of) the names held out, where it was measured. */
  validationLoss: number | undefined;
  /** The mean loss of the steps since the last that was told; undefined where all are told. */
  mean: number | undefined;
}

/** Training has ended. */
export interface TrainedEvent {
  readonly type: "trained";
  readonly ending: Ending;
  readonly stepsDone: number;
  readonly steps: number;
  /** Steps that had been done before it went on. */
  readonly from: number;
  /** Of the training alone. */
  readonly milliseconds: number;
  /** False where the model has not learnt: see Training.complaint. */
  readonly isLearning?: boolean;
}

export interface SavedEvent {
  readonly type: "saved";
  readonly file: string;
  /** Whether this was the end of a training that was stopped. */
  readonly isEarly: boolean;
}

/** Names will be written. */
export interface NamesEvent extends Partial<SamplingLimits> {
  readonly type: "names";
  readonly temperature: number;
}

export interface NameEvent {
  readonly type: "name";
  /** From 1. */
  readonly number: number;
  readonly name: string;
  /** Whether it stands in the dataset; undefined where nobody has looked. */
  readonly isKnown?: boolean;
  /** Whether it answers a command of the console. */
  readonly isAnswer?: boolean;
}

/** Of work that is counted in names. */
export interface ProgressEvent {
  readonly type: "progress";
  readonly done: number;
  readonly total: number;
}

/** How well a model predicts names, and what the names are like that it writes. */
export interface EvaluatedEvent {
  readonly type: "evaluated";
  /** Mean over the names that were measured, each of which weighs the same, in nats a token. */
  readonly loss: number;
  readonly names: number;
  readonly passedOver: number;
  /** Tokens of these names that were to be predicted: their characters, and the BOS at the end of each. */
  readonly tokens: number;
  /** Mean over these tokens, each of which weighs the same: the sum of -ln p, divided by their number. */
  readonly natsPerToken: number;
  /** The sum of -log2 p over all of these tokens, BOS included, divided by the number of characters. */
  readonly bitsPerCharacter: number;
  /** On a device, which may be in the middle of a training: of this moment, so many steps of `steps` done. */
  readonly step?: number;
  readonly steps?: number;
  /** Where names were asked for. */
  readonly written?: WrittenNames;
  /** Whether the model was trained on another list: a written name that is not in this one need not be new. */
  readonly isOfAnotherList?: boolean;
}

/** Names that a model has written, compared with the dataset: those of its names that the model can be trained on. */
export interface WrittenNames extends Partial<SamplingLimits> {
  readonly count: number;
  readonly temperature: number;
  /** From 0 to 1: those with a character that no name of the dataset is equal to. */
  readonly newShare: number;
  /** From 0 to 1: those without a character. */
  readonly emptyShare: number;
  /** From 0 to 1: those that had been written before, so that a name that comes thrice counts twice. */
  readonly duplicateShare: number;
  readonly length: Lengths;
  readonly dataLength: Lengths;
  /**
   * Total variation distance between the shares that each character has of all written and of all in the dataset,
   * half the sum of |p - q|: from 0, the same, to 1, none in common. 1 when nothing but empty names was written.
   */
  readonly letterDistance: number;
}

/** Of names, in characters. */
export interface Lengths {
  readonly mean: number;
  /** The root of the mean squared distance from the mean. */
  readonly deviation: number;
}

/** Something that the user may want to know. */
export interface RemarkEvent {
  readonly type: "remark";
  readonly message: string;
}

import type { PresetName } from "../../src/gpt/model/config";
import type { Ops, Stored } from "../../src/gpt/model/ops";

/** What i32-native.test.ts asks of i32-native-main.ts, which runs on XS. */
export type I32Question = I32CompareQuestion | I32RefuseQuestion | I32TrainQuestion | I32CodecQuestion;

export type I32OpName = Exclude<
  keyof Ops,
  "name" | "dtype" | "functions" | "codec" | "view" | "areFinite" | "words" | "canUpdate"
>;

export const I32_OP_NAMES: readonly I32OpName[] = [
  "zero",
  "embeddingForward",
  "embeddingBackward",
  "rmsNormForward",
  "rmsNormBackward",
  "linearForward",
  "linearResidualForward",
  "linearBackward",
  "qkvForward",
  "qkvBackward",
  "attentionForward",
  "attentionBackward",
  "mlpForward",
  "mlpBackward",
  "softmaxCrossEntropy",
  "adam",
];

export interface I32Shape {
  readonly rows: number;
  /** Rows that there is room for. */
  readonly block: number;
  readonly heads: number;
  /** n = heads · headWidth */
  readonly headWidth: number;
  /** The other side of a matrix: hidden units, letters of the vocabulary. */
  readonly m: number;
  /** Exponents of tensors: as in a training, or from -spread to spread. */
  readonly spread: number;
  /** ceil(log2) of the documents of a batch. */
  readonly documents: number;
  /** Whether mlpBackward gets one tensor as dx and dy. */
  readonly isAliased: boolean;
  readonly hasBias: boolean;
  readonly accumulate: boolean;
  /** Whether backward passes update the weights. */
  readonly updates?: boolean;
  readonly seed: number;
}

/** An op, native against TypeScript, on random values. */
export interface I32CompareQuestion {
  readonly kind: "compare";
  readonly op: I32OpName;
  readonly shape: I32Shape;
}

export interface I32Comparison {
  /** Names of the arguments whose memory differs afterwards, and "result". */
  readonly different: readonly string[];
  /** Whether the native op wrote outside of its tensors. */
  readonly isOutside: boolean;
}

/** What a native op does with arguments that will not do: see native-ops-questions.ts. */
export interface I32RefuseQuestion {
  readonly kind: "refuse";
  readonly op: I32OpName;
  readonly updates: boolean;
}

export interface Training {
  readonly preset: PresetName;
  readonly nLayer: number;
  readonly nEmbd: number;
  readonly nHead: number;
  readonly blockSize: number;
  readonly mlpWidth?: number;
  readonly relativeBias?: boolean;
  readonly batchSize: number;
  readonly learningRate?: number;
  readonly seed: number;
  readonly steps: number;
}

/** A training with native ops; the answer is what traceOf() returns. */
export interface I32TrainQuestion {
  readonly kind: "train";
  readonly training: Training;
}

/** The codec, native against TypeScript, on these words; as float32, they are the bits of numbers. */
export interface I32CodecQuestion {
  readonly kind: "codec";
  readonly what: Stored;
  readonly words: readonly number[];
}

/** What differs. */
export type I32CodecAnswer = readonly ("decoded" | "encoded" | "again")[];

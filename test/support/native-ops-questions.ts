import type { PresetName } from "../../src/gpt/model/config";
import type { Ops } from "../../src/gpt/model/ops";

/** What native-ops.test.ts asks of native-ops-main.ts, which runs on XS. */
export type Question =
  CompareQuestion | RefuseQuestion | WordsQuestion | TrainQuestion | DivergeQuestion | AllocateQuestion | SaveQuestion;

export type OpName = Exclude<keyof Ops, "name" | "dtype" | "view" | "functions" | "codec" | "words" | "canUpdate">;

export const OP_NAMES: readonly OpName[] = [
  "zero",
  "areFinite",
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

export interface Shape {
  readonly from: number;
  /** Rows `from` to `rows` - 1 are computed. */
  readonly rows: number;
  /** Rows that there is room for. */
  readonly block: number;
  readonly heads: number;
  /** n = heads · headWidth */
  readonly headWidth: number;
  /** The other side of a matrix: hidden units, letters of the vocabulary. */
  readonly m: number;
  /** Standard deviation of the values. */
  readonly scale: number;
  /** Whether mlpBackward gets one tensor as dx and dy. */
  readonly isAliased: boolean;
  /** Whether attention has a bias by distance. */
  readonly hasBias: boolean;
  /** Whether the gradients of weights are added to. */
  readonly accumulate: boolean;
  /** Whether weights are updated instead, by ops for a chip. */
  readonly updates?: boolean;
  readonly seed: number;
}

/** An op, native against TypeScript, on random values. */
export interface CompareQuestion {
  readonly kind: "compare";
  readonly op: OpName;
  readonly shape: Shape;
}

export interface Comparison {
  /** The largest |native - TypeScript| / Σ|terms|; null for NaN. */
  readonly ratio: number | null;
  /** Whether the native op wrote outside of its tensors. */
  readonly isOutside: boolean;
}

/** What a native op does with arguments that will not do. */
export interface RefuseQuestion {
  readonly kind: "refuse";
  readonly op: OpName;
  readonly updates: boolean;
}

/** Adam with moments in words, and their conversion, native against TypeScript, on random values. */
export interface WordsQuestion {
  readonly kind: "words";
  readonly seed: number;
}

/** The largest differences: of words, in units of each half; of weights, relative if they are large. */
export interface WordsAnswer {
  readonly m: number;
  readonly v: number;
  readonly w: number;
  readonly areConversionsSame: boolean;
}

export interface Refusal {
  /** What was wrong with the arguments. */
  readonly wrong: string;
  /** The name of what was thrown; null when nothing was. */
  readonly error: string | null;
  /** Whether any tensor, or the memory beside it, was written to. */
  readonly isTouched: boolean;
}

/** Losses of a training. */
export interface TrainQuestion {
  readonly kind: "train";
  readonly ops: "native" | "typescript";
  readonly preset: PresetName;
  readonly nLayer: number;
  readonly steps: number;
}

/** Losses with a parameter that is NaN, for each matrix of the model in turn. */
export interface DivergeQuestion {
  readonly kind: "diverge";
  readonly preset: PresetName;
}

/** Whether a loss hid it; names of matrices. */
export interface Hidden {
  readonly native: readonly string[];
  readonly typescript: readonly string[];
}

/** What a save of the usual model takes, with all of a training's state. */
export interface SaveQuestion {
  readonly kind: "save";
}

export interface SaveCost {
  readonly bytecodes: number;
  /** Bytes of the file. */
  readonly size: number;
}

/** What a training on native ops takes of the heap once its first step is done. */
export interface AllocateQuestion {
  readonly kind: "allocate";
  readonly preset: PresetName;
  readonly nLayer: number;
  readonly steps: number;
}

export interface Allocation {
  /** Garbage collections during the steps. */
  readonly collections: number;
  /** Bytes, but for those of the measurement itself. */
  readonly bytes: number;
  readonly bytecodes: number;
}

import type { Dtype, Floats } from "../../src/gpt/model/ops";

/*
 * A recorded step of training, as the worker sends it to the page: copies of numbers as floats.
 * A matrix has a row for each position that is kept.
 */

/** What the forward pass has computed in a layer, in the order of the computation. K is the number of positions kept. */
export interface LayerRecord {
  /** The residual stream as it enters; K×n. */
  readonly x: Floats;
  /** x as the attention takes it: normalized if the preset uses RMSNorm. */
  readonly attentionInput: Floats;
  /** K×n; a head has n / heads neighbouring columns. */
  readonly q: Floats;
  readonly k: Floats;
  readonly v: Floats;
  /** The learned bias by distance, heads×K, if the model has it. */
  readonly bias: Floats | undefined;
  /** Attention probabilities, of each head the lower triangle of K×K, row t at t(t + 1)/2. */
  readonly p: Floats;
  /** The mixed values of all heads; K×n. */
  readonly attention: Floats;
  /** The residual stream after the attention. */
  readonly middle: Floats;
  /** middle as the MLP takes it. */
  readonly mlpInput: Floats;
  /** The units of the MLP after the ReLU; K×hidden. */
  readonly hidden: Floats;
  /** The residual stream as it leaves. */
  readonly output: Floats;
}

/** Places that the gradient passes, from the loss back to the embeddings. */
export type FlowStage = "logits" | "output" | "hidden" | "middle" | "attention" | "q" | "k" | "v" | "embedding";

/** The gradient of one place in the network. */
export interface FlowRecord {
  readonly stage: FlowStage;
  /** Absent where the place is in no layer. */
  readonly layer?: number;
  /** The Euclidean norm of the gradient at each position kept, and over all positions. */
  readonly norms: Float64Array;
  readonly norm: number;
}

/** One document of a step. */
export interface DocumentRecord {
  /** Its tokens, one more than positions. */
  readonly tokens: Uint8Array;
  /** Number of positions, and how many of them are kept. */
  readonly rows: number;
  readonly kept: number;
  /** The rows of wte and wpe that were added, and their sum; K×n. */
  readonly tokenRows: Floats;
  readonly positionRows: Floats;
  readonly embedding: Floats;
  /** By layer; undefined for one that is too large to be kept. */
  readonly layers: readonly (LayerRecord | undefined)[];
  /** K×vocabulary. */
  readonly logits: Floats;
  /** The loss of each position, and their mean as the step has it, in nats. */
  readonly losses: Float64Array;
  readonly loss: number;
  /** In the order of the backward pass. */
  readonly flow: readonly FlowRecord[];
  /** The losses of the same document after the step. */
  readonly lossesAfter: Float64Array;
  readonly lossAfter: number;
}

/** A matrix of weights in the update; of a large one, the first rows. */
export interface MatrixRecord {
  /** As in a checkpoint: wte, layers.0.wq. */
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** The Euclidean norm of its gradient, summed over the documents. */
  readonly gradientNorm: number;
  /** The rows that are kept of the following. */
  readonly kept: number;
  readonly g: Floats;
  readonly mBefore: Floats;
  readonly vBefore: Floats;
  readonly wBefore: Floats;
  readonly m: Floats;
  readonly v: Floats;
  readonly w: Floats;
}

/** The update by Adam; see Ops.adam for the formula. */
export interface AdamRecord {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Updates done with this one: t in β^t. */
  readonly t: number;
  readonly learningRate: number;
  /** learningRate / (1 - β1^t) */
  readonly rate: number;
  /** 1 / (1 - β2^t) */
  readonly vScale: number;
  readonly matrices: readonly MatrixRecord[];
}

/** The shape of the model. */
export interface RecordedShape {
  readonly dtype: Dtype;
  readonly n: number;
  readonly heads: number;
  readonly hidden: number;
  readonly vocabulary: number;
  readonly layers: number;
  readonly rmsNorm: boolean;
}

export interface StepRecording {
  /** Whether the training has done this step; otherwise it was done on a copy. */
  readonly isReal: boolean;
  /** The number of the step, from 0. */
  readonly step: number;
  readonly shape: RecordedShape;
  /** Documents in the gradient, and how their losses are averaged: by document or by token. */
  readonly documentCount: number;
  readonly weighs: "names" | "tokens";
  /** The loss of the step, in nats a token. */
  readonly loss: number;
  /** The first documents, as many as are kept. */
  readonly documents: readonly DocumentRecord[];
  readonly adam: AdamRecord;
}

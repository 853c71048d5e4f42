import type { SamplingLimits } from "../../src/gpt/model/config";

/*
 * What the page asks of a model, and the answers. Apart from the code that answers, so that the page imports none of it.
 */

/** How the next letter is to be drawn. */
export interface Drawing {
  /** What the word begins with, and the tokens behind it. */
  readonly prefix: string;
  readonly letters: readonly number[];
  readonly temperature: number;
  readonly limits: SamplingLimits;
  /** The random number: from 0, less than 1. */
  readonly number: number;
}

/** The draw of a letter, and what it was drawn from. */
export interface Draw {
  /** The tokens of the prefix. */
  readonly prefix: readonly number[];
  /** Of each token, with temperature and limits; their sum is 1. At temperature 0 the likeliest has 1. */
  readonly probabilities: Float32Array;
  /** The token that a Generator draws with this random number; BOS ends the word. */
  readonly token: number;
  /** Whether the word has its maximum length: then nothing is drawn. */
  readonly isFull: boolean;
}

/** Parts of a model to be left out; layers and heads count from 0. */
export interface Omission {
  readonly heads: readonly { readonly layer: number; readonly head: number }[];
  /** The layers whose MLP is left out. */
  readonly mlps: readonly number[];
  /** Whether the embeddings of the positions are left out. */
  readonly positions: boolean;
  /** Whether the learned biases by distance are left out, if the model has them. */
  readonly distances: boolean;
}

export interface Measured {
  /** Mean over the documents of their mean loss, in nats a token. */
  readonly loss: number;
  readonly words: readonly string[];
}

/** A model beside the same model without some parts. */
export interface WhatIf {
  /** Training steps of both. */
  readonly step: number;
  /** Those measured: documents that are too long are passed over. */
  readonly documents: number;
  /** Whether these are held out of the training. */
  readonly isHeldOut: boolean;
  readonly whole: Measured;
  readonly without: Measured;
}

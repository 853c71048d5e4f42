import { InputError } from "../../src/gpt/base/errors";
import { forward } from "../../src/gpt/model/forward";
import { powerOfTwo } from "../../src/gpt/base/elementary";
import { PROBABILITY_EXPONENT } from "../../src/gpt/model/i32-arithmetic";
import type { Model } from "../../src/gpt/model/model";
import type { Tensor } from "../../src/gpt/model/ops";
import { BOS } from "../../src/gpt/data/vocabulary";

/** The activations of a model for a text. Rows are positions, from BOS to the last character. */
export interface Inspection {
  /** BOS and the characters of the text. */
  readonly tokens: readonly number[];
  /** For each row, the probability of each token to be next; they sum to 1. */
  readonly probabilities: readonly Float32Array[];
  /** For each layer, head and row, the attention weights of the positions up to that row; they sum to 1. */
  readonly attention: readonly (readonly (readonly Float32Array[])[])[];
}

/**
 * Runs the forward pass on a text; call it between training steps.
 * @throws InputError when the text is too long or has characters outside the vocabulary
 */
export function inspect(model: Model, text: string): Inspection {
  const { config, vocabulary, activations } = model;
  const { blockSize, nHead } = config;
  const known = vocabulary.respell(text);
  const rows = vocabulary.check(known) + 1;
  if (rows > blockSize) throw new InputError(`The model looks at ${blockSize - 1} characters at most.`);
  const tokens = new Uint8Array(blockSize + 1);
  tokens[0] = BOS;
  vocabulary.encode(known, tokens, 1);
  forward(model, tokens, 0, rows);
  const triangle = (blockSize * (blockSize + 1)) / 2;
  const rowsOf = <T>(row: (t: number) => T): T[] => Array.from({ length: rows }, (_, t) => row(t));
  return {
    tokens: [...tokens.subarray(0, rows)],
    probabilities: model.logits
      .slice(0, rows)
      .map((row) => softmax(Float32Array.from(row, (x) => x * model.logitUnit))),
    attention: activations.layers.map(({ p }) =>
      Array.from({ length: nHead }, (_, head) =>
        rowsOf((t) => {
          const begin = head * triangle + (t * (t + 1)) / 2;
          return probabilitiesOf(p, begin, begin + t + 1);
        }),
      ),
    ),
  };
}

/** Attention's probabilities as floats. */
function probabilitiesOf(p: Tensor, begin: number, end: number): Float32Array {
  if (!("mantissas" in p)) return Float32Array.from(p.subarray(begin, end));
  const unit = powerOfTwo(-PROBABILITY_EXPONENT);
  return Float32Array.from(p.mantissas.subarray(begin, end), (x) => x * unit);
}

function softmax(result: Float32Array): Float32Array {
  const largest = result.reduce((a, b) => Math.max(a, b));
  let sum = 0;
  for (const [i, logit] of result.entries()) sum += result[i] = Math.exp(logit - largest);
  return result.map((e) => e / sum);
}

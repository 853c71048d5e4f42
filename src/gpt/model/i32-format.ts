import { log2Ceiling } from "./i32-arithmetic";

/** The sizes of a model, as in its configuration. */
type Sizes = Readonly<Record<"nEmbd" | "nHead" | "blockSize" | "vocabularySize", number>>;

/** Bits of the mantissas of a model's tensors, beside their signs: see mantissaBits(). */
export interface MantissaBits {
  /** The residual stream, its normalized rows, queries, keys, values, and the outputs of attention. */
  readonly stream: number;
  /** The units of the MLP, and their gradients. */
  readonly hidden: number;
  /** The gradients of the logits. */
  readonly logits: number;
  /** The gradients of the stream, of attention, and of queries, keys and values. */
  readonly flow: number;
}

/**
 * As many bits as exclude an overflow, whatever the numbers are. A product of K terms has mantissas of b bits and
 * weights of 31, and its high halves sum to K·2^(b + 31 - 32), which must be at most 2^30: b = 31 - log2 K. A gradient
 * of a weight sums products of two tensors over all positions, B·2^(a + b - 32) <= 2^31: a and b are at most
 * (62 - log2 B) / 2, and one is left for the rounding. The scores of attention sum d products of two tensors of
 * `stream` bits. The gradients of values sum B products with probabilities of 30 bits.
 * @param mlpWidth units of the MLP
 */
export function mantissaBits(config: Sizes, mlpWidth: number): MantissaBits {
  const { nEmbd, nHead, blockSize, vocabularySize } = config;
  const rows = log2Ceiling(blockSize);
  const most = (62 - rows) >> 1;
  const width = 31 - log2Ceiling(nEmbd);
  return {
    stream: Math.min(width, most, (63 - log2Ceiling(nEmbd / nHead)) >> 1),
    hidden: Math.min(31 - log2Ceiling(mlpWidth), most),
    logits: Math.min(32 - log2Ceiling(vocabularySize), most),
    flow: Math.min(width, most, 33 - rows),
  };
}

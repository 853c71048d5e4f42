import type { Floats, Ops } from "../../model/ops";
import type { Findings, TextTools } from "../../platform";

/** XS binds a C function by its name; see gpt-ops-xs.c. */
declare function native(name: string): never;

/**
 * The ops in C, in single precision. XS hands C only one-byte views, so a tensor is a Uint8Array over
 * the floats' memory. Bad sizes throw a RangeError.
 */
export const nativeOps: Ops = Object.freeze({
  name: "native",
  dtype: "f32",
  view: (floats: Floats, offset: number, length: number) =>
    new Uint8Array(
      floats.buffer,
      floats.byteOffset + offset * floats.BYTES_PER_ELEMENT,
      length * floats.BYTES_PER_ELEMENT,
    ),
  zero: native("xs_gpt_zero"),
  embeddingForward: native("xs_gpt_embedding_forward"),
  embeddingBackward: native("xs_gpt_embedding_backward"),
  rmsNormForward: native("xs_gpt_rms_norm_forward"),
  rmsNormBackward: native("xs_gpt_rms_norm_backward"),
  linearForward: native("xs_gpt_linear_forward"),
  linearResidualForward: native("xs_gpt_linear_residual_forward"),
  linearBackward: native("xs_gpt_linear_backward"),
  qkvForward: native("xs_gpt_qkv_forward"),
  qkvBackward: native("xs_gpt_qkv_backward"),
  attentionForward: native("xs_gpt_attention_forward"),
  attentionBackward: native("xs_gpt_attention_backward"),
  mlpForward: native("xs_gpt_mlp_forward"),
  mlpBackward: native("xs_gpt_mlp_backward"),
  softmaxCrossEntropy: native("xs_gpt_softmax_cross_entropy"),
  adam: native("xs_gpt_adam"),
});

const scanInC: (bytes: Uint8Array, index: Uint8Array, characters: Uint8Array, numbers: Uint8Array) => void =
  native("xs_gpt_scan");

/** XS takes a thousand instructions for a byte that scan.ts passes, and some 500 for one that indexOf does. */
export const textTools: TextTools = Object.freeze({
  scan: (bytes: Uint8Array, { index, characters, numbers }: Findings) =>
    scanInC(bytes, bytesOf(index), bytesOf(characters), bytesOf(numbers)),
  skip: native("xs_gpt_skip"),
  encode: native("xs_gpt_encode"),
  crc32: native("xs_gpt_crc32"),
});

function bytesOf({ buffer, byteOffset, byteLength }: Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

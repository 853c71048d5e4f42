import type { Floats, Ops } from "../../ops";
import type { SkipLines } from "../../platform";

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

/** To find a name: XS takes some 500 instructions for a byte that indexOf passes. */
export const skipLines: SkipLines = native("xs_gpt_skip_lines");

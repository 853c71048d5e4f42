import { engineFunctions } from "../base/elementary";
import { portableFunctions } from "../base/portable-functions";
import type { BlockFormat, Codec, Floats, Numbers, Ops, Stored } from "../model/ops";
import type { ScanResult, DatasetKernels } from "../base/platform";

/** XS binds a C function by its name; see gpt_ops_xs.c. */
declare function native(name: string): never;

const decodeMomentsInC: (floats: Uint8Array, words: Uint8Array, from: number, isM: boolean) => void =
  native("gpt_xs_decode_moments");
const encodeMomentsInC: (words: Uint8Array, from: number, floats: Uint8Array, isM: boolean) => void =
  native("gpt_xs_encode_moments");

const nativeWords: Codec = Object.freeze({
  decode(floats: Float32Array, words: Int32Array, from: number, what: Stored) {
    decodeMomentsInC(bytesOf(floats), bytesOf(words), from, what === "m");
  },
  encode(words: Int32Array, from: number, floats: Float32Array, what: Stored) {
    encodeMomentsInC(bytesOf(words), from, bytesOf(floats), what === "m");
  },
});

/**
 * The ops in C, in single precision. XS passes only one-byte views to C, so a tensor is a Uint8Array over
 * the floats' memory. Invalid sizes throw a RangeError.
 */
export const nativeOps: Ops = Object.freeze({
  name: "native",
  dtype: "f32",
  functions: engineFunctions,
  codec: undefined,
  words: nativeWords,
  canUpdate: native("gpt_xs_can_update"),
  view,
  zero: native("gpt_xs_zero"),
  areFinite,
  embeddingForward: native("gpt_xs_embedding_forward"),
  embeddingBackward: native("gpt_xs_embedding_backward"),
  rmsNormForward: native("gpt_xs_rms_norm_forward"),
  rmsNormBackward: native("gpt_xs_rms_norm_backward"),
  linearForward: native("gpt_xs_linear_forward"),
  linearResidualForward: native("gpt_xs_linear_residual_forward"),
  linearBackward: native("gpt_xs_linear_backward"),
  qkvForward: native("gpt_xs_qkv_forward"),
  qkvBackward: native("gpt_xs_qkv_backward"),
  attentionForward: native("gpt_xs_attention_forward"),
  attentionBackward: native("gpt_xs_attention_backward"),
  mlpForward: native("gpt_xs_mlp_forward"),
  mlpBackward: native("gpt_xs_mlp_backward"),
  softmaxCrossEntropy: native("gpt_xs_softmax_cross_entropy"),
  adam: native("gpt_xs_adam"),
});

const decodeInC: (floats: Uint8Array, numbers: Uint8Array, from: number, what: number) => void =
  native("gpt_xs_i32_decode");
const encodeInC: (numbers: Uint8Array, from: number, floats: Uint8Array, what: number) => void =
  native("gpt_xs_i32_encode");

/** In the order of GptStored in gpt_i32.h. */
const STORED: readonly Stored[] = Object.freeze(["weights", "m", "v"] as const);

const nativeI32Codec: Codec = Object.freeze({
  decode(floats: Float32Array, numbers: Int32Array, from: number, what: Stored) {
    decodeInC(bytesOf(floats), bytesOf(numbers), from, STORED.indexOf(what));
  },
  encode(numbers: Int32Array, from: number, floats: Float32Array, what: Stored) {
    encodeInC(bytesOf(numbers), from, bytesOf(floats), STORED.indexOf(what));
  },
});

/** The ops in C in block floating point, with the bits of i32Ops. `zero` takes tensors with one exponent. */
export const nativeI32Ops: Ops = Object.freeze({
  name: "native",
  dtype: "i32",
  functions: Object.freeze({ ...portableFunctions, pow: native("gpt_xs_pow") }),
  codec: nativeI32Codec,
  words: undefined,
  canUpdate: native("gpt_xs_i32_can_update"),
  view,
  zero: native("gpt_xs_i32_zero"),
  areFinite,
  embeddingForward: native("gpt_xs_i32_embedding_forward"),
  embeddingBackward: native("gpt_xs_i32_embedding_backward"),
  rmsNormForward: native("gpt_xs_i32_rms_norm_forward"),
  rmsNormBackward: native("gpt_xs_i32_rms_norm_backward"),
  linearForward: native("gpt_xs_i32_linear_forward"),
  linearResidualForward: native("gpt_xs_i32_linear_residual_forward"),
  linearBackward: native("gpt_xs_i32_linear_backward"),
  qkvForward: native("gpt_xs_i32_qkv_forward"),
  qkvBackward: native("gpt_xs_i32_qkv_backward"),
  attentionForward: native("gpt_xs_i32_attention_forward"),
  attentionBackward: native("gpt_xs_i32_attention_backward"),
  mlpForward: native("gpt_xs_i32_mlp_forward"),
  mlpBackward: native("gpt_xs_i32_mlp_backward"),
  softmaxCrossEntropy: native("gpt_xs_i32_softmax_cross_entropy"),
  adam: native("gpt_xs_i32_adam"),
});

const areFiniteInC: (x: Uint8Array) => boolean = native("gpt_xs_are_finite");

function areFinite(x: Floats): boolean {
  return areFiniteInC(view(x, 0, x.length));
}

function view(numbers: Numbers, offset: number, length: number, format?: BlockFormat): Uint8Array {
  const { buffer, byteOffset, BYTES_PER_ELEMENT } = numbers;
  // What i32Ops.view does too.
  if (format) numbers[offset + length - 1] = format.bits;
  return new Uint8Array(buffer, byteOffset + offset * BYTES_PER_ELEMENT, length * BYTES_PER_ELEMENT);
}

const scanInC: (bytes: Uint8Array, index: Uint8Array, characters: Uint8Array, numbers: Uint8Array) => void =
  native("gpt_xs_scan");

const encodeUtf8InC: (text: string) => ArrayBuffer = native("gpt_xs_encode_utf8");

/** The kernels of a dataset in C: XS takes a thousand instructions per byte for scan.ts, and some 500 for indexOf. */
export const datasetKernels: DatasetKernels = Object.freeze({
  scan: (bytes: Uint8Array, { index, characters, numbers }: ScanResult) =>
    scanInC(bytes, bytesOf(index), bytesOf(characters), bytesOf(numbers)),
  skip: native("gpt_xs_skip"),
  encode: native("gpt_xs_encode"),
  crc32: native("gpt_xs_crc32"),
  encodeUtf8: (text: string) => new Uint8Array(encodeUtf8InC(text)),
});

/** Whether the processor computes floats by itself, as the compiler says: see gpt_target.h. */
export const hasFpu: () => boolean = native("gpt_xs_has_fpu");

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

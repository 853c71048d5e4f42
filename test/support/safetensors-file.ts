/*
 * Safetensors files as other programs write them, byte by byte from the published format
 * (github.com/huggingface/safetensors): none of the code under test takes part.
 */

export interface TensorToWrite {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

/** Length, header (JSON unless it is text already) and data. */
export function fileOf(header: unknown, data: Uint8Array, length?: bigint): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

/** The tensors in the given order, as Python's safetensors lays them out: the header padded with spaces. */
export function safetensors(tensors: readonly TensorToWrite[], metadata?: Record<string, string>): Uint8Array {
  const pieces = tensors.map(elementBytes);
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  let at = 0;
  tensors.forEach(({ name, dtype, shape }, i) => {
    const end = at + pieces[i].length;
    header[name] = { dtype, shape, data_offsets: [at, end] };
    at = end;
  });
  const json = JSON.stringify(header);
  const data = new Uint8Array(at);
  at = 0;
  for (const piece of pieces) {
    data.set(piece, at);
    at += piece.length;
  }
  return fileOf(json.padEnd(Math.ceil(json.length / 8) * 8), data);
}

export interface Header {
  readonly metadata: Record<string, string>;
  readonly tensors: readonly { name: string; dtype: string; shape: number[]; offsets: [number, number] }[];
  /** Where the data begins. */
  readonly start: number;
}

export function headerOf(file: Uint8Array): Header {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const start = 8 + Number(view.getBigUint64(0, true));
  const { __metadata__: metadata, ...tensors } = JSON.parse(new TextDecoder().decode(file.subarray(8, start))) as {
    __metadata__: Record<string, string>;
  } & Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
  return {
    metadata,
    tensors: Object.entries(tensors).map(([name, { dtype, shape, data_offsets: offsets }]) => ({
      name,
      dtype,
      shape,
      offsets,
    })),
    start,
  };
}

function elementBytes({ dtype, values }: TensorToWrite): Uint8Array {
  const size = { BF16: 2, F16: 2, F32: 4, F64: 8, I64: 8 }[dtype] ?? 1;
  const bytes = new Uint8Array(values.length * size);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) {
    if (dtype === "F64") view.setFloat64(8 * i, values[i], true);
    else if (dtype === "F32") view.setFloat32(4 * i, values[i], true);
    else if (dtype === "BF16") view.setUint16(2 * i, float32Bits(values[i]) >>> 16, true);
    else if (dtype === "F16") view.setUint16(2 * i, halfBits(values[i]), true);
  }
  return bytes;
}

function float32Bits(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0];
}

/** The float16 below a number, towards zero; those too small for it become 0. */
function halfBits(value: number): number {
  const bits = float32Bits(value);
  const exponent = ((bits >>> 23) & 0xff) - 112;
  const sign = (bits >>> 16) & 0x8000;
  return exponent <= 0 ? sign : sign | (exponent << 10) | ((bits >>> 13) & 0x3ff);
}

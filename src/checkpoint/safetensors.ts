import { InputError, printable } from "../errors";
import type { StoredFile } from "../platform";
import { decodeUtf8, encodeUtf8 } from "../data/utf8";

/** Bytes of an element, for the types that are read here. */
const ELEMENT_SIZE = Object.freeze({ F64: 8, F32: 4, F16: 2, BF16: 2 });

export type ReadableType = keyof typeof ELEMENT_SIZE;

export function isReadable(type: string): type is ReadableType {
  return Object.hasOwn(ELEMENT_SIZE, type);
}

/** A tensor in a safetensors file. */
export interface TensorInfo {
  /** One that is readable, or any other. */
  readonly type: string;
  readonly shape: readonly number[];
  /** Where its bytes lie in the file. */
  readonly begin: number;
  readonly end: number;
}

/** A tensor to write. */
export interface TensorToWrite {
  readonly name: string;
  readonly type: "F32" | "F64";
  readonly shape: readonly number[];
}

export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
}

const LENGTH_BYTES = 8;
/** A thousand layers need less; a device has no room for more. */
const LONGEST_HEADER = 1 << 20;

/**
 * Reads the header of a safetensors file (github.com/huggingface/safetensors, format): its length as
 * a 64-bit little-endian integer, then JSON. Every number in it is checked against the file.
 * @param source what error messages call the file
 * @throws InputError when the file is not what it says, or has a longer header than is read here
 */
export function readSafetensorsHeader(file: StoredFile, source: string): SafetensorsHeader {
  const bad = (what: string): InputError => new InputError(`${source} is not a sound safetensors file: ${what}.`);
  const lengthBytes = new Uint8Array(LENGTH_BYTES);
  if (file.read(0, lengthBytes) < LENGTH_BYTES) throw bad(`it has only ${file.size} bytes`);
  const view = new DataView(lengthBytes.buffer);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  const dataStart = LENGTH_BYTES + length;
  if (dataStart > file.size) throw bad(`its header claims ${length} bytes, but the file has only ${file.size}`);
  if (length > LONGEST_HEADER)
    throw new InputError(
      `${source} cannot be used: its header has ${length} bytes; at most ${LONGEST_HEADER} are read.`,
    );

  const bytes = new Uint8Array(length);
  if (file.read(LENGTH_BYTES, bytes) < length) throw bad("its header ends early");
  const text = decodeUtf8(bytes);
  if (text === undefined) throw bad("its header is not UTF-8");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw bad("its header is not JSON");
  }
  if (!isRecord(json)) throw bad("its header is not a JSON object");

  const metadata = new Map<string, string>();
  const tensors = new Map<string, TensorInfo>();
  for (const [name, entry] of Object.entries(json)) {
    if (!isRecord(entry)) throw bad(`its header has no object for ${printable(name)}`);
    if (name !== "__metadata__") tensors.set(name, readTensor(name, entry, dataStart, bad));
    else {
      for (const [key, value] of Object.entries(entry)) {
        if (typeof value !== "string") throw bad(`__metadata__ has no string for ${printable(key)}`);
        metadata.set(key, value);
      }
    }
  }
  let at = dataStart;
  for (const [name, { begin, end }] of [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at) throw bad(`${printable(name)} does not begin where the tensor before it ends`);
    at = end;
  }
  if (at !== file.size) throw bad(`its tensors end at byte ${at}, but the file has ${file.size}`);
  return { metadata, tensors };
}

/**
 * A header for tensors that will follow in this order, padded with spaces so that they begin at a
 * multiple of eight.
 */
export function formatSafetensorsHeader(
  metadata: ReadonlyMap<string, string>,
  tensors: readonly TensorToWrite[],
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: Object.fromEntries(metadata) };
  let at = 0;
  for (const { name, type, shape } of tensors) {
    const end = at + elementCount(shape) * ELEMENT_SIZE[type];
    header[name] = { dtype: type, shape, data_offsets: [at, end] };
    at = end;
  }
  const json = encodeUtf8(JSON.stringify(header));
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(LENGTH_BYTES + length).fill(0x20, LENGTH_BYTES);
  new DataView(bytes.buffer).setUint32(0, length, true);
  new DataView(bytes.buffer).setUint32(4, 0, true);
  bytes.set(json, LENGTH_BYTES);
  return bytes;
}

function readTensor(
  name: string,
  entry: Record<string, unknown>,
  dataStart: number,
  bad: (what: string) => InputError,
): TensorInfo {
  const { dtype: type, shape, data_offsets: offsets } = entry;
  const shown = printable(name);
  if (typeof type !== "string") throw bad(`${shown} has no proper dtype`);
  if (!isCountList(shape)) throw bad(`${shown} has no proper shape`);
  if (!isCountList(offsets) || offsets.length !== 2) throw bad(`${shown} has no proper data_offsets`);
  const [begin, end] = offsets;
  if (end < begin) throw bad(`${shown} has ${end - begin} bytes`);
  if (isReadable(type) && end - begin !== elementCount(shape) * ELEMENT_SIZE[type])
    throw bad(
      `${shown} has ${end - begin} bytes, but ${type} of shape ${printable(`[${shape.join(", ")}]`)} takes another number`,
    );
  return { type, shape, begin: dataStart + begin, end: dataStart + end };
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCountList(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

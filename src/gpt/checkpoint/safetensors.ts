import { InputError, printable } from "../base/errors";
import type { StoredFile } from "../base/platform";
import { foreignKind, HEAD_BYTES, isText } from "../data/file-kinds";
import { encodeUtf8 } from "../base/utf8";
import { JsonReader } from "./json-reader";

/** Size of an element in bytes, for the supported types. */
const ELEMENT_SIZE = Object.freeze({ F64: 8, F32: 4, F16: 2, BF16: 2 });

export type ReadableType = keyof typeof ELEMENT_SIZE;

export function isReadable(type: string): type is ReadableType {
  return Object.hasOwn(ELEMENT_SIZE, type);
}

/** A tensor in a safetensors file. */
export interface TensorInfo {
  /** Any type, supported or not. */
  readonly type: string;
  readonly shape: readonly number[];
  /** Offsets of its first byte in the file, and after its last. */
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
  /** The first names of tensors that were not requested, which may be cut, and the number of such tensors. */
  readonly others: readonly string[];
  readonly otherCount: number;
}

/** What of a header is kept, and how large it may be; this bounds the memory that reading takes. */
export interface HeaderLimits {
  /** Maximum bytes of the whole header. */
  readonly bytes: number;
  /** Maximum number of tensors, of any name. */
  readonly tensors: number;
  /** Maximum total bytes of the metadata's values that are kept. */
  readonly valueBytes: number;
  readonly keepsMetadata: (key: string) => boolean;
  readonly keepsTensor: (name: string) => boolean;
}

const LENGTH_BYTES = 8;
/** A thousand layers need less. */
export const MAX_HEADER_BYTES = 1 << 20;
/** Maximum bytes of a name that are kept: names in a checkpoint have fewer. */
const MAX_NAME_BYTES = 200;
/** Maximum dimensions of a shape that are kept: more than a message shows. */
const MAX_DIMENSIONS = 32;
/** Maximum names of tensors that were not requested that are kept. */
const MAX_OTHERS = 4;

const EVERYTHING: HeaderLimits = Object.freeze({
  bytes: MAX_HEADER_BYTES,
  tensors: Infinity,
  valueBytes: Infinity,
  keepsMetadata: () => true,
  keepsTensor: () => true,
});

/**
 * Reads the header of a safetensors file (github.com/huggingface/safetensors, format): its length as
 * a 64-bit little-endian integer, then JSON. Every number in it is checked against the file.
 * @param source the name of the file in messages
 * @throws InputError if the file is not valid, or its header exceeds the limits
 */
export function readSafetensorsHeader(file: StoredFile, source: string, limits = EVERYTHING): SafetensorsHeader {
  const bad = (what: string): InputError => new InputError(`${source} is not a sound safetensors file: ${what}.`);
  const bytes = new Uint8Array(HEAD_BYTES);
  const head = bytes.subarray(0, file.read(0, bytes));
  const kind = foreignKind(head, "checkpoint");
  if (kind !== undefined) throw new InputError(`${source} is ${kind}.`);
  if (isText(head)) throw bad("it is text");
  if (head.length < LENGTH_BYTES) throw bad(`it has only ${file.size} bytes`);
  const view = new DataView(bytes.buffer);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 0x100000000;
  const dataStart = LENGTH_BYTES + length;
  if (dataStart > file.size) throw bad(`its header claims ${length} bytes, but the file has only ${file.size}`);
  if (length > limits.bytes) throw tooMuch(source, `${length} bytes`, limits.bytes);
  return new HeaderReader(file, source, limits, dataStart, bad).read();
}

function tooMuch(source: string, has: string, most: number): InputError {
  return new InputError(`${source} cannot be used: its header has ${has}; at most ${most} are read.`);
}

/** Parses a header while it is read. */
class HeaderReader {
  private readonly metadata = new Map<string, string>();
  private readonly tensors = new Map<string, TensorInfo>();
  private readonly others: string[] = [];
  private otherCount = 0;
  private valueBytes = 0;
  /** The byte ranges of all tensors. */
  private readonly places: { readonly name: string; readonly begin: number; readonly end: number }[] = [];
  private readonly json: JsonReader;

  constructor(
    private readonly file: StoredFile,
    private readonly source: string,
    private readonly limits: HeaderLimits,
    private readonly dataStart: number,
    private readonly bad: (what: string) => InputError,
  ) {
    this.json = new JsonReader(file, LENGTH_BYTES, dataStart, (what) => bad(`its header ${what}`));
  }

  read(): SafetensorsHeader {
    const { json, bad, metadata, tensors, others } = this;
    if (!json.isObject) {
      json.skip();
      json.finish();
      throw bad("its header is not a JSON object");
    }
    json.object(MAX_NAME_BYTES, (name) => {
      if (!json.isObject) throw bad(`its header has no object for ${printable(name)}`);
      if (name === "__metadata__") this.readMetadata();
      else this.readTensor(name);
    });
    json.finish();
    this.checkPlaces();
    return { metadata, tensors, others, otherCount: this.otherCount };
  }

  private readMetadata(): void {
    const { json, bad, limits, metadata } = this;
    json.object(MAX_NAME_BYTES, (key) => {
      if (!json.isString) throw bad(`__metadata__ has no string for ${printable(key)}`);
      if (!limits.keepsMetadata(key)) {
        json.skip();
        return;
      }
      if (metadata.has(key)) throw bad(`__metadata__ has ${printable(key)} twice`);
      const value = json.string(limits.valueBytes - this.valueBytes);
      if (json.wasCut) throw tooMuch(this.source, "more bytes of values", limits.valueBytes);
      this.valueBytes += json.keptBytes;
      metadata.set(key, value);
    });
  }

  private readTensor(name: string): void {
    const { json, bad, dataStart } = this;
    let type: string | undefined;
    let shape: Numbers | undefined;
    let offsets: Numbers | undefined;
    json.object(MAX_NAME_BYTES, (key) => {
      if (key === "dtype" && json.isString) type = json.string(MAX_NAME_BYTES);
      else if (key === "shape" && json.isList) shape = this.readNumbers();
      else if (key === "data_offsets" && json.isList) offsets = this.readNumbers();
      else json.skip();
    });
    if (type === undefined) throw bad(`${printable(name)} has no proper dtype`);
    if (!shape?.areCounts) throw bad(`${printable(name)} has no proper shape`);
    if (!offsets?.areCounts || offsets.length !== 2) throw bad(`${printable(name)} has no proper data_offsets`);
    const [begin, end] = offsets.first;
    if (end < begin) throw bad(`${printable(name)} has ${end - begin} bytes`);
    if (isReadable(type) && end - begin !== shape.product * ELEMENT_SIZE[type])
      throw bad(
        `${printable(name)} has ${end - begin} bytes, but ${type} of shape ${printable(`[${shape.first.join(", ")}]`)} takes another size`,
      );
    this.keep(name, { type, shape: shape.first, begin: dataStart + begin, end: dataStart + end });
  }

  private keep(name: string, info: TensorInfo): void {
    const { limits, tensors, others, places } = this;
    if (places.length === limits.tensors) throw tooMuch(this.source, "more tensors", limits.tensors);
    const isKept = limits.keepsTensor(name);
    // The name of a kept tensor is in memory anyway, that of another becomes short.
    places.push({ name: isKept ? name : printable(name), begin: info.begin, end: info.end });
    if (!isKept) {
      if (this.otherCount++ < MAX_OTHERS) others.push(name);
    } else if (tensors.has(name)) throw this.bad(`${printable(name)} is there twice`);
    else tensors.set(name, info);
  }

  private readNumbers(): Numbers {
    const { json } = this;
    const numbers = { first: [] as number[], length: 0, product: 1, areCounts: true };
    json.list(() => {
      if (!json.isNumber) {
        json.skip();
        numbers.areCounts = false;
        return;
      }
      const n = json.number();
      if (!Number.isSafeInteger(n) || n < 0) numbers.areCounts = false;
      if (numbers.length++ < MAX_DIMENSIONS) numbers.first.push(n);
      numbers.product *= n;
    });
    return numbers;
  }

  private checkPlaces(): void {
    const { file, places, bad } = this;
    let at = this.dataStart;
    for (const { name, begin, end } of places.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
      if (begin !== at) throw bad(`${printable(name)} does not begin where the tensor before it ends`);
      at = end;
    }
    if (at !== file.size) throw bad(`its tensors end at byte ${at}, but the file has ${file.size}`);
  }
}

/** An array of numbers of any length: its beginning, and properties of the whole. */
interface Numbers {
  readonly first: readonly number[];
  readonly length: number;
  readonly product: number;
  /** Whether all numbers are whole and not negative. */
  readonly areCounts: boolean;
}

/**
 * The header of a safetensors file whose tensors follow in this order, padded with spaces so that they begin at a
 * multiple of eight bytes.
 */
export function formatSafetensorsHeader(
  metadata: ReadonlyMap<string, string>,
  tensors: readonly TensorToWrite[],
  encode = encodeUtf8,
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: Object.fromEntries(metadata) };
  let at = 0;
  for (const { name, type, shape } of tensors) {
    const end = at + elementCount(shape) * ELEMENT_SIZE[type];
    header[name] = { dtype: type, shape, data_offsets: [at, end] };
    at = end;
  }
  const json = encode(JSON.stringify(header));
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(LENGTH_BYTES + length).fill(0x20, LENGTH_BYTES);
  new DataView(bytes.buffer).setUint32(0, length, true);
  new DataView(bytes.buffer).setUint32(4, 0, true);
  bytes.set(json, LENGTH_BYTES);
  return bytes;
}

function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

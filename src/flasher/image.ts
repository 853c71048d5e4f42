/*
 * What an image for the flash is, by its bytes (ESP-IDF Programming Guide: "App Image Format",
 * "Partition Tables"). The files are the user's or a server's: nothing in them is trusted.
 */
import { InputError, printable } from "../gpt/base/errors";
import { type Chip, CHIPS } from "./chips";

/** A full image: bootloader, partition table and application, written at 0. */
export interface Image {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly chip: Chip;
  /** Bytes of the flash that it is made for. */
  readonly flashSize: number;
  /** What the application calls itself, or "" when it does not say. */
  readonly version: string;
  /** Where its file system lies, with the checkpoint; undefined where there is none. */
  readonly storage: Partition | undefined;
  /** Whether what is in the board's file system stays when the image is written. */
  readonly isStorageKept: boolean;
}

export interface Partition {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly label: string;
}

/** Where every image has its partition table, and the bytes that are set aside for it. */
export const PARTITION_TABLE_AT = 0x8000;
export const PARTITION_TABLE_SIZE = 0xc00;

/** The largest flash that a chip here can have. */
export const MAX_BYTES = 16 * 2 ** 20;

const IMAGE_MAGIC = 0xe9;
const HEADER_SIZE = 24;
const CHIP_ID_AT = 12;
const HASH_FLAG_AT = 23;
const HASH_SIZE = 32;
/** The exclusive or of all bytes of the segments begins with it. */
const CHECKSUM_START = 0xef;
const PARTITION_MAGIC = 0x50aa;
const PARTITION_ENTRY = 32;
/** The application's description stands at the beginning of its first segment. */
const DESCRIPTION_AT = 32;
const DESCRIPTION_MAGIC = 0xabcd5432;

/** The SHA-256 of bytes, as the place computes it. */
export type Sha256 = (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;

/**
 * @param name of the file, for messages
 * @throws {InputError} when the bytes are no full image for a chip that is known, or are damaged
 */
export async function readImage(bytes: Uint8Array<ArrayBuffer>, name: string, sha256: Sha256): Promise<Image> {
  const file = printable(name);
  if (bytes.length > MAX_BYTES) throw new InputError(`${file} is larger than the flash of any board.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const bootloaderAt = [0, 0x1000].find((at) => isHeader(view, at));
  if (bootloaderAt === undefined) throw new InputError(`${file} is not an image for an ESP32.`);
  const id = view.getUint16(bootloaderAt + CHIP_ID_AT, true);
  const chip = CHIPS.find((chip) => chip.id === id);
  if (!chip) throw new InputError(`${file} is for a chip that is not known here (number ${id}).`);

  const partitions = readPartitions(bytes.subarray(PARTITION_TABLE_AT, PARTITION_TABLE_AT + PARTITION_TABLE_SIZE));
  const application = partitions.find(({ type }) => type === 0);
  if (chip.bootloaderAt !== bootloaderAt || !application)
    throw new InputError(
      `${file} is an application alone, which starts only with the right bootloader: take the file whose name ends in -full.`,
    );
  const applicationAt = application.offset;
  if (!isHeader(view, applicationAt) || view.getUint16(applicationAt + CHIP_ID_AT, true) !== id)
    throw new InputError(`${file} has no application where its partition table says: it is damaged.`);
  for (const at of [bootloaderAt, applicationAt])
    if (!(await isWhole(bytes, at, sha256))) throw new InputError(`${file} is damaged or was cut off: fetch it again.`);

  const storage = partitions.find(({ label }) => label === "storage");
  return {
    bytes,
    chip,
    flashSize: (2 ** 20) << (view.getUint8(bootloaderAt + 3) >> 4),
    version: readVersion(view, applicationAt),
    storage,
    isStorageKept: storage !== undefined && storage.offset >= bytes.length,
  };
}

/** @param table as it lies in flash */
export function readPartitions(table: Uint8Array): Partition[] {
  const view = new DataView(table.buffer, table.byteOffset, table.length);
  const partitions = [];
  for (let at = 0; at + PARTITION_ENTRY <= table.length; at += PARTITION_ENTRY) {
    if (view.getUint16(at, true) !== PARTITION_MAGIC) break;
    partitions.push({
      type: table[at + 2],
      offset: view.getUint32(at + 4, true),
      size: view.getUint32(at + 8, true),
      label: readText(table.subarray(at + 12, at + 28)),
    });
  }
  return partitions;
}

function isHeader(view: DataView, at: number): boolean {
  return at + HEADER_SIZE <= view.byteLength && view.getUint8(at) === IMAGE_MAGIC;
}

/** Whether an image's segments are all there, and checksum and hash, where it has one, are theirs. */
async function isWhole(bytes: Uint8Array<ArrayBuffer>, start: number, sha256: Sha256): Promise<boolean> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let end = start + HEADER_SIZE;
  let checksum = CHECKSUM_START;
  for (let segments = bytes[start + 1]; segments > 0; segments--) {
    if (end + 8 > bytes.length) return false;
    const begin = end + 8;
    end = begin + view.getUint32(end + 4, true);
    if (end > bytes.length) return false;
    for (let i = begin; i < end; i++) checksum ^= bytes[i];
  }
  // The checksum ends the last row of sixteen.
  end = start + (Math.floor((end - start) / 16) + 1) * 16;
  if (end > bytes.length || bytes[end - 1] !== checksum) return false;
  if (bytes[start + HASH_FLAG_AT] !== 1) return true;
  if (end + HASH_SIZE > bytes.length) return false;
  const hash = await sha256(bytes.subarray(start, end));
  return hash.every((byte, i) => byte === bytes[end + i]);
}

function readVersion(view: DataView, applicationAt: number): string {
  const at = applicationAt + DESCRIPTION_AT;
  if (at + 48 > view.byteLength || view.getUint32(at, true) !== DESCRIPTION_MAGIC) return "";
  return printable(readText(new Uint8Array(view.buffer, view.byteOffset + at + 16, 32)));
}

/** Text of one byte a character, up to its zero. */
function readText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return String.fromCharCode(...(end < 0 ? bytes : bytes.subarray(0, end)));
}

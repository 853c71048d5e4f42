// The images that a build produces: bootloader, partition table, application; and their headers (ESP-IDF Programming
// Guide: "App Image Format", "Partition Tables").
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "./command.mjs";

/**
 * The chips: the chip ID in an image header, and the flash offset where the ROM expects the bootloader.
 * @type {readonly { name: string, id: number, bootloaderAt: number }[]}
 */
const CHIPS = [
  { name: "esp32", id: 0, bootloaderAt: 0x1000 },
  { name: "esp32s2", id: 2, bootloaderAt: 0x1000 },
  { name: "esp32c3", id: 5, bootloaderAt: 0 },
  { name: "esp32s3", id: 9, bootloaderAt: 0 },
  { name: "esp32c6", id: 13, bootloaderAt: 0 },
];

/** The program with symbols, in the same folder as the images. */
export const ELF = "xs_esp32.elf";
/** Offset in an image of the SHA-256 of its ELF ("esp_app_desc_t", app_elf_sha256). */
const ELF_HASH_AT = 0xb0;
const HASH_BYTES = 32;

const PARTITION_TABLE_AT = 0x8000;

const IMAGE_MAGIC = 0xe9;
const CHIP_ID_AT = 12;
const PARTITION_MAGIC = 0x50aa;
const PARTITION_ENTRY = 32;

/**
 * @typedef {{ type: number, subtype: number, offset: number, size: number, label: string }} Partition
 * @typedef {{ offset: number, file: string }} Part
 */

/**
 * Reads the images of a build.
 * @param {string} folder
 * @param {string} hint what to do if a file is missing
 * @throws {UserError} when a file is missing or has the wrong format
 */
export function readImages(folder, hint) {
  const files = ["bootloader.bin", "partition-table.bin", "xs_esp32.bin"].map((name) => join(folder, name));
  const missing = files.find((file) => !existsSync(file));
  if (missing) throw new UserError(`${missing} is missing: ${hint}`);
  const [bootloader, table, application] = files;
  const bytes = readFileSync(application);
  const chip = chipOf(bytes, application);
  const partition = applicationPartition(readPartitions(readFileSync(table)));
  if (!partition) throw new UserError(`${table} has no partition for an application.`);
  if (bytes.length > partition.size)
    throw new UserError(
      `${application} has ${bytes.length} bytes, more than the ${partition.size} of its partition: use --flash 8mb.`,
    );
  /** @type {Part[]} */
  const parts = [
    { offset: chip.bootloaderAt, file: bootloader },
    { offset: PARTITION_TABLE_AT, file: table },
    { offset: partition.offset, file: application },
  ];
  return { chip, application, bytes, partition, parts };
}

/**
 * The ELF that an application was built from, in the same folder.
 * @param {string} folder
 * @param {Buffer} application
 * @returns {string | undefined} undefined if it is missing or from another build
 */
export function matchingElf(folder, application) {
  const file = join(folder, ELF);
  if (!existsSync(file)) return undefined;
  const hash = createHash("sha256").update(readFileSync(file)).digest();
  return hash.equals(application.subarray(ELF_HASH_AT, ELF_HASH_AT + HASH_BYTES)) ? file : undefined;
}

/**
 * @param {Buffer} image
 * @param {string} file
 */
function chipOf(image, file) {
  if (image.length < 24 || image[0] !== IMAGE_MAGIC) throw new UserError(`${file} is not an image for an ESP32.`);
  const id = image.readUInt16LE(CHIP_ID_AT);
  const chip = CHIPS.find((chip) => chip.id === id);
  if (!chip) throw new UserError(`${file} is for an unsupported chip (ID ${id}).`);
  return chip;
}

/**
 * @param {Buffer} table as in flash
 * @returns {Partition[]}
 */
export function readPartitions(table) {
  const partitions = [];
  for (let at = 0; at + PARTITION_ENTRY <= table.length; at += PARTITION_ENTRY) {
    if (table.readUInt16LE(at) !== PARTITION_MAGIC) break;
    const label = table.toString("latin1", at + 12, at + 28).replace(/\0.*/s, "");
    partitions.push({
      type: table[at + 2],
      subtype: table[at + 3],
      offset: table.readUInt32LE(at + 4),
      size: table.readUInt32LE(at + 8),
      label,
    });
  }
  return partitions;
}

/** @param {readonly Partition[]} partitions */
function applicationPartition(partitions) {
  return partitions.find(({ type }) => type === 0);
}

/**
 * Whether an image contains a NUL-terminated string, as C and XS store them.
 * @param {Buffer} image
 * @param {string} text
 */
export function hasText(image, text) {
  return image.includes(`${text}\0`);
}

/** @param {number} count */
export function formatBytes(count) {
  return `${count.toLocaleString("en")} bytes`;
}

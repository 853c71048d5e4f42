import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../helpers";

export const { version, codename } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Record<
  string,
  string
>;

/**
 * An application as the chip's ROM and bootloader read it: header, segments, checksum, hash.
 * @param elf what it was made of
 */
export function image(chip: number, text: string, elf?: string): Buffer {
  // The application's description comes first: the SHA-256 of its ELF stands at 0xb0 of the image.
  const description = Buffer.alloc(elf === undefined ? 0 : 256);
  if (elf !== undefined)
    createHash("sha256")
      .update(elf)
      .digest()
      .copy(description, 0xb0 - 32);
  const data = Buffer.concat([description, Buffer.alloc(Math.ceil((text.length + 1) / 4) * 4)]);
  data.write(text, description.length);
  const header = Buffer.alloc(24);
  // Magic, segments, flash mode DIO, 4 MB at 40 MHz, entry point.
  header.set([0xe9, 1, 2, 0x20]);
  header.writeUInt32LE(0x40080000, 4);
  header[8] = 0xee;
  header.writeUInt16LE(chip, 12);
  header[23] = 1;
  const segment = Buffer.alloc(8);
  segment.writeUInt32LE(0x3ffb0000, 0);
  segment.writeUInt32LE(data.length, 4);
  const body = Buffer.concat([header, segment, data]);
  // The checksum is the last byte of a row of sixteen.
  const padding = Buffer.alloc(16 - (body.length % 16));
  padding[padding.length - 1] = data.reduce((sum, byte) => sum ^ byte, 0xef);
  const whole = Buffer.concat([body, padding]);
  return Buffer.concat([whole, createHash("sha256").update(whole).digest()]);
}

function partitionTable(applicationSize: number): Buffer {
  const table = Buffer.alloc(0xc00, 0xff);
  const entry = (i: number, type: number, subtype: number, offset: number, size: number, label: string): void => {
    table.fill(0, 32 * i, 32 * i + 32);
    table.set([0xaa, 0x50, type, subtype], 32 * i);
    table.writeUInt32LE(offset, 32 * i + 4);
    table.writeUInt32LE(size, 32 * i + 8);
    table.write(label, 32 * i + 12);
  };
  entry(0, 1, 2, 0x9000, 0x6000, "nvs");
  entry(1, 0, 0, 0x20000, applicationSize, "factory");
  return table;
}

type WriteBuild = (folder: string, chip: number, text?: string, applicationSize?: number) => string;

/** Returns what writes what a build leaves into a folder, and returns that. */
export function buildsIn(at: (name: string) => string): WriteBuild {
  return (folder, chip, text = `\0${version}\0${codename}`, applicationSize = 0x10000) => {
    mkdirSync(at(folder));
    writeFileSync(join(at(folder), "bootloader.bin"), image(chip, "bootloader"));
    writeFileSync(join(at(folder), "partition-table.bin"), partitionTable(applicationSize));
    writeFileSync(join(at(folder), "xs_esp32.bin"), image(chip, text));
    return at(folder);
  };
}

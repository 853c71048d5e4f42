import { createHash } from "node:crypto";

export interface FullImageOptions {
  /** A name, or the number in an image's header. */
  readonly chip: "esp32" | "esp32c3" | number;
  readonly flash?: "4mb" | "8mb";
  readonly application: Buffer;
}

const CHIP_IDS = { esp32: 0, esp32c3: 5 };

/** What `npm run release:full` makes: bootloader, partition table and application, to be written at 0. */
export function fullImage({ chip, flash = "4mb", application }: FullImageOptions): Buffer {
  const id = typeof chip === "number" ? chip : CHIP_IDS[chip];
  const applicationAt = 0x10000;
  const body = Buffer.concat([description(), application]);
  const image = Buffer.concat([Buffer.alloc(applicationAt, 0xff), part(id, flash, body)]);
  part(id, flash, Buffer.from("bootloader")).copy(image, id === 0 || id === 2 ? 0x1000 : 0);
  const storageAt = flash === "4mb" ? 0x300000 : 0x400000;
  const table = [
    entry(1, 2, 0x9000, 0x6000, "nvs"),
    entry(1, 1, 0xf000, 0x1000, "phy_init"),
    entry(0, 0, applicationAt, storageAt - applicationAt, "factory"),
    entry(1, 0x83, storageAt, flash === "4mb" ? 0x100000 : 0x400000, "storage"),
  ];
  Buffer.concat(table).copy(image, 0x8000);
  return image;
}

/** Its line in the list of images. */
export function listed(image: Buffer): Readonly<Record<string, string | number>> {
  return {
    file: "esp32gpt-1.2.3-wren-esp32-4mb-full.bin",
    name: "ESP32, 4 MB",
    chip: "esp32",
    flash: "4mb",
    version: "1.2.3",
    codename: "wren",
    offset: 0,
    bytes: image.length,
    sha256: createHash("sha256").update(image).digest("hex"),
  };
}

/** Header, one segment, checksum, hash. */
function part(id: number, flash: "4mb" | "8mb", data: Buffer): Buffer {
  const header = Buffer.alloc(32);
  header.set([0xe9, 1, 2, flash === "4mb" ? 0x20 : 0x30]);
  header.writeUInt16LE(id, 12);
  header[23] = 1;
  header.writeUInt32LE(0x3f400020, 24);
  header.writeUInt32LE(data.length, 28);
  const padding = Buffer.alloc(16 - ((header.length + data.length) % 16));
  padding[padding.length - 1] = data.reduce((sum, byte) => sum ^ byte, 0xef);
  const whole = Buffer.concat([header, data, padding]);
  return Buffer.concat([whole, createHash("sha256").update(whole).digest()]);
}

/** What ESP-IDF puts in front of an application. */
function description(): Buffer {
  const bytes = Buffer.alloc(256);
  bytes.writeUInt32LE(0xabcd5432, 0);
  bytes.write("1.2.3", 16);
  return bytes;
}

function entry(type: number, subtype: number, offset: number, size: number, label: string): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.set([0xaa, 0x50, type, subtype]);
  bytes.writeUInt32LE(offset, 4);
  bytes.writeUInt32LE(size, 8);
  bytes.write(label, 12);
  return bytes;
}

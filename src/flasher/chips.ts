/** The supported chips: the chip ID in an image header, and the flash offset where the ROM expects the bootloader. */
export const CHIPS = [
  { key: "esp32", name: "ESP32", id: 0, bootloaderAt: 0x1000 },
  { key: "esp32s3", name: "ESP32-S3", id: 9, bootloaderAt: 0 },
  { key: "esp32c3", name: "ESP32-C3", id: 5, bootloaderAt: 0 },
  { key: "esp32c6", name: "ESP32-C6", id: 13, bootloaderAt: 0 },
] as const;

export type Chip = (typeof CHIPS)[number];

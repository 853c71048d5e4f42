import type { MemoryBudget } from "../gpt/base/platform";
import type { Dtype } from "../gpt/model/ops";

/** The memory of a chip for the XS machine, and where the figure comes from. */
export interface Chip {
  readonly name: string;
  /** Its name as an option. */
  readonly key: string;
  readonly memory: MemoryBudget;
  readonly source: string;
  /** In which its firmware trains unless the build says otherwise: i32 without an FPU. */
  readonly dtype: Dtype;
}

const KB = 1024;

/** What the machine and all that comes after it can have on an ESP32; measured in an emulator. */
const ESP32_BYTES = 288_292;
/** Memory used by ESP-IDF, the C stacks and the rest of the firmware. */
const FIRMWARE = 304 * KB - ESP32_BYTES;

/**
 * The figures of the ESP32 were measured at boot in an emulator: 304 KB are free, in pieces of 180, 111, 14 and 6 KB.
 * malloc tries those of 6 and 180 KB first, then those of 14 and 111 KB (ESP-IDF, components/heap/port/esp32). The one of
 * 6 KB is left out, what the firmware takes is reckoned to be of the one of 180 KB, and of the one of 111 KB malloc gives
 * at most 110,592 bytes. The other chips are estimates: on-chip memory that can hold data, from the data sheet, less what
 * the same firmware takes on an ESP32 (of 520 KB SRAM, 64 KB are caches, 128 KB hold only code, and 304 KB are free at
 * boot: 24 KB), and for the newer chips, where code and data share the SRAM, less 96 KB of code. Of a chip with PSRAM only
 * that is counted.
 */
export const CHIPS: readonly [Chip, ...Chip[]] = [
  {
    name: "ESP32",
    key: "esp32",
    memory: {
      total: ESP32_BYTES,
      largestPiece: 180 * KB - FIRMWARE,
      pieces: [180 * KB - FIRMWARE, 14 * KB, 110_592],
    },
    source: "measured at boot in an emulator: 304 KB free, in pieces of 180, 111, 14 and 6 KB",
    dtype: "f32",
  },
  {
    name: "ESP32 WROVER, 4 MB PSRAM",
    key: "esp32-psram",
    memory: { total: 4096 * KB, largestPiece: 4096 * KB },
    source: "estimate from the data sheet: 4 MB of external RAM are mapped, slower",
    dtype: "f32",
  },
  {
    name: "ESP32-S3",
    key: "esp32s3",
    memory: { total: (512 - 64 - 24 - 96) * KB - FIRMWARE, largestPiece: (512 - 64 - 24 - 96 - 64) * KB },
    source: "estimate from the data sheet: 512 KB SRAM, 64 KB of it caches",
    dtype: "f32",
  },
  {
    name: "ESP32-S3, 8 MB PSRAM",
    key: "esp32s3-psram",
    memory: { total: 8192 * KB, largestPiece: 8192 * KB },
    source: "estimate from the data sheet: 8 MB of external RAM are mapped, slower",
    dtype: "f32",
  },
  {
    name: "ESP32-C3",
    key: "esp32c3",
    memory: { total: (400 - 16 - 24 - 96) * KB - FIRMWARE, largestPiece: (400 - 16 - 24 - 96 - 32) * KB },
    source: "estimate from the data sheet: 400 KB SRAM, 16 KB of it cache",
    dtype: "i32",
  },
  {
    name: "ESP32-C6",
    key: "esp32c6",
    memory: { total: (512 - 32 - 24 - 96) * KB - FIRMWARE, largestPiece: (512 - 32 - 24 - 96 - 32) * KB },
    source: "estimate from the data sheet: 512 KB SRAM, 32 KB of it cache",
    dtype: "i32",
  },
];

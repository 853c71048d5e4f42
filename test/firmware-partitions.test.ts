import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./helpers";

interface Partition {
  readonly name: string;
  readonly type: string;
  readonly subtype: string;
  readonly offset: number;
  readonly size: number;
}

const SECTOR = 0x1000;
/** The flash is mapped into memory in pages of this size, and applications begin with one. */
const PAGE = 0x10000;
/** Below is the bootloader, at 0x8000 the table itself. */
const FIRST_FREE = 0x9000;
/** The SDK, the dataset and a small program, as measured. */
const MEASURED_IMAGE = 612_128;
const LEAST_STORAGE = 256 * 1024;

function readPartitions(file: string): Partition[] {
  return readFileSync(join(ROOT, "sdkconfig", file), "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => {
      const [name, type, subtype, offset, size] = line.split(",").map((field) => field.trim());
      return { name, type, subtype, offset: Number(offset), size: Number(size) };
    });
}

describe.each([
  ["partitions-4mb.csv", 4 << 20],
  ["partitions-8mb.csv", 8 << 20],
])("%s", (file, flashSize) => {
  const partitions = readPartitions(file);

  const named = (name: string): Partition => {
    const found = partitions.filter((partition) => partition.name === name);
    expect(found).toHaveLength(1);
    return found[0];
  };

  test("has partitions with names of their own, at most 15 bytes long", () => {
    const names = partitions.map(({ name }) => name);
    expect(names).toEqual(["nvs", "phy_init", "factory", "storage"]);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name.length).toBeLessThanOrEqual(15);
  });

  test("lies inside the chip, in ascending order, without overlap", () => {
    let end = FIRST_FREE;
    for (const { offset, size } of partitions) {
      expect(offset).toBeGreaterThanOrEqual(end);
      expect(size).toBeGreaterThan(0);
      end = offset + size;
    }
    expect(end).toBeLessThanOrEqual(flashSize);
  });

  test("is aligned to sectors, and applications to pages", () => {
    for (const { type, offset, size } of partitions) {
      expect([offset % SECTOR, size % SECTOR]).toEqual([0, 0]);
      if (type === "app") expect([offset % PAGE, size % PAGE]).toEqual([0, 0]);
    }
  });

  test("keeps every place when the SDK drops the offset of the application", () => {
    // Without an offset a partition begins where the one before it ends, applications at the next page.
    const i = partitions.findIndex(({ name }) => name === "factory");
    const { offset, size } = partitions[i - 1];
    expect(Math.ceil((offset + size) / PAGE) * PAGE).toBe(partitions[i].offset);
  });

  test("has room for the application, and for it to grow", () => {
    const { type, subtype, size } = named("factory");
    expect([type, subtype]).toEqual(["app", "factory"]);
    expect(size).toBeGreaterThan(2 * MEASURED_IMAGE);
  });

  test("has room for the files", () => {
    const { type, subtype, size } = named("storage");
    expect([type, subtype]).toEqual(["data", "littlefs"]);
    expect(size).toBeGreaterThanOrEqual(LEAST_STORAGE);
  });
});

test("the options switch the SDK's choice off as well", () => {
  const options = (folder: string): string[] =>
    readFileSync(join(ROOT, "sdkconfig", folder, "sdkconfig.defaults"), "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
  expect(options("")).toEqual([
    "CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y",
    "CONFIG_ESPTOOLPY_FLASHMODE_QIO=n",
    "CONFIG_ESPTOOLPY_FLASHMODE_DIO=y",
    "CONFIG_UART_ISR_IN_IRAM=y",
    "CONFIG_ESP32_DISABLE_BASIC_ROM_CONSOLE=n",
  ]);
  expect(options("8mb")).toEqual(["CONFIG_ESPTOOLPY_FLASHSIZE_4MB=n", "CONFIG_ESPTOOLPY_FLASHSIZE_8MB=y"]);
  expect(options("psram")).toEqual([
    "CONFIG_SPIRAM=y",
    "CONFIG_SPIRAM_USE_MALLOC=y",
    "CONFIG_SPIRAM_MALLOC_ALWAYSINTERNAL=131072",
    "CONFIG_SPIRAM_MALLOC_RESERVE_INTERNAL=32768",
    "CONFIG_SPIRAM_IGNORE_NOTFOUND=y",
  ]);
  expect(options("psram/esp32s3")).toEqual([
    "CONFIG_SPIRAM_MODE_QUAD=n",
    "CONFIG_SPIRAM_MODE_OCT=y",
    "CONFIG_SPIRAM_SPEED_40M=n",
    "CONFIG_SPIRAM_SPEED_80M=y",
  ]);
});

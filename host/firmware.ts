import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CHIPS } from "../src/places/chips";
import { checkModelConfig, DEFAULT_MODEL } from "../src/gpt/model/config";
import { Dataset } from "../src/gpt/data/dataset";
import { bindDataset } from "../src/gpt/training/document-length";
import { remarksOf } from "../src/gpt/data/list-check";
import { InputError, printable, printablePath } from "../src/gpt/base/errors";
import { chipOps, fits, largestEmbedding, planMemory } from "../src/gpt/plan";
import { readSettings, type Settings, settingsIn } from "../src/device/settings";
import { LIST, readRegular } from "./files/inputs";
import { ROOT } from "./xs/sources";

export { printable } from "../src/gpt/base/errors";

/** The default dataset of the firmware. */
const NAMES_FILE = join(ROOT, "data", "names.txt");
const MANIFEST = join(ROOT, "manifest.json");

/** Flash bytes of the program without the dataset: 741,716 in the measured image, plus room to grow. */
const PROGRAM_BYTES = 768 * 1024;

const LARGEST_FLASH = "8mb";
/** Flash sizes in ascending order; sdkconfig/ has a partition table for each. */
const FLASHES = ["4mb", LARGEST_FLASH] as const;
export type Flash = (typeof FLASHES)[number];

/** The only chip without native USB. */
const WITHOUT_USB = "ESP32";

export interface FirmwareOptions {
  /** The board's name, as mcconfig takes it. */
  readonly board: string;
  readonly flash: Flash;
  /** Whether the board's PSRAM is used. */
  readonly psram?: boolean | undefined;
  /** The dataset that goes into flash. */
  readonly namesFile?: string | undefined;
  readonly manifest?: string;
}

/**
 * Checks that a firmware can be built with these settings, and that its dataset fits the flash. If the name of the
 * board tells its chip, checks memory and port as well. Prints remarks about the dataset to standard error.
 * @param settings from the command line; they override the manifest's
 * @returns the bytes of the dataset
 * @throws InputError when a check fails
 */
export function checkFirmware(
  settings: Settings,
  { board, flash, psram = false, namesFile = NAMES_FILE, manifest = MANIFEST }: FirmwareOptions,
): Uint8Array {
  const bytes = readRegular(namesFile, LIST);
  checkFlash(namesFile, bytes.length, flash);
  const dataset = new Dataset(bytes, namesFile);
  const { vocabulary, indexBytes } = dataset;
  for (const remark of remarksOf(dataset)) console.error(remark);
  const { config } = JSON.parse(readFileSync(manifest, "utf8")) as { config: Settings };
  const { port, dtype, training, ...firmware } = readSettings(Object.assign(settingsIn(config), settings));
  const model = { ...DEFAULT_MODEL, ...firmware.model, vocabularySize: vocabulary.size };
  checkModelConfig(model);
  bindDataset({ config: model, vocabulary }, dataset);
  const kind = CHIPS.find(({ key }) => key === chipOf(board));
  if (kind === undefined) {
    if (psram && NO_PSRAM.test(board))
      throw new InputError(`${printable(board)}: this board's chip has no PSRAM that can be used: leave out --psram.`);
    return bytes;
  }
  if (port === "usb" && kind.name === WITHOUT_USB)
    throw new InputError(`${kind.name}: this chip has no USB: port must be auto or uart.`);
  const chip = psram ? CHIPS.find(({ key }) => key === `${kind.key}-psram`) : kind;
  if (chip === undefined) throw new InputError(`${kind.name}: this chip has no PSRAM: leave out --psram.`);
  const toPlan = { indexBytes, ops: chipOps(dtype ?? chip.dtype), training };
  const plan = planMemory(model, toPlan);
  if (fits(plan, chip.memory)) return bytes;
  const largest = largestEmbedding(model, chip.memory, toPlan);
  throw new InputError(
    `${chip.name}: this model needs ${plan.total} bytes, and the chip has ${chip.memory.total}: ` +
      `${largest === undefined ? "choose fewer layers, a smaller block_size, or a dataset with fewer different characters" : `n_embd ${largest} would fit`}.`,
  );
}

/** @throws InputError when the dataset does not fit into the application's partition beside the program */
function checkFlash(namesFile: string, size: number, flash: Flash): void {
  const memory = roomForList(flash);
  if (size <= memory) return;
  const larger = FLASHES.find((other) => roomForList(other) >= size);
  throw new InputError(
    `${printablePath(namesFile)} has ${size} bytes, but a flash of ${nameOf(flash)} has room for ${memory} beside the program: ` +
      (larger === undefined
        ? `shorten the dataset; a flash of ${nameOf(LARGEST_FLASH)} has room for ${roomForList(LARGEST_FLASH)}.`
        : `use a shorter dataset, or a board with ${nameOf(larger)} and --flash ${larger}.`),
  );
}

/** Bytes of the application's partition that the program does not need. */
function roomForList(flash: Flash): number {
  const table = readFileSync(join(ROOT, "sdkconfig", `partitions-${flash}.csv`), "utf8");
  const size = /^\w+,\s*app,.*,\s*(0x[\da-f]+)\s*$/m.exec(table)?.[1];
  if (size === undefined) throw new Error(`partitions-${flash}.csv has no partition for an application`);
  return Number(size) - PROGRAM_BYTES;
}

function nameOf(flash: Flash): string {
  return `${parseInt(flash)} MB`;
}

/** The key of the chip that a board's name tells: "esp32" is the plain ESP32, "esp32/esp32s3" and the like name others. */
/** Chips in the names of boards that do not begin with esp32: c3_devkit, lolin_c3mini, s2_tft. */
const NO_PSRAM = /[/_-](?:c\d|h\d|p4|s2)/i;

function chipOf(board: string): string | undefined {
  if (board === "esp32") return board;
  const chip = /esp32[-_]?(s3|c3|c6)/i.exec(board)?.[1];
  return chip && `esp32${chip.toLowerCase()}`;
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CHIPS } from "../src/places/chips";
import { checkModelConfig, DEFAULT_MODEL } from "../src/gpt/model/config";
import { Dataset } from "../src/gpt/data/dataset";
import { bindDataset } from "../src/gpt/training/document-length";
import { remarksOf } from "../src/gpt/data/list-check";
import { InputError, printablePath } from "../src/gpt/base/errors";
import { fits, largestEmbedding, planMemory } from "../src/gpt/plan";
import { readSettings, type Settings, settingsIn } from "../src/device/settings";
import { LIST, readRegular } from "./files/inputs";
import { ROOT } from "./xs/sources";

export { printable } from "../src/gpt/base/errors";

/** The list that goes into flash unless another is named. */
const NAMES_FILE = join(ROOT, "data", "names.txt");
/** Of the firmware. */
const MANIFEST = join(ROOT, "manifest.json");

/** What the program takes of its partition without the list: 741,716 bytes of the measured image, and some to grow. */
const PROGRAM_BYTES = 768 * 1024;

/** Sizes of a board's flash, the smaller first; sdkconfig/ has a partition table for each. */
const FLASHES = ["4mb", "8mb"] as const;
export type Flash = (typeof FLASHES)[number];

/** Of the chips the one whose port is always a UART. */
const WITHOUT_USB = "ESP32";

export interface FirmwareOptions {
  /** As mcconfig names it. */
  readonly board: string;
  /** The size of its flash. */
  readonly flash: Flash;
  /** The list that goes there. */
  readonly namesFile?: string | undefined;
  readonly manifest?: string;
}

/**
 * Whether a firmware with these settings can be built, and would have the memory and the port that it needs. Of
 * boards whose name does not tell their chip only the firmware itself can say the latter. Says on standard error what
 * the list has that one may not want.
 * @param settings of the command line, which win over the manifest's
 * @returns the list's bytes
 * @throws InputError
 */
export function checkFirmware(
  settings: Settings,
  { board, flash, namesFile = NAMES_FILE, manifest = MANIFEST }: FirmwareOptions,
): Uint8Array {
  const bytes = readRegular(namesFile, LIST);
  checkFlash(namesFile, bytes.length, flash);
  const dataset = new Dataset(bytes, namesFile);
  const { vocabulary, indexBytes } = dataset;
  for (const remark of remarksOf(dataset)) console.error(remark);
  const { config } = JSON.parse(readFileSync(manifest, "utf8")) as { config: Settings };
  const { port, ...firmware } = readSettings(Object.assign(settingsIn(config), settings));
  const model = { ...DEFAULT_MODEL, ...firmware.model, vocabularySize: vocabulary.size };
  checkModelConfig(model);
  bindDataset({ config: model, vocabulary }, dataset);
  const chip = CHIPS.find(({ name }) => name === chipOf(board));
  if (chip === undefined) return bytes;
  if (port === "usb" && chip.name === WITHOUT_USB)
    throw new InputError(`${chip.name}: there is no USB in this chip: port must be auto or uart.`);
  const plan = planMemory(model, indexBytes);
  if (fits(plan, chip.memory)) return bytes;
  const largest = largestEmbedding(model, chip.memory, indexBytes);
  throw new InputError(
    `${chip.name}: this model needs ${plan.total} bytes, and there are ${chip.memory.total}: ` +
      `${largest === undefined ? "choose fewer layers, a smaller block_size, or a list with fewer different characters" : `n_embd ${largest} would fit`}.`,
  );
}

/** @throws InputError for a list that the application's partition cannot hold beside the program */
function checkFlash(namesFile: string, size: number, flash: Flash): void {
  const memory = roomForList(flash);
  if (size <= memory) return;
  const larger = FLASHES.find((other) => roomForList(other) >= size);
  throw new InputError(
    `${printablePath(namesFile)} has ${size} bytes, and beside the program a flash of ${nameOf(flash)} has room for ${memory}: ` +
      (larger === undefined
        ? `shorten the list; a flash of ${nameOf(FLASHES[FLASHES.length - 1])} has room for ${roomForList(FLASHES[FLASHES.length - 1])}.`
        : `take a shorter list, or a board with ${nameOf(larger)} and --flash ${larger}.`),
  );
}

/** Bytes of the partition for the application, less the program. */
function roomForList(flash: Flash): number {
  const table = readFileSync(join(ROOT, "sdkconfig", `partitions-${flash}.csv`), "utf8");
  const size = /^\w+,\s*app,.*,\s*(0x[\da-f]+)\s*$/m.exec(table)?.[1];
  if (size === undefined) throw new Error(`partitions-${flash}.csv has no partition for an application`);
  return Number(size) - PROGRAM_BYTES;
}

/** "4 MB" */
function nameOf(flash: Flash): string {
  return `${parseInt(flash)} MB`;
}

/** "esp32" is the plain chip; "esp32/esp32s3" and the like name others. */
function chipOf(board: string): string | undefined {
  if (board === "esp32") return "ESP32";
  const chip = /esp32[-_]?(s3|c3|c6)/i.exec(board)?.[1];
  return chip && `ESP32-${chip.toUpperCase()}`;
}

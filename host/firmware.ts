import { join } from "node:path";
import { CHIPS } from "../src/chips";
import { checkModelConfig, DEFAULT_MODEL } from "../src/config";
import { Dataset } from "../src/data/dataset";
import { InputError } from "../src/errors";
import { fits, largestEmbedding, planMemory } from "../src/plan";
import { readSettings } from "../src/program/settings";
import { LIST, readRegular } from "./inputs";
import { ROOT } from "./xs/sources";

export { printable } from "../src/errors";

/** The list that goes into flash unless another is named. */
const NAMES_FILE = join(ROOT, "data", "names.txt");

/** Of the chips the one whose port is always a UART. */
const WITHOUT_USB = "ESP32";

/**
 * Whether a firmware with these settings can be built, and would have the memory and the port that it needs. Of
 * boards whose name does not tell their chip only the firmware itself can say the latter.
 * @param board as mcconfig names it
 * @param namesFile the list that goes into flash
 * @returns the list's bytes
 * @throws InputError
 */
export function checkFirmware(
  settings: Readonly<Record<string, string>>,
  board: string,
  namesFile = NAMES_FILE,
): Uint8Array {
  const bytes = readRegular(namesFile, LIST);
  const { vocabulary, indexBytes } = new Dataset(bytes, namesFile);
  const { port, ...firmware } = readSettings(settings);
  const model = { ...DEFAULT_MODEL, ...firmware.model, vocabularySize: vocabulary.size };
  checkModelConfig(model);
  const chip = CHIPS.find(({ name }) => name === chipOf(board));
  if (chip === undefined) return bytes;
  if (port === "usb" && chip.name === WITHOUT_USB)
    throw new InputError(`${chip.name}: there is no USB in this chip: port must be auto or uart.`);
  const plan = planMemory(model, indexBytes);
  if (fits(plan, chip.room)) return bytes;
  const largest = largestEmbedding(model, chip.room, indexBytes);
  throw new InputError(
    `${chip.name}: this model needs ${plan.total} bytes, and there are ${chip.room.total}: ` +
      `${largest === undefined ? "choose fewer layers, a smaller block_size, or a list with fewer different characters" : `n_embd ${largest} would fit`}.`,
  );
}

/** "esp32" is the plain chip; "esp32/esp32s3" and the like name others. */
function chipOf(board: string): string | undefined {
  if (board === "esp32") return "ESP32";
  const chip = /esp32[-_]?(s3|c3|c6)/i.exec(board)?.[1];
  return chip && `ESP32-${chip.toUpperCase()}`;
}

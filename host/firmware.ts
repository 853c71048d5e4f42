import { CHIPS } from "../src/chips";
import { checkModelConfig, DEFAULT_MODEL } from "../src/config";
import { InputError } from "../src/errors";
import { fits, largestEmbedding, planMemory } from "../src/plan";
import { readSettings } from "../src/settings";

export { printable } from "../src/text";

/**
 * Whether a firmware with these settings can be built, and would have the memory that it needs. Of boards
 * whose name does not tell their chip only the firmware itself can say the latter.
 * @param board as mcconfig names it
 * @throws InputError
 */
export function checkFirmware(settings: Readonly<Record<string, string>>, board: string): void {
  const model = { ...DEFAULT_MODEL, ...readSettings(settings).model };
  checkModelConfig(model);
  const chip = CHIPS.find(({ name }) => name === chipOf(board));
  if (chip === undefined) return;
  const plan = planMemory(model);
  if (fits(plan, chip.room)) return;
  const largest = largestEmbedding(model, chip.room);
  throw new InputError(
    `${chip.name}: this model needs ${plan.total} bytes, and there are ${chip.room.total}: ` +
      `${largest === undefined ? "choose fewer layers or a smaller block_size" : `n_embd ${largest} would fit`}.`,
  );
}

/** "esp32" is the plain chip; "esp32/esp32s3" and the like name others. */
function chipOf(board: string): string | undefined {
  if (board === "esp32") return "ESP32";
  const chip = /esp32[-_]?(s3|c3|c6)/i.exec(board)?.[1];
  return chip && `ESP32-${chip.toUpperCase()}`;
}

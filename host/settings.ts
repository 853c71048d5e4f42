import { DEFAULT_MODEL, PRESETS } from "../src/config";
import { InputError } from "../src/errors";
import { printable } from "../src/text";

/** What a value of a setting may be: returns what it must be when it is not. */
type Check = (value: string) => string | undefined;

function whole(least: number, most: number): Check {
  return (value) =>
    /^-?\d+$/.test(value) && Number(value) >= least && Number(value) <= most
      ? undefined
      : `a whole number from ${least} to ${most}`;
}

function decimal(least: number, most: number): Check {
  return (value) =>
    value.trim() !== "" && Number(value) >= least && Number(value) <= most
      ? undefined
      : `a number from ${least} to ${most}`;
}

function oneOf(...words: string[]): Check {
  return (value) => (words.includes(value) ? undefined : words.join(" or "));
}

function either(word: string, check: Check): Check {
  return (value) => {
    const wanted = value === word ? undefined : check(value);
    return wanted && (word === "" ? wanted : `${wanted}, or ${word}`);
  };
}

const SETTINGS: Readonly<Record<string, Check>> = {
  steps: whole(1, 1e9),
  seed: either("random", whole(1, 0xffffffff)),
  preset: oneOf(...Object.keys(PRESETS)),
  n_layer: whole(1, 64),
  n_embd: whole(1, 4096),
  n_head: whole(1, 4096),
  block_size: whole(2, 4096),
  learning_rate: decimal(0, 10),
  temperature: either("", decimal(0, 100)),
  samples: whole(0, 1e9),
  holdout: decimal(0, 90),
  ops: oneOf("native", "typescript"),
  transmit: whole(-1, 48),
  receive: whole(-1, 48),
};

/** @throws InputError that names the first setting that the firmware does not have, or not with this value */
export function checkSettings(settings: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(settings)) {
    if (!Object.hasOwn(SETTINGS, name))
      throw new InputError(`There is no setting ${printable(name)}: there are ${Object.keys(SETTINGS).join(", ")}.`);
    const wanted = SETTINGS[name](value);
    if (wanted !== undefined) throw new InputError(`${name} must be ${wanted}, not ${printable(value) || "empty"}.`);
  }
}

/**
 * What a firmware with these settings does.
 * @throws InputError as checkSettings does
 */
export function readSettings(settings: Readonly<Record<string, string>>): { model: typeof DEFAULT_MODEL } {
  checkSettings(settings);
  const number = (name: string, otherwise: number): number =>
    Object.hasOwn(settings, name) ? Number(settings[name]) : otherwise;
  const model = {
    preset: (Object.hasOwn(settings, "preset") ? settings.preset : DEFAULT_MODEL.preset) as keyof typeof PRESETS,
    nLayer: number("n_layer", DEFAULT_MODEL.nLayer),
    nEmbd: number("n_embd", DEFAULT_MODEL.nEmbd),
    nHead: number("n_head", DEFAULT_MODEL.nHead),
    blockSize: number("block_size", DEFAULT_MODEL.blockSize),
  };
  return { model };
}

import { checkModelConfig, DEFAULT_MODEL, type ModelConfig, PRESETS, type TrainingConfig } from "../gpt/model/config";
import { InputError, printable } from "../gpt/base/errors";
import { keyOf, type Setting, settingNames, settingOf, SETTINGS } from "../gpt/base/settings";
import { allowedIn, isInRange } from "../gpt/base/ranges";
import type { OpsName } from "../gpt/model/ops";
import { parseDecimal } from "../gpt/base/text";

/** Values of manifest.json, or strings of a command line, by name. "" is the default. */
export type Settings = Readonly<Record<string, unknown>>;

/** The key of mc/config under which ours are: what else is there may be anybody's. */
const KEY = "esp32gpt";

/** Where the firmware's console is: UART0, the chip's own USB, or of these what serves (see Device.openPort). */
export type PortChoice = (typeof SETTINGS.port.choices)[number];

/** What the firmware is to do. What is left out of model and training comes from the preset and the defaults. */
export interface FirmwareSettings {
  readonly version: string;
  readonly codename: string;
  readonly model: Partial<ModelConfig>;
  readonly training: Partial<TrainingConfig>;
  readonly seed: number;
  /** Whether the seed was drawn just now. */
  readonly isSeedRandom: boolean;
  /** How many names to generate after training. */
  readonly samples: number;
  readonly temperature: number;
  /** The log has a line every so many steps. */
  readonly logEvery: number;
  /** Seconds of training between two saves; 0 saves at the end alone. */
  readonly saveEvery: number;
  /** The place's best unless given. */
  readonly ops: OpsName | undefined;
  readonly port: PortChoice;
  /** Pins of UART0; -1 for the chip's own. */
  readonly transmit: number;
  readonly receive: number;
}

/** Characters of a setting that is any text: a line of the protocol has room for it. */
const MAX_TEXT = 60;
/** For a text that is not given. */
const UNKNOWN = "unknown";

/** The names of all that the firmware takes. */
export function firmwareNames(): readonly string[] {
  return settingNames(({ given }) => given === "anywhere" || given === "build");
}

/**
 * The settings in mc/config: manifest.json's under a key of their own, and over these the strings of mcconfig's
 * command line, which stand beside it.
 */
export function settingsIn(config: Settings): Settings {
  const own = config[KEY];
  // The manifest's stay in flash, where they are, frozen.
  const settings = Object.create(typeof own === "object" ? own : null) as Record<string, unknown>;
  for (const name of firmwareNames()) {
    const value = config[name];
    if (typeof value === "string") Object.defineProperty(settings, name, { value, enumerable: true, writable: true });
  }
  return settings;
}

/**
 * @throws InputError that names the first setting there is none of, or whose value makes no sense, and says what
 *   is allowed
 */
export function checkSettings(settings: Settings): void {
  const names = firmwareNames();
  for (const name in settings)
    if (!names.includes(name))
      throw new InputError(`There is no setting ${printable(name)}: there are ${names.join(", ")}.`);
  for (const name of names) if (isGiven(settings[name])) checkValue(name, settings[name]);
  checkModelConfig({ ...DEFAULT_MODEL, ...modelOf(settings) });
}

/**
 * What to do, from the configuration of the build.
 * @param random from 0 to 1, for seed=random. On the ESP32 Math.random() asks the chip's generator, which is a
 *   true one only while a radio is on; without, it still differs from boot to boot.
 * @throws InputError as checkSettings does
 */
export function readSettings(settings: Settings, random: () => number = Math.random): FirmwareSettings {
  checkSettings(settings);
  const model = modelOf(settings);
  const number = (name: string): number | undefined => numberOf(settings[name]);
  const text = (name: string): string => String(isGiven(settings[name]) ? settings[name] : UNKNOWN);
  const { seed, samples, log_every: logEvery, save_every: saveEvery } = SETTINGS;
  const isSeedRandom = settings.seed === seed.word;
  return {
    version: text("version"),
    codename: text("codename"),
    model,
    training: given(settings, ({ kept }, name) => kept === "record" && name !== "seed"),
    seed: isSeedRandom ? 1 + Math.floor(random() * seed.most) : (number("seed") ?? seed.default),
    isSeedRandom,
    samples: number("samples") ?? samples.default,
    temperature: number("temperature") ?? PRESETS[model.preset ?? DEFAULT_MODEL.preset].temperature,
    logEvery: number("log_every") ?? logEvery.default,
    saveEvery: number("save_every") ?? saveEvery.default,
    ops: isGiven(settings.ops) ? (settings.ops as OpsName) : undefined,
    ...readPort(settings),
  };
}

/** The settings that a training depends on beside its model and dataset, as `name=value` with spaces between. */
export function buildOf(
  { seed, isSeedRandom }: Pick<FirmwareSettings, "seed" | "isSeedRandom">,
  { steps, batchSize, learningRate, sampling, holdout }: TrainingConfig,
): string {
  return (
    `steps=${steps} batch_size=${batchSize} learning_rate=${learningRate} sampling=${sampling} ` +
    `holdout=${holdout} seed=${isSeedRandom ? "random" : seed}`
  );
}

/** The port, without which nothing else could be said: the default in the place of what makes no sense. */
export function readPort(settings: Settings): Pick<FirmwareSettings, "port" | "transmit" | "receive"> {
  const { choices, default: usual } = SETTINGS.port;
  const pin = (name: "transmit" | "receive"): number => {
    const value = numberOf(settings[name]);
    return value !== undefined && isInRange(value, SETTINGS[name]) ? value : SETTINGS[name].default;
  };
  const port = choices.find((choice) => choice === settings.port) ?? usual;
  return { port, transmit: pin("transmit"), receive: pin("receive") };
}

function modelOf(settings: Settings): Partial<ModelConfig> {
  return given(settings, ({ kept }) => kept === "model");
}

/** Those that are given, of which `is` holds: by their names in programs. */
function given(settings: Settings, is: (setting: Setting, name: string) => boolean): object {
  const values: Record<string, unknown> = {};
  for (const name of settingNames(is)) {
    const value = settings[name];
    const type = settingOf(name)?.type;
    if (!isGiven(value)) continue;
    values[keyOf(name)] = type === "switch" ? value === "on" : type === "choice" ? value : numberOf(value);
  }
  return values;
}

function checkValue(name: string, value: unknown): void {
  const setting = settingOf(name);
  if (!setting) return;
  const { type, choices, word, remark } = setting;
  let allowed: string;
  if (choices) {
    if (choices.includes(String(value))) return;
    allowed = choices.join(" or ");
  } else if (type === "text") {
    if ((typeof value === "string" || typeof value === "number") && String(value).length <= MAX_TEXT) return;
    allowed = `text of at most ${MAX_TEXT} characters`;
  } else {
    if (value === word || isInRange(numberOf(value) ?? NaN, setting)) return;
    allowed = allowedIn(setting);
    if (word !== undefined) allowed += `, or ${word}`;
    if (remark !== undefined) allowed += ` (${remark})`;
  }
  throw new InputError(`${name} must be ${allowed}, not ${printable(String(value))}.`);
}

/** NaN for what is no number, undefined for what is not given. */
function numberOf(value: unknown): number | undefined {
  if (!isGiven(value)) return undefined;
  if (typeof value === "number") return value;
  return (typeof value === "string" ? parseDecimal(value) : undefined) ?? NaN;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== "";
}

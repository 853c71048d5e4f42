import { checkModelConfig, DEFAULT_MODEL, type ModelConfig, PRESETS, type TrainingConfig } from "../gpt/model/config";
import { InputError, printable } from "../gpt/base/errors";
import { keyOf, type Setting, settingNames, settingOf, SETTINGS } from "../gpt/base/settings";
import { allowedIn, isInRange } from "../gpt/base/ranges";
import type { Dtype, OpsName } from "../gpt/model/ops";
import { parseDecimal } from "../gpt/base/text";

/** Values from manifest.json or a command line, by name. "" stands for the default. */
export type Settings = Readonly<Record<string, unknown>>;

/** The key of these settings in mc/config, which other modules share. */
const KEY = "esp32gpt";

/** The port of the firmware's console: UART0, the chip's USB, or a choice at boot (see Device.openPort). */
export type PortChoice = (typeof SETTINGS.port.choices)[number];

/** The firmware's settings. Fields missing from model and training take the values of the preset and the defaults. */
export interface FirmwareSettings {
  readonly version: string;
  readonly codename: string;
  readonly model: Partial<ModelConfig>;
  readonly training: Partial<TrainingConfig>;
  readonly seed: number;
  /** Whether the seed was drawn at this boot. */
  readonly isSeedRandom: boolean;
  /** Number of names to generate after training. */
  readonly samples: number;
  readonly temperature: number;
  /** Steps between two lines of the log. */
  readonly logEvery: number;
  /** Seconds of training between two saves; 0 saves only at the end. */
  readonly saveEvery: number;
  /** Unless given, that of the stored training, or the fastest of the platform. */
  readonly dtype: Dtype | undefined;
  /** The fastest ops of the platform unless given. */
  readonly ops: OpsName | undefined;
  readonly port: PortChoice;
  /** Pins of UART0; -1 for the chip's defaults. */
  readonly transmit: number;
  readonly receive: number;
}

/** Maximum length in characters of a text setting: it must fit into a line of the protocol. */
const MAX_TEXT = 60;
/** Value of a text setting that is not given. */
const UNKNOWN = "unknown";

/** The names of all settings of the firmware. */
export function firmwareNames(): readonly string[] {
  return settingNames(({ given }) => given === "anywhere" || given === "build");
}

/**
 * The settings in mc/config: manifest.json's under KEY, overridden by the strings of mcconfig's command line, which
 * are top-level keys.
 */
export function settingsIn(config: Settings): Settings {
  const own = config[KEY];
  // The manifest's settings stay in flash: the prototype avoids a copy.
  const settings = Object.create(typeof own === "object" ? own : null) as Record<string, unknown>;
  for (const name of firmwareNames()) {
    const value = config[name];
    if (typeof value === "string") Object.defineProperty(settings, name, { value, enumerable: true, writable: true });
  }
  return settings;
}

/**
 * Checks names and values.
 * @throws InputError that names the first unknown setting, or the first invalid value and what is allowed
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
 * Parses the settings of the build.
 * @param random returns a number in [0, 1), for seed=random. On the ESP32 Math.random() uses the chip's generator,
 *   which is truly random only while a radio is on; otherwise it still differs from boot to boot.
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
    training: given(settings, ({ kept }) => kept === "record"),
    seed: isSeedRandom ? 1 + Math.floor(random() * seed.most) : (number("seed") ?? seed.default),
    isSeedRandom,
    samples: number("samples") ?? samples.default,
    temperature: number("temperature") ?? PRESETS[model.preset ?? DEFAULT_MODEL.preset].temperature,
    logEvery: number("log_every") ?? logEvery.default,
    saveEvery: number("save_every") ?? saveEvery.default,
    dtype: isGiven(settings.dtype) ? (settings.dtype as Dtype) : undefined,
    ops: isGiven(settings.ops) ? (settings.ops as OpsName) : undefined,
    ...readPort(settings),
  };
}

/**
 * The settings that a run depends on besides its model and dataset, as `name=value` separated by spaces. Without a
 * dtype it is f32.
 */
export function buildOf(
  { seed, isSeedRandom }: Pick<FirmwareSettings, "seed" | "isSeedRandom">,
  { steps, batchSize, learningRate, sampling, holdout }: TrainingConfig,
  dtype: Dtype,
): string {
  return (
    `steps=${steps} batch_size=${batchSize} learning_rate=${learningRate} sampling=${sampling} ` +
    `holdout=${holdout} seed=${isSeedRandom ? "random" : seed}${dtype === "f32" ? "" : ` dtype=${dtype}`}`
  );
}

/** The port's settings. Invalid values become the default: without a port no error could be reported. */
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

/** The given settings for which `is` returns true, parsed, by their names in code. */
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

/** NaN for an invalid number, undefined for a value that is not given. */
function numberOf(value: unknown): number | undefined {
  if (!isGiven(value)) return undefined;
  if (typeof value === "number") return value;
  return (typeof value === "string" ? parseDecimal(value) : undefined) ?? NaN;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== "";
}

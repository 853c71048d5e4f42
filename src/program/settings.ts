import {
  checkModelConfig,
  DEFAULT_MODEL,
  type ModelConfig,
  PRESETS,
  type PresetName,
  type TrainingConfig,
} from "../config";
import { InputError, printable } from "../errors";
import type { OpsName } from "../model/ops";

/** What mc/config holds: manifest.json's values, or the strings of mcconfig's command line. "" is the default. */
export type Settings = Readonly<Record<string, unknown>>;

/** Where the firmware's console is: UART0, the chip's own USB, or of these what serves (see Device.openPort). */
export type PortChoice = "auto" | "uart" | "usb";

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

const DEFAULT_SEED = 42;
const LARGEST_SEED = 0xffffffff;
const DEFAULT_SAMPLES = 20;
const DEFAULT_LOG_EVERY = 100;
const DEFAULT_SAVE_EVERY = 30;
/** In the place of a pin. */
const CHIPS_OWN = -1;

/** One setting: a word of `choices`, or a number from `least` to `most`; any text where there is neither. */
export interface Setting {
  readonly name: string;
  readonly choices?: readonly string[];
  readonly range?: { readonly least: number; readonly most: number; readonly isWhole: boolean };
  /** What may stand in the place of a number, or what a number means. */
  readonly word?: string;
  readonly remark?: string;
}

/** Everything that can be set, by the names that manifest.json and the command line of the build use. */
export const SETTINGS: readonly Setting[] = Object.freeze([
  Object.freeze({ name: "version" }),
  Object.freeze({ name: "codename" }),
  Object.freeze({ name: "preset", choices: Object.freeze(["esp32gpt", "microgpt", "tuned"]) }),
  Object.freeze({ name: "n_layer", range: Object.freeze({ least: 1, most: 64, isWhole: true }) }),
  Object.freeze({ name: "n_embd", range: Object.freeze({ least: 1, most: 4096, isWhole: true }) }),
  Object.freeze({ name: "n_head", range: Object.freeze({ least: 1, most: 4096, isWhole: true }) }),
  Object.freeze({ name: "block_size", range: Object.freeze({ least: 2, most: 4096, isWhole: true }) }),
  Object.freeze({ name: "mlp_width", range: Object.freeze({ least: 1, most: 16384, isWhole: true }) }),
  Object.freeze({ name: "relative_bias", choices: Object.freeze(["on", "off"]) }),
  Object.freeze({ name: "batch_size", range: Object.freeze({ least: 1, most: 1e6, isWhole: true }) }),
  Object.freeze({ name: "steps", range: Object.freeze({ least: 1, most: 1e9, isWhole: true }) }),
  Object.freeze({ name: "learning_rate", range: Object.freeze({ least: 0, most: 10, isWhole: false }) }),
  Object.freeze({ name: "holdout", range: Object.freeze({ least: 0, most: 90, isWhole: false }) }),
  Object.freeze({
    name: "seed",
    range: Object.freeze({ least: 1, most: 0xffffffff, isWhole: true }),
    word: "random",
  }),
  Object.freeze({ name: "samples", range: Object.freeze({ least: 0, most: 1e9, isWhole: true }) }),
  Object.freeze({ name: "temperature", range: Object.freeze({ least: 0, most: 100, isWhole: false }) }),
  Object.freeze({ name: "log_every", range: Object.freeze({ least: 1, most: 1e9, isWhole: true }) }),
  Object.freeze({
    name: "save_every",
    range: Object.freeze({ least: 0, most: 1e6, isWhole: false }),
    remark: "seconds, 0 for the end alone",
  }),
  Object.freeze({ name: "ops", choices: Object.freeze(["native", "typescript"]) }),
  Object.freeze({ name: "port", choices: Object.freeze(["auto", "uart", "usb"]) }),
  Object.freeze({
    name: "transmit",
    range: Object.freeze({ least: -1, most: 54, isWhole: true }),
    remark: "the number of a pin, -1 for the chip's own",
  }),
  Object.freeze({
    name: "receive",
    range: Object.freeze({ least: -1, most: 54, isWhole: true }),
    remark: "the number of a pin, -1 for the chip's own",
  }),
]);

/** What the SDK and the manifests of its boards (8.2.3) put into mc/config beside our own: no mistakes of the user. */
const OF_THE_SDK: readonly string[] = Object.freeze([
  "Screen",
  "autorotate",
  "backlight",
  "brightness",
  "button",
  "button_pin",
  "buttonArray",
  "buzzer",
  "camera",
  "corner",
  "driverRotation",
  "enablePowerButton",
  "es8311",
  "ethernet",
  "file",
  "format",
  "i2c",
  "ir_pin",
  "ir_rx_pin",
  "ir_tx_pin",
  "lcd_pin",
  "led",
  "led_pin",
  "peripheral_power_pin",
  "power_pin",
  "rotation",
  "rtc",
  "screen",
  "startupSound",
  "startupVibration",
  "touch",
  "virtualButton",
  "voltage",
  "xPWR_key",
  "xPower",
]);

/**
 * @throws InputError that names the first setting there is none of, or whose value makes no sense, and says what
 *   is allowed
 */
export function checkSettings(settings: Settings): void {
  for (const name of Object.keys(settings)) {
    if (OF_THE_SDK.includes(name) || SETTINGS.some((setting) => setting.name === name)) continue;
    const names = SETTINGS.map((setting) => setting.name).join(", ");
    throw new InputError(`There is no setting ${printable(name)}: there are ${names}.`);
  }
  for (const setting of SETTINGS) if (isGiven(settings[setting.name])) checkValue(setting, settings[setting.name]);
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
  const word = (name: string): string => String(isGiven(settings[name]) ? settings[name] : "unknown");
  const preset = PRESETS[model.preset ?? DEFAULT_MODEL.preset];
  const isSeedRandom = settings.seed === "random";
  return {
    version: word("version"),
    codename: word("codename"),
    model,
    training: given({
      steps: number("steps"),
      batchSize: number("batch_size"),
      learningRate: number("learning_rate"),
      holdout: number("holdout"),
    }),
    seed: isSeedRandom ? 1 + Math.floor(random() * LARGEST_SEED) : (number("seed") ?? DEFAULT_SEED),
    isSeedRandom,
    samples: number("samples") ?? DEFAULT_SAMPLES,
    temperature: number("temperature") ?? preset.temperature,
    logEvery: number("log_every") ?? DEFAULT_LOG_EVERY,
    saveEvery: number("save_every") ?? DEFAULT_SAVE_EVERY,
    ops: isGiven(settings.ops) ? (settings.ops as OpsName) : undefined,
    ...readPort(settings),
  };
}

/** The settings that a training depends on beside its model and dataset, as `name=value` with spaces between. */
export function buildOf(
  { seed, isSeedRandom }: FirmwareSettings,
  { steps, batchSize, learningRate, sampling, holdout }: TrainingConfig,
): string {
  return (
    `steps=${steps} batch_size=${batchSize} learning_rate=${learningRate} sampling=${sampling} ` +
    `holdout=${holdout} seed=${isSeedRandom ? "random" : seed}`
  );
}

/** The port, without which nothing else could be said: the default in the place of what makes no sense. */
export function readPort(settings: Settings): Pick<FirmwareSettings, "port" | "transmit" | "receive"> {
  const pin = (name: string): number => {
    const setting = SETTINGS.find((other) => other.name === name);
    const value = numberOf(settings[name]);
    return value !== undefined && setting?.range && isInRange(value, setting.range) ? value : CHIPS_OWN;
  };
  const port = settings.port === "uart" || settings.port === "usb" ? settings.port : "auto";
  return { port, transmit: pin("transmit"), receive: pin("receive") };
}

function modelOf(settings: Settings): Partial<ModelConfig> {
  return given({
    preset: isGiven(settings.preset) ? (settings.preset as PresetName) : undefined,
    nLayer: numberOf(settings.n_layer),
    nEmbd: numberOf(settings.n_embd),
    nHead: numberOf(settings.n_head),
    blockSize: numberOf(settings.block_size),
    mlpWidth: numberOf(settings.mlp_width),
    relativeBias: isGiven(settings.relative_bias) ? settings.relative_bias === "on" : undefined,
  });
}

function checkValue({ name, choices, range, word, remark }: Setting, value: unknown): void {
  let allowed: string;
  if (choices) {
    if (choices.includes(String(value))) return;
    allowed = choices.join(" or ");
  } else if (range) {
    if (value === word) return;
    const { least, most, isWhole } = range;
    if (isInRange(numberOf(value) ?? NaN, range)) return;
    allowed = `a ${isWhole ? "whole " : ""}number from ${least} to ${most}`;
    if (word !== undefined) allowed += `, or ${word}`;
    if (remark !== undefined) allowed += ` (${remark})`;
  } else if (typeof value === "string" || typeof value === "number") return;
  else allowed = "text";
  throw new InputError(`${name} must be ${allowed}, not ${printable(String(value))}.`);
}

/** NaN for what is no number, undefined for what is not given. */
function numberOf(value: unknown): number | undefined {
  if (!isGiven(value)) return undefined;
  if (typeof value === "number") return value;
  return typeof value === "string" && /^[-+]?\d+(\.\d*)?(e[-+]?\d+)?$/i.test(value) ? Number(value) : NaN;
}

function isInRange(value: number, { least, most, isWhole }: NonNullable<Setting["range"]>): boolean {
  return value >= least && value <= most && (!isWhole || Number.isInteger(value));
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== "";
}

/** Without what is undefined. */
function given<T extends object>(values: { [Name in keyof T]: T[Name] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}

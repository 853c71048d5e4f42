/*
 * All settings, defined once: the code that checks, parses, shows or documents a setting uses this table. On the
 * device it is in flash.
 */

/** A setting: its type and values, where it can be given, and where it is stored. */
export interface Setting {
  /** A switch is on or off. */
  readonly type: "whole" | "number" | "choice" | "switch" | "text";
  /** Its documentation, in one line. */
  readonly doc: string;
  /** Where it can be given: `anywhere` means the command line and the firmware's build. */
  readonly given: "anywhere" | "build" | "command line" | "console";
  /**
   * Where it is stored: in the `model` as its shape, in the `record` of a training as part of its configuration or of
   * the `run` as a whole, and in the build that began it; or on the device, once its `console` has changed it.
   */
  readonly kept?: "model" | "record" | "run" | "console";
  /** A value, or words for where it comes from; absent if the setting is off unless given. */
  readonly default?: number | string;
  /** The range of a number, both ends included. */
  readonly least?: number;
  readonly most?: number;
  /** Whether 0 is allowed below `least`. */
  readonly isZeroToo?: true;
  /** A word that the build accepts instead of a number. */
  readonly word?: string;
  /** What a number means. */
  readonly remark?: string;
  readonly choices?: readonly string[];
}

const ON_OFF = Object.freeze(["on", "off"] as const);
const PRESETS_OWN = "the preset's";
const PIN = "the number of a pin, -1 for the chip's own";

/**
 * Keyed by the names that the build, the console, the page's address and checkpoints use. A default that is a choice
 * needs `as const`: the SDK's declaration of Object.freeze would make it any string.
 */
export const SETTINGS = Object.freeze({
  version: Object.freeze({ type: "text", given: "build", doc: "version of the firmware" }),
  codename: Object.freeze({ type: "text", given: "build", doc: "codename of that version" }),
  preset: Object.freeze({
    type: "choice",
    given: "anywhere",
    kept: "model",
    choices: Object.freeze(["esp32gpt", "microgpt", "tuned"] as const),
    default: "esp32gpt" as const,
    doc: "the published program to follow, or tuned: learns more for its cost",
  }),
  n_layer: Object.freeze({
    type: "whole",
    given: "anywhere",
    kept: "model",
    least: 1,
    most: 64,
    default: 1,
    doc: "transformer layers",
  }),
  n_embd: Object.freeze({
    type: "whole",
    given: "anywhere",
    kept: "model",
    least: 1,
    most: 4096,
    default: 16,
    doc: "width of the embedding: numbers for each character",
  }),
  n_head: Object.freeze({
    type: "whole",
    given: "anywhere",
    kept: "model",
    least: 1,
    most: 4096,
    default: 4,
    doc: "attention heads",
  }),
  block_size: Object.freeze({
    type: "whole",
    given: "anywhere",
    kept: "model",
    least: 2,
    most: 4096,
    default: 16,
    doc: "maximum positions of a sequence: how far the model looks back",
  }),
  mlp_width: Object.freeze({
    type: "whole",
    given: "anywhere",
    kept: "model",
    least: 1,
    most: 16384,
    default: "4·n_embd",
    doc: "units of the MLP",
  }),
  relative_bias: Object.freeze({
    type: "switch",
    given: "anywhere",
    kept: "model",
    choices: ON_OFF,
    default: PRESETS_OWN,
    doc: "a learnt bias of attention by distance",
  }),
  batch_size: Object.freeze({
    type: "whole",
    given: "anywhere",
    kept: "record",
    least: 1,
    most: 1e6,
    default: PRESETS_OWN,
    doc: "names for each update",
  }),
  steps: Object.freeze({
    type: "whole",
    given: "anywhere",
    kept: "record",
    least: 1,
    most: 1e9,
    default: PRESETS_OWN,
    doc: "updates of the parameters",
  }),
  train_names: Object.freeze({
    type: "whole",
    given: "command line",
    least: 1,
    most: 1e9,
    doc: "names to train on in total, instead of a number of steps",
  }),
  learning_rate: Object.freeze({
    type: "number",
    given: "anywhere",
    kept: "record",
    least: 0,
    most: 10,
    default: PRESETS_OWN,
    doc: "of the first step; it falls linearly to zero",
  }),
  sampling: Object.freeze({
    type: "choice",
    given: "command line",
    kept: "record",
    choices: Object.freeze(["random", "sequential"] as const),
    default: PRESETS_OWN,
    doc: "how names are picked",
  }),
  holdout: Object.freeze({
    type: "number",
    given: "anywhere",
    kept: "record",
    least: 0,
    most: 90,
    default: 0,
    doc: "percent of the names kept for the validation loss",
  }),
  moments: Object.freeze({
    type: "choice",
    given: "anywhere",
    kept: "record",
    choices: Object.freeze(["f32", "bf16"] as const),
    default: PRESETS_OWN,
    doc: "how f32 stores Adam's moments: exactly, or both in 4 bytes",
  }),
  seed: Object.freeze({
    type: "whole",
    given: "anywhere",
    kept: "run",
    least: 1,
    most: 0xffffffff,
    word: "random",
    default: 42,
    doc: "of all random numbers: the same seed gives the same run",
  }),
  samples: Object.freeze({
    type: "whole",
    given: "anywhere",
    least: 0,
    most: 1e9,
    default: 20,
    doc: "names to generate after training",
  }),
  temperature: Object.freeze({
    type: "number",
    given: "anywhere",
    kept: "console",
    least: 0.01,
    most: 100,
    isZeroToo: true,
    default: PRESETS_OWN,
    doc: "lower prefers likely characters, higher varies more",
  }),
  top_k: Object.freeze({
    type: "whole",
    given: "command line",
    kept: "console",
    least: 0,
    most: 1e6,
    default: 0,
    doc: "draw only from the n most likely characters; 0 is all",
  }),
  top_p: Object.freeze({
    type: "number",
    given: "command line",
    kept: "console",
    least: 0,
    most: 1,
    default: 1,
    doc: "then only from the fewest whose probabilities reach this share; 1 is all",
  }),
  own_share: Object.freeze({
    type: "number",
    given: "console",
    kept: "record",
    least: 0,
    most: 1,
    default: 0.5,
    doc: "share of your own words in what is trained on",
  }),
  log_every: Object.freeze({
    type: "whole",
    given: "anywhere",
    kept: "console",
    least: 1,
    most: 1e9,
    default: 100,
    doc: "steps between two lines of the log",
  }),
  save_every: Object.freeze({
    type: "number",
    given: "anywhere",
    kept: "console",
    least: 0,
    most: 1e6,
    remark: "seconds, 0 for only at the end",
    default: 30,
    doc: "seconds of training between two saves",
  }),
  dtype: Object.freeze({
    type: "choice",
    given: "anywhere",
    kept: "run",
    choices: Object.freeze(["f32", "f64", "i32"] as const),
    default: "f32; in a firmware, i32 on chips without an FPU",
    doc: "arithmetic: floats of 32 or 64 bits, or integers",
  }),
  ops: Object.freeze({
    type: "choice",
    given: "anywhere",
    choices: Object.freeze(["native", "typescript"] as const),
    default: "native on XS, but in f64",
    doc: "the numeric kernels",
  }),
  port: Object.freeze({
    type: "choice",
    given: "build",
    choices: Object.freeze(["auto", "uart", "usb"] as const),
    default: "auto" as const,
    doc: "port of the console: UART0, the chip's own USB, or chosen at boot",
  }),
  transmit: Object.freeze({
    type: "whole",
    given: "build",
    least: -1,
    most: 54,
    remark: PIN,
    default: -1,
    doc: "transmit pin of UART0",
  }),
  receive: Object.freeze({
    type: "whole",
    given: "build",
    least: -1,
    most: 54,
    remark: PIN,
    default: -1,
    doc: "receive pin of UART0",
  }),
}) satisfies Readonly<Record<string, Setting>>;

export type SettingName = keyof typeof SETTINGS;
/** Names of the settings whose property has a value of this type. */
export type NamesWith<Property extends string, Value> = {
  [Name in SettingName]: (typeof SETTINGS)[Name] extends Readonly<Record<Property, Value>> ? Name : never;
}[SettingName];
export type NumberName = NamesWith<"type", "whole" | "number">;
/** Settings that the device's console can change. */
export type ConsoleName = NamesWith<"kept", "console">;

/** Names of the settings for which `is` returns true, in the table's order. */
export function settingNames(is: (setting: Setting, name: string) => boolean): readonly string[] {
  return Object.entries<Setting>(SETTINGS).flatMap(([name, setting]) => (is(setting, name) ? [name] : []));
}

/** @returns undefined for an unknown name */
export function settingOf(name: string): Setting | undefined {
  return Object.hasOwn(SETTINGS, name) ? (SETTINGS as Readonly<Record<string, Setting>>)[name] : undefined;
}

/** Its name in code: nEmbd for n_embd. */
export function keyOf(name: string): string {
  const [first, ...others] = name.split("_");
  return first + others.map((word) => word[0].toUpperCase() + word.slice(1)).join("");
}

import { fileURLToPath } from "node:url";
import { type Command, InvalidArgumentError, Option } from "commander";
import { InputError } from "../../src/gpt/base/errors";
import type { ModelConfig, SamplingLimits, TrainingConfig } from "../../src/gpt/model/config";
import { keyOf, type Setting, settingNames, settingOf } from "../../src/gpt/base/settings";
import type { Dtype, OpsName } from "../../src/gpt/model/ops";
import type { RunOptions } from "./run";
import type { Bits } from "../xs/sources";

/*
 * The options that commands share, and what they become.
 */

/** Bytes of a path, as Linux has them; PATH_SIZE of host/xs/engine/writer.h. */
const MAX_TEXT_BYTES = 4095;
/** The XS host can address no more. */
const MAX_HEAP = 2 ** 30;

const NAMES_FILE = fileURLToPath(new URL("../data/names.txt", import.meta.url));

export interface EngineOptions extends RunOptions {
  readonly ops?: OpsName;
}

export interface ModelOptions {
  preset?: ModelConfig["preset"];
  nLayer?: number;
  nEmbd?: number;
  nHead?: number;
  blockSize?: number;
  mlpWidth?: number;
  relativeBias?: "on" | "off";
}

export interface TrainOptions extends EngineOptions, ModelOptions, Partial<TrainingConfig & SamplingLimits> {
  seed?: number;
  dtype?: Dtype;
  logEvery?: number;
  samples?: number;
  temperature?: number;
  init?: string;
  resume?: string;
  save?: string;
  saveEvery?: number;
  saveWeights?: string;
  keepBest?: string;
  trainNames?: number;
}

export interface GenerateOptions extends EngineOptions, ModelOptions, Partial<SamplingLimits> {
  model: string;
  plain?: boolean;
  json?: boolean;
  n: number;
  temperature?: number;
  prefix: string;
  seed?: number;
}

export interface EvaluateOptions extends EngineOptions, ModelOptions, Partial<SamplingLimits> {
  model: string;
  holdout?: number;
  anyHoldout: boolean;
  samples?: number;
  temperature?: number;
  seed?: number;
}

/** Where a program runs, and with which data. */
export function placeOptions(command: Command, engine: RunOptions["engine"]): Command {
  return dataOption(command)
    .addOption(
      new Option("--engine <engine>", "what executes the program; auto is xs where there is a C compiler, else node")
        .choices(["node", "xs", "auto"])
        .default(engine),
    )
    .addOption(
      new Option("--xs-bits <bits>", "xs: as a program of so many bits; 32 has the device's memory figures")
        .default(64)
        .argParser(parseBits),
    )
    .option("--heap-limit <bytes>", "xs: memory for slots, chunks and stack (default: the ESP32's)", heapLimit)
    .option("--stats", "end with one line of JSON: time, bytecodes, memory", false);
}

export function engineOptions(command: Command): Command {
  return placeOptions(command, "node").addOption(settingOption("ops"));
}

export function dataOption(command: Command): Command {
  return command.option("--data <file>", "names, or other short documents, one a line, in UTF-8", NAMES_FILE);
}

/** What shapes a model; commands that read a checkpoint need them only for a file of bare weights. */
export function modelOptions(command: Command): Command {
  for (const name of settingNames(isOfModel)) command.addOption(settingOption(name));
  return command;
}

/** What is said of a setting where the command has more to say than the table. */
interface Wording {
  readonly doc?: string;
  readonly usual?: string | number | undefined;
  /** The option that it cannot go with. */
  readonly conflicts?: string;
}

/** All that can be set of a training beside its model. */
export function trainOptions(command: Command, wordings: Readonly<Record<string, Wording>>): Command {
  const names = settingNames((setting, name) => isOption(setting) && !isOfModel(setting) && name !== "ops");
  for (const name of names) command.addOption(settingOption(name, wordings[name]));
  return command;
}

/** How names are drawn, where names are written. */
export function drawingOptions(command: Command, wordings: Readonly<Record<string, Wording>> = {}): Command {
  for (const name of ["temperature", "top_k", "top_p", "seed"]) command.addOption(settingOption(name, wordings[name]));
  return command;
}

/** The option of a setting: --n-embd of n_embd. */
export function settingOption(name: string, wording: Wording = {}): Option {
  const setting = settingOf(name);
  if (!setting) throw new Error(`there is no setting ${name}`);
  const { type, choices } = setting;
  const { doc, usual, conflicts = [] } = { doc: setting.doc, usual: setting.default, ...wording };
  const value = choices ? "word" : type === "whole" ? "n" : "number";
  const option = new Option(
    `--${name.replaceAll("_", "-")} <${value}>`,
    usual === undefined ? doc : `${doc} (default: ${usual})`,
  );
  option.conflicts(conflicts);
  if (choices) return option.choices(choices);
  return option.argParser(type === "whole" ? wholeNumber : decimalNumber);
}

/** Those of the settings that are given and kept with the model, or with a training, by their names in programs. */
export function chosen(options: object, kept: "model" | "record"): object {
  const values = new Map<string, unknown>(Object.entries(options));
  const names = settingNames((setting, name) => setting.kept === kept && isOption(setting) && name !== "seed");
  const entries = names.map((name): [string, unknown] => {
    const value = values.get(keyOf(name));
    return [keyOf(name), settingOf(name)?.type === "switch" && value !== undefined ? value === "on" : value];
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function isOption({ given }: Setting): boolean {
  return given === "anywhere" || given === "command line";
}

function isOfModel({ kept }: Setting): boolean {
  return kept === "model";
}

/**
 * Bounds every text that an option takes, whatever runs it: a path can have no more bytes, and nothing else needs as
 * many. Only what is empty by default may be empty.
 */
export function boundTexts(program: Command): void {
  for (const option of program.commands.flatMap(({ options }) => options)) {
    if (!option.required || option.parseArg) continue;
    option.argParser((text: string) => {
      if (text === "" && option.defaultValue !== "") throw new InputError(`${option.long ?? ""} must not be empty.`);
      if (Buffer.byteLength(text) > MAX_TEXT_BYTES)
        throw new InputError(`What ${option.long ?? ""} is given is too long: at most ${MAX_TEXT_BYTES} bytes.`);
      return text;
    });
  }
}

export function wholeNumber(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

function heapLimit(text: string): number {
  const bytes = wholeNumber(text);
  if (bytes < 1 || bytes > MAX_HEAP)
    throw new InvalidArgumentError(`It must be a number of bytes from 1 to ${MAX_HEAP}.`);
  return bytes;
}

function parseBits(text: string): Bits {
  if (text !== "32" && text !== "64") throw new InvalidArgumentError("It must be 32 or 64.");
  return text === "32" ? 32 : 64;
}

function decimalNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("It must be a number.");
  return value;
}

import { fileURLToPath } from "node:url";
import { type Command, InvalidArgumentError, Option } from "commander";
import { InputError } from "../../src/gpt/base/errors";
import type { ModelConfig, SamplingLimits, TrainingConfig } from "../../src/gpt/model/config";
import { keyOf, type Setting, settingNames, settingOf } from "../../src/gpt/base/settings";
import type { Dtype, OpsName } from "../../src/gpt/model/ops";
import type { RunOptions } from "./run";
import type { Bits } from "../xs/sources";

/*
 * Options that several commands share, and their conversion to settings.
 */

/** Maximum path length on Linux, in bytes; PATH_SIZE of host/xs/engine/writer.h. */
const MAX_TEXT_BYTES = 4095;
/** The limit of the XS host, in bytes. */
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

/** Options for the engine and the dataset. */
export function placeOptions(command: Command, engine: RunOptions["engine"]): Command {
  return dataOption(command)
    .addOption(
      new Option("--engine <engine>", "the JavaScript engine; auto means xs if a C compiler is installed, else node")
        .choices(["node", "xs", "auto"])
        .default(engine),
    )
    .addOption(
      new Option("--xs-bits <bits>", "xs: 32-bit or 64-bit build; 32 has the memory figures of the device")
        .default(64)
        .argParser(parseBits),
    )
    .option("--heap-limit <bytes>", "xs: memory for slots, chunks and stack (default: the ESP32's)", heapLimit)
    .option("--stats", "print a last line of JSON: time, bytecodes, memory", false);
}

export function engineOptions(command: Command): Command {
  return placeOptions(command, "node").addOption(settingOption("ops"));
}

export function dataOption(command: Command): Command {
  return command.option("--data <file>", "the dataset: short documents, one per line, in UTF-8", NAMES_FILE);
}

/** The model's settings. Commands that read a checkpoint need them only if it holds nothing but weights. */
export function modelOptions(command: Command): Command {
  for (const name of settingNames(isOfModel)) command.addOption(settingOption(name));
  return command;
}

/** Replaces parts of a setting's help text for one command. */
interface Wording {
  readonly doc?: string;
  readonly usual?: string | number | undefined;
  /** The name of an option that excludes this one. */
  readonly conflicts?: string;
}

/** All settings of a training except the model's. */
export function trainOptions(command: Command, wordings: Readonly<Record<string, Wording>>): Command {
  const names = settingNames((setting, name) => isOption(setting) && !isOfModel(setting) && name !== "ops");
  for (const name of names) command.addOption(settingOption(name, wordings[name]));
  return command;
}

/** Sampling options of the commands that generate names. */
export function drawingOptions(command: Command, wordings: Readonly<Record<string, Wording>> = {}): Command {
  for (const name of ["temperature", "top_k", "top_p", "seed"]) command.addOption(settingOption(name, wordings[name]));
  return command;
}

/** The option of a setting: --n-embd for n_embd. */
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

/**
 * The settings that are given as options and kept with the model ("model") or with a training ("record"), by
 * camel-case name.
 */
export function chosen(options: object, kept: "model" | "record"): object {
  const values = new Map<string, unknown>(Object.entries(options));
  const names = settingNames((setting) => setting.kept === kept && isOption(setting));
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
 * Limits the length of every text option to that of a path, which is the longest. Only an option whose default is
 * empty may be empty.
 */
export function boundTexts(program: Command): void {
  for (const option of program.commands.flatMap(({ options }) => options)) {
    if (!option.required || option.parseArg) continue;
    option.argParser((text: string) => {
      if (text === "" && option.defaultValue !== "") throw new InputError(`${option.long ?? ""} must not be empty.`);
      if (Buffer.byteLength(text) > MAX_TEXT_BYTES)
        throw new InputError(`The value of ${option.long ?? ""} is too long: at most ${MAX_TEXT_BYTES} bytes.`);
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

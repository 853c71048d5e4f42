import { fileURLToPath } from "node:url";
import { type Command, InvalidArgumentError, Option } from "commander";
import { DEFAULT_MODEL, type ModelConfig, PRESETS, type TrainingConfig } from "../src/config";
import type { Dtype, OpsName } from "../src/model/ops";
import type { RunOptions } from "./run";
import type { Bits } from "./xs/sources";

/*
 * The options that commands share, and what they become.
 */

/** The XS host can address no more. */
const MOST_HEAP = 2 ** 30;

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

export interface TrainOptions extends EngineOptions, ModelOptions, Partial<TrainingConfig> {
  seed?: number;
  dtype?: Dtype;
  logEvery: number;
  samples: number;
  temperature?: number;
  init?: string;
  resume?: string;
  save?: string;
  saveEvery?: number;
  saveWeights?: string;
  trainNames?: number;
  seconds?: number;
}

export interface GenerateOptions extends EngineOptions, ModelOptions {
  model: string;
  n: number;
  temperature?: number;
  prefix: string;
  seed: number;
}

export interface EvaluateOptions extends EngineOptions, ModelOptions {
  model: string;
  holdout: number;
  samples: number;
  temperature?: number;
  seed: number;
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
  return placeOptions(command, "node").addOption(
    new Option("--ops <ops>", "the numeric kernels (default: native on XS, in f32)").choices(["typescript", "native"]),
  );
}

export function dataOption(command: Command): Command {
  return command.option("--data <file>", "names, or other short documents, one a line, in UTF-8", NAMES_FILE);
}

/** What shapes a model; commands that read a checkpoint need them only for a file of bare weights. */
export function modelOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--preset <name>",
        `the published program to follow, or tuned: learns more for its cost (default: ${DEFAULT_MODEL.preset})`,
      ).choices(Object.keys(PRESETS)),
    )
    .option("--n-layer <n>", `transformer layers (default: ${DEFAULT_MODEL.nLayer})`, wholeNumber)
    .option("--n-embd <n>", `width of the embedding (default: ${DEFAULT_MODEL.nEmbd})`, wholeNumber)
    .option("--n-head <n>", `attention heads (default: ${DEFAULT_MODEL.nHead})`, wholeNumber)
    .option("--block-size <n>", `most positions of a sequence (default: ${DEFAULT_MODEL.blockSize})`, wholeNumber)
    .option("--mlp-width <n>", "units of the MLP (default: 4·n_embd)", wholeNumber)
    .addOption(
      new Option("--relative-bias <switch>", "a learnt bias of attention by distance (default: the preset's)").choices([
        "on",
        "off",
      ]),
    );
}

export function wholeNumber(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

function heapLimit(text: string): number {
  const bytes = wholeNumber(text);
  if (bytes < 1 || bytes > MOST_HEAP)
    throw new InvalidArgumentError(`It must be a number of bytes from 1 to ${MOST_HEAP}.`);
  return bytes;
}

function parseBits(text: string): Bits {
  if (text !== "32" && text !== "64") throw new InvalidArgumentError("It must be 32 or 64.");
  return text === "32" ? 32 : 64;
}

export function decimalNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("It must be a number.");
  return value;
}

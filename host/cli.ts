import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { DEFAULT_APP } from "../src/app";
import { Checkpoint } from "../src/checkpoint";
import { DEFAULT_MODEL, DEFAULT_TRAINING, type ModelConfig, PRESETS, type TrainingConfig } from "../src/config";
import { InputError } from "../src/errors";
import type { Dtype, OpsName } from "../src/ops";
import type { Job, RunningJob, StepReport } from "./job";
import { type EngineCall, runOnNode } from "./node-engine";
import { nodeStorage } from "./node-storage";
import { formatPlan, planAsJson } from "./plan";
import { plainDisplay, terminalDisplay } from "./progress";
import { NoCompilerError } from "./xs/build";
import { openRecords, type Records } from "./records";
import { addMonitor } from "./monitor/command";
import { runOnXs, UncaughtError } from "./xs/engine";
import type { Bits } from "./xs/sources";

const EXIT_INPUT = 2;
/** A mistake in the program, as sysexits.h has it. */
const EXIT_SOFTWARE = 70;
/** As shells have it for a program ended by SIGINT. */
const EXIT_STOPPED = 130;

const NAMES_FILE = fileURLToPath(new URL("../data/names.txt", import.meta.url));

interface EngineOptions {
  engine: "node" | "xs" | "auto";
  xsBits: Bits;
  heapLimit?: number;
  ops?: OpsName;
  data: string;
}

interface ModelOptions {
  preset?: ModelConfig["preset"];
  nLayer?: number;
  nEmbd?: number;
  nHead?: number;
  blockSize?: number;
}

interface TrainOptions extends EngineOptions, ModelOptions, Partial<TrainingConfig> {
  seed: number;
  dtype: Dtype;
  logEvery: number;
  samples: number;
  temperature?: number;
  init?: string;
  save?: string;
  jsonl?: string;
  stats: boolean;
}

interface GenerateOptions extends EngineOptions, ModelOptions {
  model: string;
  n: number;
  temperature?: number;
  prefix: string;
  seed: number;
}

interface EvaluateOptions extends EngineOptions, ModelOptions {
  model: string;
}

function createProgram(): Command {
  const program = new Command("esp32gpt")
    .description("A GPT that is born, trained and used on an ESP32.")
    .version(readVersion())
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureHelp({ showGlobalOptions: true });

  modelOptions(engineOptions(program.command("train").description("train a model on names and let it write new ones")))
    .option("--steps <n>", "steps to train, one name each", wholeNumber, DEFAULT_TRAINING.steps)
    .option("--seed <n>", "seed of all random numbers", wholeNumber, DEFAULT_APP.seed)
    .option(
      "--learning-rate <rate>",
      "of the first step; it falls linearly to zero",
      decimalNumber,
      DEFAULT_TRAINING.learningRate,
    )
    .addOption(
      new Option("--sampling <order>", "how names are picked (default: the preset's)").choices([
        "random",
        "sequential",
      ]),
    )
    .option(
      "--holdout <percent>",
      "percent of the names kept for the validation loss",
      decimalNumber,
      DEFAULT_TRAINING.holdout,
    )
    .option("--init <file>", "start from the weights of a checkpoint")
    .option("--save <file>", "save a checkpoint when training ends")
    .addOption(new Option("--dtype <type>", "precision of all numbers").choices(["f32", "f64"]).default("f32"))
    .option("--log-every <n>", "steps between two lines of the log", wholeNumber, DEFAULT_APP.logEvery)
    .option("--jsonl <file>", "write one JSON object a step")
    .option("--samples <n>", "names to generate after training", wholeNumber, DEFAULT_APP.samples)
    .option("--temperature <t>", "lower is more likely, higher more daring (default: the preset's)", decimalNumber)
    .option("--stats", "end with one line of JSON: time, bytecodes, memory", false)
    .action(train);

  modelOptions(engineOptions(program.command("generate").description("let a trained model write names")))
    .requiredOption("--model <file>", "the checkpoint")
    .option("-n <count>", "how many names", wholeNumber, DEFAULT_APP.samples)
    .option("--temperature <t>", "lower is more likely, higher more daring (default: the preset's)", decimalNumber)
    .option("--prefix <letters>", "how every name begins", "")
    .option("--seed <n>", "seed of the random numbers", wholeNumber, DEFAULT_APP.seed)
    .action(generate);

  modelOptions(
    engineOptions(program.command("eval").description("measure the mean loss of a checkpoint over a file of names")),
  )
    .requiredOption("--model <file>", "the checkpoint")
    .action(evaluate);

  modelOptions(program.command("plan").description("list the memory that training takes, and the chips that have it"))
    .option("--json", "as one line of JSON", false)
    .action(plan);

  addMonitor(program);

  return program;
}

function readVersion(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

function engineOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--engine <engine>", "what executes the program; auto is xs where there is a C compiler, else node")
        .choices(["node", "xs", "auto"])
        .default("node"),
    )
    .addOption(
      new Option("--xs-bits <bits>", "xs: as a program of so many bits; 32 has the device's memory figures")
        .default(64)
        .argParser(parseBits),
    )
    .addOption(
      new Option("--ops <ops>", "the numeric kernels (default: native on XS, in f32)").choices([
        "typescript",
        "native",
      ]),
    )
    .option("--heap-limit <bytes>", "xs: memory for slots, chunks and stack (default: the ESP32's)", wholeNumber)
    .option("--data <file>", "names, one a line, in the letters a to z", NAMES_FILE);
}

/** What shapes a model; commands that read a checkpoint need them only for a file of bare weights. */
function modelOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--preset <name>", `the published program to follow (default: ${DEFAULT_MODEL.preset})`).choices(
        Object.keys(PRESETS),
      ),
    )
    .option("--n-layer <n>", `transformer layers (default: ${DEFAULT_MODEL.nLayer})`, wholeNumber)
    .option("--n-embd <n>", `width of the embedding (default: ${DEFAULT_MODEL.nEmbd})`, wholeNumber)
    .option("--n-head <n>", `attention heads (default: ${DEFAULT_MODEL.nHead})`, wholeNumber)
    .option("--block-size <n>", `most positions of a sequence (default: ${DEFAULT_MODEL.blockSize})`, wholeNumber);
}

function wholeNumber(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
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

/** The entries that were given. */
function given<T extends object>(options: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function wantedModel({ preset, nLayer, nEmbd, nHead, blockSize }: ModelOptions): Partial<ModelConfig> {
  return given<ModelConfig>({ preset, nLayer, nEmbd, nHead, blockSize });
}

async function train(options: TrainOptions): Promise<void> {
  const { steps, learningRate, sampling, holdout, seed, samples, logEvery, temperature, init, save } = options;
  const job: Job = {
    command: "train",
    dtype: options.dtype,
    ...given<{ ops: OpsName }>({ ops: options.ops }),
    stats: options.stats,
    app: {
      model: wantedModel(options),
      training: given<TrainingConfig>({ steps, learningRate, sampling, holdout }),
      seed,
      samples,
      logEvery,
      ...given<{ temperature: number; init: string; save: string }>({ temperature, init, save }),
    },
  };
  const records = options.jsonl === undefined ? undefined : openRecords(options.jsonl);
  try {
    await run(job, options, steps, records);
  } finally {
    records?.close();
  }
}

async function generate(options: GenerateOptions): Promise<void> {
  const { model, n, temperature, prefix, seed } = options;
  await run(
    {
      command: "generate",
      dtype: dtypeOf(model),
      ...given<{ ops: OpsName }>({ ops: options.ops }),
      model,
      wanted: wantedModel(options),
      count: n,
      prefix,
      seed,
      ...given<{ temperature: number }>({ temperature }),
    },
    options,
  );
}

async function evaluate(options: EvaluateOptions): Promise<void> {
  const { model } = options;
  await run(
    {
      command: "eval",
      dtype: dtypeOf(model),
      ...given<{ ops: OpsName }>({ ops: options.ops }),
      model,
      wanted: wantedModel(options),
    },
    options,
  );
}

function plan(options: ModelOptions & { json: boolean }): void {
  const config = { ...DEFAULT_MODEL, ...wantedModel(options) };
  process.stdout.write(options.json ? planAsJson(config) : formatPlan(config));
}

/** A checkpoint is used in the precision it has. */
function dtypeOf(file: string): Dtype {
  const checkpoint = Checkpoint.open(nodeStorage, file);
  checkpoint.close();
  return checkpoint.dtype;
}

/** Runs a job on the engine that was asked for, with a progress bar where there is a terminal. */
async function run(job: Job, options: EngineOptions, steps?: number, records?: Records): Promise<void> {
  const hasBar = process.stdout.isTTY && job.command !== "generate";
  const display = hasBar ? terminalDisplay(steps) : plainDisplay();
  let running: RunningJob | undefined;
  const stop = (): void => running?.stop();
  process.on("SIGINT", stop);
  try {
    const stopped = await runOn(options, {
      job,
      namesFile: options.data,
      write: display.write,
      observer: {
        ...((display.step ?? records) && {
          step: (report: StepReport) => {
            records?.add(report);
            display.step?.(report.step, report.loss);
          },
        }),
        ...(display.progress && { progress: display.progress }),
      },
      started: (job) => void (running = job),
    });
    if (stopped) process.exitCode = EXIT_STOPPED;
  } finally {
    process.off("SIGINT", stop);
    display.end();
  }
}

async function runOn({ engine, xsBits, heapLimit }: EngineOptions, call: EngineCall): Promise<boolean> {
  if (engine === "node") return runOnNode(call);
  try {
    return await runOnXs(call, {
      bits: xsBits,
      buildProgress: showBuild,
      ...given<{ heapLimit: number }>({ heapLimit }),
    });
  } catch (error) {
    if (engine === "xs" || !(error instanceof NoCompilerError)) throw error;
    console.error("There is no C compiler to build XS with, so this runs on Node.");
    return runOnNode(call);
  }
}

/** Building XS takes a while the first time: a line on a terminal, a sentence elsewhere. */
function showBuild(done: number, total: number): void {
  const { stderr } = process;
  if (stderr.isTTY) stderr.write(`\rBuilding the XS engine: ${done}/${total}${done === total ? "\n" : ""}`);
  else if (done === 1) stderr.write("Building the XS engine...\n");
}

/** Runs the command line; sets the exit code. */
export async function main(): Promise<void> {
  // A reader that has seen enough, like head, is no error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    // The monitor says that in a sentence.
    if (error.code !== "ENOSPC") throw error;
  });
  try {
    await createProgram().parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT_INPUT;
    else if (error instanceof InputError) {
      console.error(`esp32gpt: ${error.message}`);
      process.exitCode = EXIT_INPUT;
    } else if (error instanceof UncaughtError) {
      console.error(error.message);
      process.exitCode = EXIT_SOFTWARE;
    } else throw error;
  }
}

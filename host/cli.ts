import { readFileSync } from "node:fs";
import { Command, CommanderError, Option } from "commander";
import { DEFAULT_MODEL, DEFAULT_TRAINING, type ModelConfig, type TrainingConfig } from "../src/config";
import { Dataset } from "../src/data/dataset";
import { InputError, printable } from "../src/errors";
import type { Job } from "../src/program/job";
import { DEFAULT_SEED, DEFAULT_TRAIN_JOB } from "../src/program/train-job";
import { Checkpoint } from "../src/checkpoint/reader";
import type { Dtype, OpsName } from "../src/model/ops";
import { Files } from "./files";
import { CHECKPOINT, LIST, readRegular } from "./inputs";
import { addMonitor } from "./monitor/command";
import {
  dataOption,
  decimalNumber,
  engineOptions,
  type EvaluateOptions,
  type GenerateOptions,
  type ModelOptions,
  modelOptions,
  type TrainOptions,
  wholeNumber,
} from "./options";
import { Output } from "./output";
import { checkPurposes, type Purpose } from "./outputs";
import { formatPlan, planAsJson } from "./plan";
import { runAndShow } from "./run";
import { untilSignal } from "./signals";
import { addSimulator } from "./simulator/command";
import { UncaughtError } from "./xs/engine";

const EXIT_INPUT = 2;
/** Characters of a complaint about the command line. */
const LONGEST_ERROR = 400;
/** A mistake in the program, as sysexits.h has it. */
const EXIT_SOFTWARE = 70;

/** How long a reader that takes nothing may delay the end once a signal has come, in milliseconds. */
const PATIENCE = 500;

/** @param ending asks the command to end soon and in order */
function createProgram(output: Output, ending: AbortSignal): Command {
  const program = new Command("esp32gpt")
    .description("A GPT that is born, trained and used on an ESP32.")
    .version(readVersion())
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureHelp({ showGlobalOptions: true })
    // It quotes what was typed, or what somebody else has put into a command line.
    .configureOutput({ outputError: (text, write) => write(`${printable(text.trimEnd(), LONGEST_ERROR)}\n`) });

  modelOptions(engineOptions(program.command("train").description("train a model on names and let it write new ones")))
    .addOption(
      new Option("--steps <n>", `updates of the parameters (default: the preset's, ${DEFAULT_TRAINING.steps})`)
        .argParser(wholeNumber)
        .conflicts(["trainNames", "seconds"]),
    )
    .addOption(
      new Option("--train-names <n>", "names to train on instead, a batch of them each step")
        .argParser(wholeNumber)
        .conflicts("seconds"),
    )
    .option("--seconds <s>", "as many names instead as this computer can train on in that time", decimalNumber)
    .option("--batch-size <n>", "names for one update (default: the preset's, 1)", wholeNumber)
    .option("--seed <n>", `seed of all random numbers (default: ${DEFAULT_SEED})`, wholeNumber)
    .option(
      "--learning-rate <rate>",
      `of the first step; it falls linearly to zero (default: the preset's, ${DEFAULT_TRAINING.learningRate})`,
      decimalNumber,
    )
    .addOption(
      new Option("--sampling <order>", "how names are picked (default: the preset's)").choices([
        "random",
        "sequential",
      ]),
    )
    .option(
      "--holdout <percent>",
      `percent of the names kept for the validation loss (default: ${DEFAULT_TRAINING.holdout})`,
      decimalNumber,
    )
    .option("--init <file>", "start from the weights of a checkpoint")
    .addOption(
      new Option("--resume <file>", "go on where the training left off that saved this checkpoint").conflicts([
        "init",
        "seconds",
      ]),
    )
    .option("--save <file>", "save a checkpoint when training ends")
    .option("--save-every <seconds>", "and as often while it trains", decimalNumber)
    .option("--save-weights <file>", "save the weights alone, a third of a checkpoint")
    .addOption(new Option("--dtype <type>", "precision of all numbers (default: f32)").choices(["f32", "f64"]))
    .option("--log-every <n>", "steps between two lines of the log", wholeNumber, DEFAULT_TRAIN_JOB.logEvery)
    .option("--jsonl <file>", "write one JSON object a step")
    .option("--samples <n>", "names to generate after training", wholeNumber, DEFAULT_TRAIN_JOB.samples)
    .option("--temperature <t>", "lower is more likely, higher more daring (default: the preset's)", decimalNumber)
    .action((options: TrainOptions) => train(options, output, ending));

  modelOptions(engineOptions(program.command("generate").description("let a trained model write names")))
    .requiredOption("--model <file>", "the checkpoint")
    .option("-n <count>", "how many names", wholeNumber, DEFAULT_TRAIN_JOB.samples)
    .option("--temperature <t>", "lower is more likely, higher more daring (default: the preset's)", decimalNumber)
    .option("--prefix <letters>", "how every name begins", "")
    .option("--seed <n>", "seed of the random numbers", wholeNumber, DEFAULT_SEED)
    .action((options: GenerateOptions) => generate(options, output, ending));

  modelOptions(
    engineOptions(program.command("eval").description("measure the mean loss of a checkpoint over a file of names")),
  )
    .requiredOption("--model <file>", "the checkpoint")
    .option(
      "--holdout <percent>",
      "measure the names alone that a training with this holdout was kept from; 0 is all names",
      decimalNumber,
      DEFAULT_TRAINING.holdout,
    )
    .option("--samples <n>", "names to write and to compare with the file", wholeNumber, 0)
    .option("--temperature <t>", "of these: lower is more likely (default: the preset's)", decimalNumber)
    .option("--seed <n>", "of these: seed of the random numbers", wholeNumber, DEFAULT_SEED)
    .action((options: EvaluateOptions) => evaluate(options, output, ending));

  modelOptions(
    dataOption(program.command("plan").description("list the memory that training takes, and the chips that have it")),
  )
    .option("--json", "as one line of JSON", false)
    .action((options: PlanOptions) => plan(options, output, ending));

  addSimulator(program, output, ending);
  addMonitor(program, ending);

  return program;
}

function readVersion(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

/** The entries that were given. */
function given<T extends object>(options: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** What the user chooses of a model; the vocabulary comes from the data. */
type ModelShape = Partial<Omit<ModelConfig, "vocabularySize">>;

function wantedModel({ preset, nLayer, nEmbd, nHead, blockSize, mlpWidth, relativeBias }: ModelOptions): ModelShape {
  const bias = relativeBias === undefined ? undefined : relativeBias === "on";
  return given<Required<ModelShape>>({ preset, nLayer, nEmbd, nHead, blockSize, mlpWidth, relativeBias: bias });
}

async function train(options: TrainOptions, output: Output, ending: AbortSignal): Promise<void> {
  const { steps, learningRate, batchSize, sampling, holdout, seed, samples, logEvery, temperature } = options;
  const { trainNames, seconds, data, init, resume, save, saveEvery, saveWeights, jsonl, ops } = options;
  if (saveEvery !== undefined && save === undefined)
    throw new InputError("--save-every needs --save, which names the file.");
  const job = (dtype: Dtype): Job => ({
    command: "train",
    dtype,
    model: wantedModel(options),
    training: given<TrainingConfig>({ steps, batchSize, learningRate, sampling, holdout }),
    samples,
    logEvery,
    ...given<OptionalOfTraining>({ ops, trainNames, seconds, seed, temperature, init, resume }),
    ...given<SavesOfTraining>({ save, saveEvery, saveWeights }),
  });
  const purposes: (Purpose | undefined)[] = [
    purpose("--data", data),
    purpose("--init", init),
    purpose("--resume", resume),
    purpose("--save", save, true),
    purpose("--save-weights", saveWeights, true),
    purpose("--jsonl", jsonl, true),
  ];
  checkPurposes(purposes.filter((each) => each !== undefined));
  await withFiles(ending, async (files) => {
    for (const file of [save, saveWeights]) if (file !== undefined) files.output(file);
    await files.input(data, LIST);
    for (const file of [init, resume]) if (file !== undefined) await files.input(file, CHECKPOINT);
    const dtype = options.dtype ?? (resume === undefined ? DEFAULT_TRAIN_JOB.dtype : await dtypeOf(files, resume));
    await runAndShow(job(dtype), options, files, output, ending);
  });
}

interface OptionalOfTraining {
  readonly trainNames: number;
  readonly seconds: number;
  readonly ops: OpsName;
  readonly temperature: number;
  readonly seed: number;
  readonly init: string;
  readonly resume: string;
}

interface SavesOfTraining {
  readonly save: string;
  readonly saveEvery: number;
  readonly saveWeights: string;
}

function purpose(option: string, path: string | undefined, isWritten = false): Purpose | undefined {
  return path === undefined ? undefined : { option, path, isWritten };
}

async function generate(options: GenerateOptions, output: Output, ending: AbortSignal): Promise<void> {
  const { model, n, temperature, prefix, seed, ops } = options;
  await withCheckpoint(options, ending, (dtype, files) => {
    const job: Job = {
      command: "generate",
      dtype,
      model,
      wanted: wantedModel(options),
      count: n,
      prefix,
      seed,
      ...given<{ ops: OpsName; temperature: number }>({ ops, temperature }),
    };
    return runAndShow(job, options, files, output, ending);
  });
}

async function evaluate(options: EvaluateOptions, output: Output, ending: AbortSignal): Promise<void> {
  const { model, holdout, samples, temperature, seed, ops } = options;
  await withCheckpoint(options, ending, (dtype, files) => {
    const job: Job = {
      command: "eval",
      dtype,
      model,
      wanted: wantedModel(options),
      holdout,
      samples,
      seed,
      ...given<{ ops: OpsName; temperature: number }>({ ops, temperature }),
    };
    return runAndShow(job, options, files, output, ending);
  });
}

/** A checkpoint is used in the precision it has. */
async function withCheckpoint(
  { model, data }: { readonly model: string; readonly data: string },
  ending: AbortSignal,
  work: (dtype: Dtype, files: Files) => Promise<void>,
): Promise<void> {
  await withFiles(ending, async (files) => {
    await files.input(model, CHECKPOINT);
    await files.input(data, LIST);
    await work(await dtypeOf(files, model), files);
  });
}

async function dtypeOf({ storage }: Files, file: string): Promise<Dtype> {
  const checkpoint = await Checkpoint.open(storage, file);
  checkpoint.close();
  return checkpoint.dtype;
}

async function withFiles(ending: AbortSignal, work: (files: Files) => Promise<void>): Promise<void> {
  const files = new Files(ending);
  try {
    await work(files);
  } finally {
    files.close();
  }
}

interface PlanOptions extends ModelOptions {
  readonly data: string;
  readonly json: boolean;
}

async function plan(options: PlanOptions, output: Output, ending: AbortSignal): Promise<void> {
  await withFiles(ending, async (files) => {
    await files.input(options.data, LIST);
    const dataset = new Dataset(readRegular(files.pathOf(options.data), LIST), options.data);
    const config = { ...DEFAULT_MODEL, ...wantedModel(options), vocabularySize: dataset.vocabulary.size };
    output.write((options.json ? planAsJson : formatPlan)(config, dataset.indexBytes));
  });
}

/** Runs the command line, and ends the process. */
export async function main(): Promise<never> {
  const output = new Output(process.stdout);
  process.stderr.on("error", () => undefined); // Nobody is there to be told.
  let exitCode = 0;
  const signalCode = await untilSignal(async (ending) => {
    try {
      await createProgram(output, ending).parseAsync();
      exitCode = Number(process.exitCode ?? 0);
    } catch (error) {
      if (ending.aborted && !(error instanceof InputError) && !(error instanceof UncaughtError)) throw error;
      exitCode = explain(error);
    }
  });
  await output.flushed(signalCode === undefined ? undefined : PATIENCE);
  if (exitCode === 0 && output.trouble !== undefined && output.trouble !== "left") {
    console.error(`esp32gpt: Cannot write to standard output: ${output.trouble}.`);
    exitCode = EXIT_INPUT;
  }
  // What nobody waits for any more, as a read from a terminal, does not keep the process.
  process.exit(exitCode === 0 ? signalCode : exitCode);
}

/** Says what has gone wrong; the exit code for it. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_INPUT;
  if (error instanceof InputError) {
    console.error(`esp32gpt: ${error.message}`);
    return EXIT_INPUT;
  }
  console.error(error instanceof UncaughtError ? error.message : error);
  return EXIT_SOFTWARE;
}

import { readFileSync } from "node:fs";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { Dtype } from "../src/gpt/model/ops";
import { DEFAULT_MODEL, DEFAULT_TRAINING, type Moments } from "../src/gpt/model/config";
import { Dataset } from "../src/gpt/data/dataset";
import { remarksOf } from "../src/gpt/data/list-check";
import { InputError, printable } from "../src/gpt/base/errors";
import { RESOURCE_DTYPES } from "../src/gpt/resource";
import { DEFAULT_TRAIN_JOB } from "../src/jobs/train-job";
import { EXIT, EXIT_CODES_HELP } from "./run/exit-codes";
import { LIST, readRegular } from "./files/inputs";
import { exportModel, type ExportOptions } from "./run/export";
import { evaluate, generate, train, withFiles } from "./run/job-commands";
import { addFlash } from "./flash/command";
import { addMonitor } from "./monitor/command";
import {
  boundTexts,
  chosen,
  dataOption,
  drawingOptions,
  engineOptions,
  type EvaluateOptions,
  type GenerateOptions,
  type ModelOptions,
  modelOptions,
  settingOption,
  type TrainOptions,
  trainOptions,
  wholeNumber,
} from "./run/options";
import { Output } from "./files/output";
import { formatInferencePlan, formatPlan, planAsJson } from "./plan";
import { untilSignal } from "./signals";
import { addSimulator } from "./simulator/command";
import { UncaughtError } from "./xs/engine";

/** Maximum length of a command-line error message, in characters. */
const LONGEST_ERROR = 400;

/** After a signal: how long the flush of standard output may delay the exit, in milliseconds. */
const FLUSH_TIMEOUT_MS = 500;

/** @param ending aborts when the command must stop */
function createProgram(output: Output, ending: AbortSignal): Command {
  const program = new Command("esp32gpt")
    .description("Train and run a small GPT, as on an ESP32.")
    .version(readVersion())
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureHelp({ showGlobalOptions: true })
    // The message quotes arguments, which may hold control characters.
    .configureOutput({
      outputError: (text, write) => write(`${printable(shortened(text.trimEnd()), LONGEST_ERROR)}\n`),
    });

  const training = engineOptions(
    program.command("train").description("train a model on a dataset, then generate from it"),
  );
  trainOptions(modelOptions(training), TRAIN_WORDINGS)
    .addOption(
      new Option("--seconds <s>")
        .argParser(() => {
          throw new InvalidArgumentError("It was removed: use --steps or --train-names.");
        })
        .hideHelp(),
    )
    .option("--init <file>", "start a new training from the weights of a checkpoint")
    .addOption(new Option("--resume <file>", "continue the training that saved this checkpoint").conflicts("init"))
    .option("--save <file>", "save a checkpoint at the end of training, and every --save-every seconds")
    .option("--keep-best <file>", "keep the checkpoint with the lowest validation loss (needs --holdout)")
    .option("--save-weights <file>", "save only the weights, a third of the size of a checkpoint")
    .option(
      "--jsonl <file>",
      "write one JSON object per step; with --resume, continue the file after the checkpoint's step",
    )
    .addHelpText("after", EXIT_CODES_HELP)
    .action((options: TrainOptions) => train(options, output, ending));

  const generating = engineOptions(program.command("generate").description("generate names with a trained model"));
  drawingOptions(modelOptions(generating))
    .requiredOption("--model <file>", "the checkpoint")
    .option("-n <count>", "number of names", wholeNumber, DEFAULT_TRAIN_JOB.samples)
    .option("--prefix <letters>", "the beginning of every name", "")
    .addOption(new Option("--plain", "for programs: one name per line, nothing else").conflicts("json"))
    .option("--json", "for programs: one JSON object per name: number, name, and isKnown if it can be determined")
    .action((options: GenerateOptions) => generate(options, output, ending));

  const measuring = engineOptions(
    program.command("eval").description("measure the mean loss of a checkpoint on a dataset"),
  );
  modelOptions(measuring)
    .requiredOption("--model <file>", "the checkpoint")
    .addOption(
      settingOption("holdout", {
        doc: "measure only the holdout of a training with this percentage; 0 measures all documents",
        usual: "the training's, on its own dataset",
      }),
    )
    .option("--any-holdout", "allow a --holdout that differs from the training's, on its own dataset", false)
    .addOption(settingOption("samples", { doc: "names to generate and to compare with the dataset", usual: 0 }));
  drawingOptions(measuring).action((options: EvaluateOptions) => evaluate(options, output, ending));

  const exporting = program
    .command("export")
    .description("make a resource of a checkpoint: its weights, for a program or a device that does not train")
    .argument("<file>", "the checkpoint")
    .requiredOption("--output <file>", "the resource")
    .addOption(
      new Option("--dtype <word>", "arithmetic of the weights (default: the checkpoint's; f32 for f64)").choices(
        RESOURCE_DTYPES,
      ),
    );
  modelOptions(dataOption(exporting)).action((file: string, options: ExportOptions) =>
    exportModel(file, options, output, ending),
  );

  modelOptions(
    dataOption(
      program.command("plan").description("list the memory that training needs, and the chips that have enough"),
    ),
  )
    .addOption(settingOption("batch_size"))
    .addOption(settingOption("moments"))
    .addOption(settingOption("dtype", { usual: "f32, and for each chip its own" }))
    .option("--inference", "list what a model takes that is not trained: flash for the weights, and RAM", false)
    .option("--json", "as one line of JSON", false)
    .action((options: PlanOptions) => plan(options, output, ending));

  addSimulator(program, output, ending);
  addMonitor(program, ending);
  addFlash(program, output, ending);
  boundTexts(program);

  return program;
}

/** Help texts of `train` where they differ from those in the table of settings. */
const TRAIN_WORDINGS = {
  steps: {
    doc: "parameter updates; a finished training that is resumed with a larger n starts a new schedule of n updates",
    usual: `the preset's, ${DEFAULT_TRAINING.steps}`,
    conflicts: "trainNames",
  },
  batch_size: { usual: `the preset's, ${DEFAULT_TRAINING.batchSize}` },
  learning_rate: { usual: `the preset's, ${DEFAULT_TRAINING.learningRate}` },
  save_every: { doc: "seconds of training between saves (needs --save)", usual: undefined },
};

/** Shortens long words, so that LONGEST_ERROR does not cut off the reason, which follows what was typed. */
function shortened(complaint: string): string {
  return complaint.replace(/(\S{60})\S{40,}/g, "$1…");
}

function readVersion(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

/** Model settings that are absent have their defaults. */
interface PlanOptions extends ModelOptions {
  readonly data: string;
  readonly batchSize?: number;
  readonly moments?: Moments;
  readonly dtype?: Dtype;
  readonly inference: boolean;
  readonly json: boolean;
}

async function plan(options: PlanOptions, output: Output, ending: AbortSignal): Promise<void> {
  await withFiles(ending, async (files) => {
    await files.input(options.data, LIST);
    const dataset = new Dataset(readRegular(files.pathOf(options.data), LIST), options.data);
    for (const remark of remarksOf(dataset)) console.error(`esp32gpt: ${remark}`);
    const config = { ...DEFAULT_MODEL, ...chosen(options, "model"), vocabularySize: dataset.vocabulary.size };
    if (options.inference) output.write(formatInferencePlan(config, dataset.vocabulary, options));
    else {
      const { indexBytes } = dataset;
      const { dtype, json } = options;
      output.write(
        (json ? planAsJson : formatPlan)(config, { indexBytes, dtype, training: chosen(options, "record") }),
      );
    }
  });
}

/** Runs the command line and exits the process. */
export async function main(): Promise<never> {
  const output = new Output(process.stdout);
  process.stderr.on("error", () => undefined); // If stderr is closed, errors cannot be reported.
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
  await output.flushed(signalCode === undefined ? undefined : FLUSH_TIMEOUT_MS);
  if (exitCode === 0 && output.trouble !== undefined && output.trouble !== "left") {
    console.error(`esp32gpt: Cannot write to standard output: ${output.trouble}.`);
    exitCode = EXIT.input;
  }
  // A pending operation, such as a read from a terminal, would keep Node alive.
  process.exit(exitCode === 0 ? signalCode : exitCode);
}

/** Prints an error and returns its exit code. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.input;
  if (error instanceof InputError) {
    console.error(`esp32gpt: ${error.message}`);
    return EXIT.input;
  }
  console.error(error instanceof UncaughtError ? error.message : error);
  return EXIT.software;
}

import { readFileSync } from "node:fs";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { DEFAULT_MODEL, DEFAULT_TRAINING } from "../src/gpt/model/config";
import { Dataset } from "../src/gpt/data/dataset";
import { remarksOf } from "../src/gpt/data/list-check";
import { InputError, printable } from "../src/gpt/base/errors";
import { DEFAULT_TRAIN_JOB } from "../src/jobs/train-job";
import { EXIT, EXIT_CODES_HELP } from "./run/exit-codes";
import { LIST, readRegular } from "./files/inputs";
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
import { formatPlan, planAsJson } from "./plan";
import { untilSignal } from "./signals";
import { addSimulator } from "./simulator/command";
import { UncaughtError } from "./xs/engine";

/** Characters of a complaint about the command line. */
const LONGEST_ERROR = 400;

/** How long a reader that takes nothing may delay the end once a signal has come, in milliseconds. */
const FLUSH_TIMEOUT_MS = 500;

/** @param ending asks the command to end soon and in order */
function createProgram(output: Output, ending: AbortSignal): Command {
  const program = new Command("esp32gpt")
    .description("A GPT that is born, trained and used on an ESP32.")
    .version(readVersion())
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureHelp({ showGlobalOptions: true })
    // It quotes what was typed, or what somebody else has put into a command line.
    .configureOutput({
      outputError: (text, write) => write(`${printable(shortened(text.trimEnd()), LONGEST_ERROR)}\n`),
    });

  const training = engineOptions(
    program.command("train").description("train a model on names and let it write new ones"),
  );
  trainOptions(modelOptions(training), TRAIN_WORDINGS)
    .addOption(
      new Option("--seconds <s>")
        .argParser(() => {
          throw new InvalidArgumentError("It is gone: --steps and --train-names say how long to train.");
        })
        .hideHelp(),
    )
    .option("--init <file>", "start from the weights of a checkpoint")
    .addOption(
      new Option("--resume <file>", "go on where the training left off that saved this checkpoint").conflicts("init"),
    )
    .option("--save <file>", "save a checkpoint when training ends, and every --save-every seconds")
    .option("--keep-best <file>", "keep the checkpoint with the lowest validation loss (needs --holdout)")
    .option("--save-weights <file>", "save the weights alone, a third of a checkpoint")
    .option(
      "--jsonl <file>",
      "write one JSON object a step; with --resume go on in the file after the checkpoint's step",
    )
    .addHelpText("after", EXIT_CODES_HELP)
    .action((options: TrainOptions) => train(options, output, ending));

  const generating = engineOptions(program.command("generate").description("let a trained model write names"));
  drawingOptions(modelOptions(generating))
    .requiredOption("--model <file>", "the checkpoint")
    .option("-n <count>", "how many names", wholeNumber, DEFAULT_TRAIN_JOB.samples)
    .option("--prefix <letters>", "how every name begins", "")
    .addOption(new Option("--plain", "for programs: a name a line, and nothing else").conflicts("json"))
    .option("--json", "for programs: one JSON object a name: number, name, isKnown where that can be said")
    .action((options: GenerateOptions) => generate(options, output, ending));

  const measuring = engineOptions(
    program.command("eval").description("measure the mean loss of a checkpoint over a file of names"),
  );
  modelOptions(measuring)
    .requiredOption("--model <file>", "the checkpoint")
    .addOption(
      settingOption("holdout", {
        doc: "measure only the names that a training with this holdout (percent of the list) never saw; 0 measures all",
        usual: "the training's, on its own list",
      }),
    )
    .option("--any-holdout", "take another --holdout than the training's, on its own list", false)
    .addOption(settingOption("samples", { doc: "names to write and to compare with the file", usual: 0 }));
  drawingOptions(measuring).action((options: EvaluateOptions) => evaluate(options, output, ending));

  modelOptions(
    dataOption(program.command("plan").description("list the memory that training takes, and the chips that have it")),
  )
    .option("--json", "as one line of JSON", false)
    .action((options: PlanOptions) => plan(options, output, ending));

  addSimulator(program, output, ending);
  addMonitor(program, ending);
  addFlash(program, output, ending);
  boundTexts(program);

  return program;
}

/** Of train, where the table does not say all. */
const TRAIN_WORDINGS = {
  steps: {
    doc: "updates of the parameters; a training that was over with fewer begins a schedule of n more when it is resumed",
    usual: `the preset's, ${DEFAULT_TRAINING.steps}`,
    conflicts: "trainNames",
  },
  batch_size: { usual: `the preset's, ${DEFAULT_TRAINING.batchSize}` },
  learning_rate: { usual: `the preset's, ${DEFAULT_TRAINING.learningRate}` },
  save_every: { doc: "seconds of training between two saves (needs --save)", usual: undefined },
};

/** Without the middle of what somebody has typed at length: what is wrong with it stands behind. */
function shortened(complaint: string): string {
  return complaint.replace(/(\S{60})\S{40,}/g, "$1…");
}

function readVersion(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

/** The entries that were given. */
interface PlanOptions extends ModelOptions {
  readonly data: string;
  readonly json: boolean;
}

async function plan(options: PlanOptions, output: Output, ending: AbortSignal): Promise<void> {
  await withFiles(ending, async (files) => {
    await files.input(options.data, LIST);
    const dataset = new Dataset(readRegular(files.pathOf(options.data), LIST), options.data);
    for (const remark of remarksOf(dataset)) console.error(`esp32gpt: ${remark}`);
    const config = { ...DEFAULT_MODEL, ...chosen(options, "model"), vocabularySize: dataset.vocabulary.size };
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
  await output.flushed(signalCode === undefined ? undefined : FLUSH_TIMEOUT_MS);
  if (exitCode === 0 && output.trouble !== undefined && output.trouble !== "left") {
    console.error(`esp32gpt: Cannot write to standard output: ${output.trouble}.`);
    exitCode = EXIT.input;
  }
  // What nobody waits for any more, as a read from a terminal, does not keep the process.
  process.exit(exitCode === 0 ? signalCode : exitCode);
}

/** Says what has gone wrong; the exit code for it. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.input;
  if (error instanceof InputError) {
    console.error(`esp32gpt: ${error.message}`);
    return EXIT.input;
  }
  console.error(error instanceof UncaughtError ? error.message : error);
  return EXIT.software;
}

import { atMost, cutWord, numberOf, temperatureOf } from "./arguments";
import type { Command, CommandContext } from "./command";
import type { Device } from "../device";
import { checkInteger, InputError, printable } from "../../gpt/base/errors";
import type { Task } from "../../gpt/base/runner";
import { SPACE } from "../../gpt/data/characters";
import { EvaluationTask } from "../../gpt/training/evaluation";
import { GenerateTask } from "../../gpt/model/generate";

const MAX_NAMES = 1000;
const DEFAULT_NAMES = 5;
/** Names between two progress events. */
const PROGRESS_NAMES = 1000;

/** Commands that generate names and measure the loss. */
export const NAME_COMMANDS: readonly Command[] = Object.freeze([
  Object.freeze<Command>({
    name: "generate",
    takes: "[n] [temperature] [prefix]",
    help: "generates names",
    order: "reads",
    run(context, tail) {
      // The prefix may contain spaces: it is the rest of the line.
      const [n, afterN] = cutWord(tail);
      const [temperature, prefix] = cutWord(afterN);
      const count = n === "" ? DEFAULT_NAMES : numberOf("The number of names", n);
      checkInteger("The number of names", count, 1, MAX_NAMES);
      return write(context, { count, temperature: temperatureOf(temperature), prefix, isWanted: () => true });
    },
  }),
  Object.freeze<Command>({
    name: "stream",
    takes: "[temperature]",
    help: "generates names until a key is pressed",
    order: "reads",
    run(context, tail) {
      const temperature = temperatureOf(atMost(1, tail)[0]);
      context.isStreaming = true;
      const isWanted = (): boolean => context.isStreaming;
      return write(context, { count: Infinity, temperature, prefix: "", isWanted }).finally(
        () => (context.isStreaming = false),
      );
    },
  }),
  Object.freeze<Command>({
    name: "eval",
    takes: "[words]",
    help: "measures the loss: holdout or all names; or your words",
    order: "reads",
    run({ device }, tail) {
      const what = tail.trimEnd();
      if (what !== "" && what !== "words")
        throw new InputError(`eval takes no argument or "words", not ${printable(what)}.`);
      return evaluate(device, what === "words");
    },
  }),
]);

interface Wish {
  readonly count: number;
  readonly temperature: number | undefined;
  readonly prefix: string;
  /** Whether to continue; asked before each unit of work. */
  readonly isWanted: () => boolean;
}

async function write({ device, generator }: CommandContext, wish: Wish): Promise<void> {
  const { count, temperature = device.settings.value("temperature"), isWanted } = wish;
  // Trailing spaces are part of the prefix only if the vocabulary has a space.
  const hasSpaces = device.trainer.model.vocabulary.tokenOf(SPACE) !== 0;
  const prefix = hasSpaces ? wish.prefix : wish.prefix.trim();
  generator.checkPrefix(prefix);
  const emit = (name: string, number: number): void => device.log.emit({ type: "name", number, name, isAnswer: true });
  const names = { count, temperature, prefix, ...device.limits };
  const writing = device.tasks.withBackPressure(new GenerateTask(generator, names, emit));
  await device.tasks.run((run) => run({ work: (now) => isWanted() && writing.work(now) }));
}

/** Measures the user words; or the holdout, or without one all names. The training is suspended meanwhile. */
async function evaluate(device: Device, ofOwn: boolean): Promise<void> {
  const { trainer, log } = device;
  const { model, dataset, holdout } = trainer;
  const words = dataset.own?.count ?? 0;
  if (ofOwn && words === 0) throw new InputError("There are no words of your own: add TEXT.");
  const indices = ofOwn ? Uint32Array.from({ length: words }, (_, i) => dataset.count + i) : undefined;
  const evaluation = new EvaluationTask(model, dataset, indices, ofOwn ? undefined : holdout);
  const { total } = evaluation;
  const measuring: Task = {
    work() {
      const isMore = evaluation.work();
      if (evaluation.done % PROGRESS_NAMES === 0) log.emit({ type: "progress", done: evaluation.done, total });
      return isMore;
    },
  };
  await device.tasks.run(async (run) => {
    let at = { step: 0, steps: 0 };
    let isWhole = await device.runBetweenSteps(() => {
      at = { step: trainer.stepsDone, steps: trainer.config.steps };
      return run(measuring);
    });
    const emitting: Task = {
      work() {
        log.emit({ ...evaluation.result, ...at });
        return false;
      },
    };
    isWhole &&= await run(device.tasks.withBackPressure(emitting));
    if (!isWhole) throw new InputError(`Stopped after ${evaluation.done} of ${total} names.`);
  });
}

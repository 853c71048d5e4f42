import { checkInteger, checkTemperature } from "../config";
import { InputError } from "../errors";
import { Generator } from "../model/generate";
import type { Random } from "../model/random";
import type { Runner } from "./runner";
import { printable } from "../text";
import type { Trainer } from "../model/trainer";
import { Writing } from "./writing";

const MOST_NAMES = 1000;
const DEFAULT_NAMES = "5";

/** The commands that a device takes as lines, while it trains and afterwards. */
export class Console {
  private readonly generator: Generator;
  private isWriting = false;

  /**
   * @param temperature of the names unless a command says another
   * @param random a stream of its own, so that asking for names does not change the training
   * @param say writes a line
   */
  constructor(
    private readonly trainer: Trainer,
    private readonly temperature: number,
    random: Random,
    private readonly runner: Runner,
    private readonly say: (line: string) => void,
  ) {
    this.generator = new Generator(trainer.model, random);
  }

  /** Carries out a line: `status`, `generate [n] [temperature] [prefix]`; help for anything else. */
  receive(line: string): void {
    const [command, ...words] = line.trim().split(/\s+/);
    try {
      if (command === "status" && words.length === 0) this.say(this.status());
      else if (command === "generate" && words.length <= 3) this.generate(words);
      else this.say("Commands: status; generate [n] [temperature] [prefix]");
    } catch (error) {
      this.answer(error);
    }
  }

  private status(): string {
    const { stepsDone, config, lastLoss } = this.trainer;
    const loss = lastLoss === undefined ? "" : `, loss ${lastLoss.toFixed(4)}`;
    return `Step ${stepsDone} of ${config.steps}${loss}.`;
  }

  private generate([n = DEFAULT_NAMES, temperature = String(this.temperature), prefix = ""]: string[]): void {
    if (this.isWriting) throw new InputError("The names asked for before are still being written.");
    const count = numberOf("The number of names", n);
    const degree = numberOf("The temperature", temperature);
    checkInteger("The number of names", count, 1, MOST_NAMES);
    checkTemperature(degree);
    this.generator.checkPrefix(prefix);
    this.isWriting = true;
    const writing = new Writing(this.generator, count, degree, prefix, (name) => this.say(name));
    this.runner
      .run(writing)
      .catch((error: unknown) => this.answer(error))
      .finally(() => (this.isWriting = false));
  }

  /** What the user can mend is answered; anything else is a mistake in the program. */
  private answer(error: unknown): void {
    if (!(error instanceof InputError)) throw error;
    this.say(error.message);
  }
}

function numberOf(what: string, text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value)) throw new InputError(`${what} must be a number, not ${printable(text)}.`);
  return value;
}

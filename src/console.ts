import type { App } from "./app";
import { InputError } from "./errors";
import { Generator } from "./generate";
import type { Platform } from "./platform";
import type { Random } from "./random";

const MOST_NAMES = 1000;
const DEFAULT_NAMES = 5;

/** The commands that a device takes as lines, while it trains and afterwards. */
export class Console {
  private readonly generator: Generator;
  /** Names still to be written by the last `generate`. */
  private pending = 0;

  /** @param random a stream of its own, so that asking for names does not change the training */
  constructor(
    private readonly platform: Platform,
    private readonly app: App,
    random: Random,
  ) {
    this.generator = new Generator(app.trainer.model, random);
  }

  /** Carries out a line: `status`, `generate [n] [temperature] [prefix]`; help for anything else. */
  receive(line: string): void {
    const [command, ...words] = line.trim().split(/\s+/);
    try {
      if (command === "status" && words.length === 0) this.say(this.app.status());
      else if (command === "generate" && words.length <= 3) this.generate(words);
      else this.say("Commands: status; generate [n] [temperature] [prefix]");
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.say(error.message);
    }
  }

  private generate([
    n = String(DEFAULT_NAMES),
    temperature = String(this.app.temperature),
    prefix = "",
  ]: string[]): void {
    const count = Number(n);
    if (!Number.isInteger(count) || count < 1 || count > MOST_NAMES)
      throw new InputError(`generate writes 1 to ${MOST_NAMES} names, not ${n}.`);
    const isWriting = this.pending > 0;
    // The first name finds out whether temperature and prefix will do.
    this.say(this.generator.name(Number(temperature), prefix));
    this.pending = count - 1;
    if (isWriting) return;
    const next = (): void => {
      if (this.pending === 0) return;
      this.pending--;
      this.say(this.generator.name(Number(temperature), prefix));
      this.platform.schedule(next);
    };
    this.platform.schedule(next);
  }

  private say(text: string): void {
    this.platform.write(`${text}\n`);
  }
}

import { checkInteger, checkNumber, checkTemperature } from "../config";
import { InputError } from "../errors";
import type { AckEvent, Tell } from "./events";
import { isTagged, PROTOCOL_VERSION, readTagged, REMEMBERED_IDS, type TaggedCommand } from "../protocol/lines";
import { printable } from "../text";
import type { Transfer } from "./transfer";

/** What a console can ask of a device. All throw an InputError, or reject with one, where that cannot be. */
export interface Controls {
  /** For people, in a line. */
  status(): string;
  /** Goes on, or begins a schedule of so many steps, of the build's where none are said. */
  train(steps?: number): Promise<void>;
  pause(): void;
  resume(): void;
  save(): Promise<void>;
  /** Goes back to the stored checkpoint. */
  load(): Promise<void>;
  /** Fresh weights. */
  reset(): Promise<void>;
  /** These draw from a stream of their own: they do not change what training does. */
  generate(count: number, temperature?: number, prefix?: string): Promise<void>;
  /** Measures one's own words, or the names held out, or where there are none all of them. */
  evaluate(ofOwn: boolean): Promise<void>;
  /** Ends what generate, evaluate and bench do. */
  stop(): void;
  add(word: string): void;
  forget(word: string): void;
  words(): readonly string[];
  readonly values: Readonly<Record<string, string | number>>;
  setLog(isJson: boolean): void;
  setNumber(key: NumberKey, value: number): void;
  plan(): readonly string[];
  bench(): Promise<void>;
  version(): string;
  reboot(): void;
  /** Saves, and begins to be fetched. */
  fetch(): Promise<void>;
  /** Takes over what was received. */
  received(): Promise<void>;
  readonly transfer: Transfer | undefined;
}

export type NumberKey = "log_every" | "save_every" | "temperature" | "own_share";

const HELP = Object.freeze([
  "status                              what it does",
  "train [steps]                       goes on, or begins a schedule of so many steps",
  "pause, resume                       the training",
  "generate [n] [temperature] [prefix] writes names",
  "stream [temperature]                writes names until a key is pressed",
  "eval [words]                        the loss of the names held out, or all; or of your words",
  "add TEXT, forget TEXT, words        words of your own, which it trains on as well",
  "save, load, reset                   the checkpoint; load goes back to it, reset draws fresh weights",
  "set [KEY VALUE]                     log, log_every, save_every, temperature, own_share",
  "stop                                ends names, eval and bench",
  "plan, bench, version, reboot, help",
]);

const MOST_NAMES = 1000;
const DEFAULT_NAMES = 5;
/** Names without end. */
const ENDLESS = 1e9;

/** The commands that a device takes as lines, while it trains and afterwards. */
export class Console {
  /** Whether names are written until a key is pressed. */
  private isStreaming = false;
  /** What became of the tagged commands that came last; undefined while one is under way. */
  private readonly known: { readonly id: number; ack: AckEvent | undefined }[] = [];

  constructor(
    private readonly controls: Controls,
    private readonly tell: Tell,
  ) {}

  /** A key was pressed. */
  readonly key = (): void => {
    if (this.isStreaming) this.controls.stop();
  };

  /** Carries out a line. What the user can mend is answered; anything else is a mistake in the program. */
  readonly receive = (line: string): void => {
    if (isTagged(line)) {
      const tagged = readTagged(line);
      if (tagged) void this.receiveTagged(tagged);
      else this.tell({ type: "damaged" });
    } else void this.receiveTyped(line);
  };

  private async receiveTyped(line: string): Promise<void> {
    try {
      await this.execute(line.trim());
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.say(error.message);
    }
  }

  private async receiveTagged({ id, command }: TaggedCommand): Promise<void> {
    const { known } = this;
    const before = known.find((other) => other.id === id);
    if (before) {
      if (before.ack) this.tell(before.ack);
      return;
    }
    const entry: (typeof known)[number] = { id, ack: undefined };
    known.push(entry);
    if (known.length > REMEMBERED_IDS) known.shift();
    try {
      const next = await this.execute(command.trim());
      entry.ack = { type: "ack", id, ok: true, ...(typeof next === "number" && { next }) };
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      entry.ack = { type: "ack", id, ok: false, error: error.message };
    }
    this.tell(entry.ack);
  }

  private say(text: string): void {
    this.tell({ type: "answer", text });
  }

  /** Returns the place that a transfer waits for. */
  private async execute(line: string): Promise<number | void> {
    const { controls } = this;
    const command = /^\S*/.exec(line)?.[0] ?? "";
    const rest = line.slice(command.length).trim();
    const words = rest === "" ? [] : rest.split(/\s+/);
    switch (command) {
      case "generate":
        return this.generate(rest);
      case "stream":
        return this.stream(words);
      case "train": {
        const [steps] = atMost(1, words);
        if (steps === undefined) return controls.train();
        checkInteger("The number of steps", numberOf("The number of steps", steps), 1, 1e9);
        return controls.train(Number(steps));
      }
      case "eval":
        if (rest !== "" && rest !== "words")
          throw new InputError(`eval measures names, eval words yours; not ${printable(rest)}.`);
        return controls.evaluate(rest === "words");
      case "add":
        controls.add(rest);
        return this.say(`"${printable(rest)}" is one of ${controls.words().length} words of your own.`);
      case "forget":
        controls.forget(rest);
        return this.say(`"${printable(rest)}" is forgotten.`);
      case "set":
        return this.set(words);
      case "chunk": {
        const [at, count] = numbers(2, words);
        return this.transfer.chunk(at, count);
      }
      case "receive":
        return this.transfer.receive(numbers(1, words)[0]);
      case "data": {
        const [at, data = ""] = atMost(2, words);
        return this.transfer.data(numberOf("The place", at ?? ""), data);
      }
    }
    if (words.length > 0)
      throw isCommand(command) ? new InputError(`${command} takes nothing behind it.`) : unknown(command);
    switch (command) {
      case "help":
        return HELP.forEach((text) => this.say(text));
      case "status":
        return this.say(controls.status());
      case "pause":
        controls.pause();
        return this.say(`Paused: ${controls.status()}`);
      case "resume":
        return controls.resume();
      case "stop":
        return controls.stop();
      case "words":
        return controls.words().forEach((text, i) => this.tell({ type: "word", number: i + 1, text }));
      case "save":
        await controls.save();
        return this.say(`Saved: ${controls.status()}`);
      case "load":
        await controls.load();
        return this.say(`Loaded: ${controls.status()}`);
      case "reset":
        await controls.reset();
        return this.say("Fresh weights: train begins.");
      case "plan":
        return controls.plan().forEach((text) => this.say(text));
      case "bench":
        return controls.bench();
      case "version":
        return this.say(controls.version());
      case "reboot":
        return controls.reboot();
      case "fetch":
        return controls.fetch();
      case "fetched":
        return this.transfer.endFetch();
      case "received":
        return controls.received();
      case "cancel":
        return this.transfer.cancel();
    }
    throw unknown(command);
  }

  private get transfer(): Transfer {
    const { transfer } = this.controls;
    if (!transfer) throw new InputError("There is no storage.");
    return transfer;
  }

  private generate(rest: string): Promise<void> {
    // The prefix is the rest of the line, as it may hold spaces.
    const [, n, temperature, prefix = ""] = /^(\S*)\s*(\S*)\s*(.*)$/.exec(rest) ?? [];
    const count = n ? numberOf("The number of names", n) : DEFAULT_NAMES;
    checkInteger("The number of names", count, 1, MOST_NAMES);
    return this.controls.generate(count, degreeOf(temperature), prefix);
  }

  private async stream(words: readonly string[]): Promise<void> {
    const [temperature] = atMost(1, words);
    const degree = degreeOf(temperature);
    this.isStreaming = true;
    try {
      await this.controls.generate(ENDLESS, degree);
    } finally {
      this.isStreaming = false;
    }
  }

  private set(words: readonly string[]): void {
    const { controls } = this;
    const [key, value, version] = atMost(3, words);
    const { values } = controls;
    if (key === undefined) {
      for (const [name, present] of Object.entries(values)) this.say(`${name} ${present}`);
      return;
    }
    if (!Object.hasOwn(values, key))
      throw new InputError(`There is no ${printable(key)} to set: there are ${Object.keys(values).join(", ")}.`);
    if (key === "log") return this.setLog(value, version);
    if (version !== undefined) throw tooMany(2);
    const number = numberOf(key, value ?? "");
    if (key === "log_every") checkInteger(key, number, 1, 1e9);
    else if (key === "save_every") checkNumber(key, number, 0, 1e6);
    else if (key === "own_share") checkNumber(key, number, 0, 1);
    else checkTemperature(number);
    controls.setNumber(key as NumberKey, number);
    this.say(`${key} ${controls.values[key]}`);
  }

  private setLog(value: string | undefined, version: string | undefined): void {
    if (value !== "text" && value !== "json") throw new InputError("log is text or json.");
    if (version !== undefined && Number(version) !== PROTOCOL_VERSION)
      throw new InputError(
        `This device speaks version ${PROTOCOL_VERSION} of its protocol, not ${printable(version)}.`,
      );
    this.controls.setLog(value === "json");
  }
}

const PLAIN: readonly string[] = Object.freeze([
  "help",
  "status",
  "pause",
  "resume",
  "stop",
  "words",
  "save",
  "load",
  "reset",
  "plan",
  "bench",
  "version",
  "reboot",
  "fetch",
  "fetched",
  "received",
  "cancel",
]);

function isCommand(command: string): boolean {
  return PLAIN.includes(command);
}

function unknown(command: string): InputError {
  return new InputError(
    command === "" ? "help lists the commands." : `There is no command ${printable(command)}: help lists them.`,
  );
}

function tooMany(most: number): InputError {
  return new InputError(
    `That is too much for this command: it takes ${most === 1 ? "one word" : `${most} words`} at most.`,
  );
}

function atMost(most: number, words: readonly string[]): readonly (string | undefined)[] {
  if (words.length > most) throw tooMany(most);
  return words;
}

function numbers(count: number, words: readonly string[]): readonly number[] {
  if (words.length !== count)
    throw new InputError(`That command takes ${count === 1 ? "a number" : `${count} numbers`}.`);
  return words.map((word) => numberOf("A number", word));
}

function degreeOf(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const degree = numberOf("The temperature", text);
  checkTemperature(degree);
  return degree;
}

function numberOf(what: string, text: string): number {
  if (!/^[-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?$/i.test(text))
    throw new InputError(`${what} must be a number, not "${printable(text)}".`);
  return Number(text);
}

import { checkInteger, checkNumber, checkTemperature } from "../config";
import { InputError, printable } from "../errors";
import type { AckEvent, Tell } from "./events";
import { isTagged, PROTOCOL_VERSION, readTagged, REMEMBERED_IDS, type TaggedCommand } from "../protocol/lines";

/** What a console can ask of a device. All throw an InputError, or reject with one, where that cannot be. */
export interface Controls {
  /** For people, in a line. */
  status(): string;
  /** Goes on, or begins a schedule of so many steps, of the build's where none are said. */
  train(steps?: number): Promise<void> | undefined;
  /** Does so many steps, and pauses. */
  step(count: number): Promise<void>;
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
  /** Tells them, one a line. */
  words(): Promise<void>;
  readonly wordCount: number;
  readonly values: Readonly<Record<string, string | number>>;
  setLog(isJson: boolean): void;
  setNumber(key: NumberKey, value: number): void;
  plan(): readonly string[];
  bench(): Promise<void>;
  version(): string;
  reboot(): Promise<void>;
  /** Saves, and begins to be fetched. */
  fetch(): Promise<void>;
  chunk(at: number, count: number): Promise<void>;
  fetched(): void;
  /** These return the place that comes next. */
  receive(size: number): Promise<number>;
  data(at: number, base64: string): number;
  /** Takes over what was received. */
  received(): Promise<void>;
  cancel(): void;
}

export type NumberKey = "log_every" | "save_every" | "temperature" | "own_share";

/** What a command gives: the place that a transfer waits for, or nothing; now, or when it has ended. */
type Work = number | undefined | Promise<number | undefined> | Promise<void>;

const HELP = Object.freeze([
  "status                              what it does",
  "train [steps]                       goes on, or begins a schedule of so many steps",
  "pause, resume, step [n]             the training; n steps, and pauses",
  "generate [n] [temperature] [prefix] writes names",
  "stream [temperature]                writes names until a key is pressed",
  "eval [words]                        the loss of the names held out, or all; or of your words",
  "add TEXT, forget TEXT, words        words of your own, which it trains on as well",
  "save, load, reset                   the checkpoint; load goes back to it, reset draws fresh weights",
  "set [KEY VALUE]                     log, log_every, save_every, temperature, own_share",
  "stop                                ends names, eval and bench",
  "plan, bench, version, reboot, help",
]);

/** After these nothing more can be said to a program. */
const LEAVING = /^\s*(?:set\s+log\s+text|reboot)\s*$/;
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
      if (tagged) this.receiveTagged(tagged);
      else this.tell({ type: "damaged" });
    } else this.receiveTyped(line);
  };

  /** A line was no text, or too long. @param first its first byte */
  readonly refuse = (answer: string, first: number): void => {
    if (isTagged(String.fromCharCode(first))) this.tell({ type: "damaged" });
    else this.say(answer);
  };

  private receiveTyped(line: string): void {
    const fail = (message: string): void => this.say(message);
    this.attempt(line, () => undefined, fail);
  }

  private receiveTagged({ id, command }: TaggedCommand): void {
    const { known } = this;
    const before = known.find((other) => other.id === id);
    if (before) {
      if (before.ack) this.tell(before.ack);
      return;
    }
    const entry: (typeof known)[number] = { id, ack: undefined };
    known.push(entry);
    if (known.length > REMEMBERED_IDS) known.shift();
    const end = (ack: AckEvent): void => this.tell((entry.ack = ack));
    const isLeaving = LEAVING.test(command);
    if (isLeaving) this.tell({ type: "ack", id, ok: true });
    this.attempt(
      command,
      (next) => end({ type: "ack", id, ok: true, ...(next !== undefined && { next }) }),
      (error) => end({ type: "ack", id, ok: false, error }),
    );
  }

  /** Carries out a command. What is done at once takes no promise, which would take memory. */
  private attempt(line: string, done: (next?: number) => void, failed: (message: string) => void): void {
    const fail = (error: unknown): void => {
      if (!(error instanceof InputError)) throw error;
      failed(error.message);
    };
    try {
      const work = this.execute(line.trimStart());
      if (typeof work === "object") void work.then((next) => done(typeof next === "number" ? next : undefined), fail);
      else done(work);
    } catch (error) {
      fail(error);
    }
  }

  private say(text: string): void {
    this.tell({ type: "answer", text });
  }

  private async sayAfter(work: Promise<void>, text: () => string): Promise<void> {
    await work;
    this.say(text());
  }

  private execute(line: string): Work {
    const command = /^\S*/.exec(line)?.[0] ?? "";
    const tail = line.slice(command.length).trimStart();
    const rest = tail.trimEnd();
    const words = rest === "" ? [] : rest.split(/\s+/);
    if (TRANSFERS.includes(command)) return this.carry(command, words);
    if (command === "generate") return this.generate(tail);
    if (WITH_MORE.includes(command)) return this.executeWith(command, rest, words);
    if (!PLAIN.includes(command)) throw unknown(command);
    if (words.length > 0) throw new InputError(`${command} takes nothing behind it.`);
    return this.executePlain(command);
  }

  private executeWith(command: string, rest: string, words: readonly string[]): Work {
    const { controls } = this;
    switch (command) {
      case "train":
        return this.train(words);
      case "step":
        return this.step(words);
      case "stream":
        return this.stream(words);
      case "eval":
        if (rest !== "" && rest !== "words")
          throw new InputError(`eval measures names, eval words yours; not ${printable(rest)}.`);
        return controls.evaluate(rest === "words");
      case "add":
        controls.add(rest);
        this.say(`"${printable(rest)}" is one of ${controls.wordCount} words of your own.`);
        break;
      case "forget":
        controls.forget(rest);
        this.say(`"${printable(rest)}" is forgotten.`);
        break;
      case "set":
        this.set(words);
    }
    return undefined;
  }

  private executePlain(command: string): Work {
    const { controls } = this;
    switch (command) {
      case "help":
        for (const text of HELP) this.say(text);
        break;
      case "status":
        this.say(controls.status());
        break;
      case "pause":
        controls.pause();
        break;
      case "resume":
        controls.resume();
        break;
      case "stop":
        controls.stop();
        break;
      case "words":
        return controls.words();
      case "save":
        return this.sayAfter(controls.save(), () => `Saved: ${controls.status()}`);
      case "load":
        return this.sayAfter(controls.load(), () => `Loaded: ${controls.status()}`);
      case "reset":
        return this.sayAfter(
          controls.reset(),
          () => "Fresh weights: train begins. load goes back, until the next save.",
        );
      case "plan":
        for (const text of controls.plan()) this.say(text);
        break;
      case "bench":
        return controls.bench();
      case "version":
        this.say(controls.version());
        break;
      case "reboot":
        return controls.reboot();
    }
    return undefined;
  }

  /** What PROTOCOL.md has for checkpoints. */
  private carry(command: string, words: readonly string[]): Work {
    const { controls } = this;
    switch (command) {
      case "chunk": {
        const [at, count] = numbers(2, words);
        return controls.chunk(at, count);
      }
      case "receive":
        return controls.receive(numbers(1, words)[0]);
      case "data": {
        if (words.length !== 2) throw new InputError("data takes a place and base64.");
        return controls.data(numberOf("The place", words[0]), words[1]);
      }
    }
    if (words.length > 0) throw new InputError(`${command} takes nothing behind it.`);
    switch (command) {
      case "fetch":
        return controls.fetch();
      case "received":
        return controls.received();
      case "fetched":
        controls.fetched();
        return undefined;
      default:
        controls.cancel();
        return undefined;
    }
  }

  private train(words: readonly string[]): Work {
    const [text] = atMost(1, words);
    const steps = text === undefined ? undefined : numberOf("The number of steps", text);
    if (steps !== undefined) checkInteger("The number of steps", steps, 1, 1e9);
    return this.controls.train(steps);
  }

  private step(words: readonly string[]): Work {
    const [text] = atMost(1, words);
    const count = text === undefined ? 1 : numberOf("The number of steps", text);
    checkInteger("The number of steps", count, 1, 1e9);
    return this.sayAfter(this.controls.step(count), () => this.controls.status());
  }

  private generate(rest: string): Work {
    // The prefix is the rest of the line, as it may hold spaces.
    const [, n, temperature, prefix = ""] = /^(\S*)\s*(\S*)\s*(.*)$/.exec(rest) ?? [];
    const count = n ? numberOf("The number of names", n) : DEFAULT_NAMES;
    checkInteger("The number of names", count, 1, MOST_NAMES);
    return this.controls.generate(count, degreeOf(temperature), prefix);
  }

  private stream(words: readonly string[]): Work {
    const [temperature] = atMost(1, words);
    const work = this.controls.generate(ENDLESS, degreeOf(temperature));
    this.isStreaming = true;
    return work.finally(() => (this.isStreaming = false));
  }

  private set(words: readonly string[]): void {
    const { controls } = this;
    const [key, value, version] = atMost(3, words);
    const { values } = controls;
    if (key === undefined) for (const [name, present] of Object.entries(values)) this.say(`${name} ${present}`);
    else if (!Object.hasOwn(values, key))
      throw new InputError(`There is no ${printable(key)} to set: there are ${Object.keys(values).join(", ")}.`);
    else if (key === "log") this.setLog(value, version);
    else {
      const number = numberOf(key, value ?? "");
      if (version !== undefined) throw tooMany(2);
      if (key === "log_every") checkInteger(key, number, 1, 1e9);
      else if (key === "save_every") checkNumber(key, number, 0, 1e6);
      else if (key === "own_share") checkNumber(key, number, 0, 1);
      else checkTemperature(number);
      controls.setNumber(key as NumberKey, number);
      this.say(`${key} ${controls.values[key]}`);
    }
  }

  private setLog(value: string | undefined, version: string | undefined): void {
    if (value !== "text" && value !== "json") throw new InputError("log is text or json.");
    if (value === "text" && version !== undefined) throw tooMany(2);
    if (version !== undefined && Number(version) !== PROTOCOL_VERSION)
      throw new InputError(
        `This device speaks version ${PROTOCOL_VERSION} of its protocol, not ${printable(version)}.`,
      );
    this.controls.setLog(value === "json");
  }
}

const WITH_MORE: readonly string[] = Object.freeze(["train", "step", "stream", "eval", "add", "forget", "set"]);
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
]);
const TRANSFERS: readonly string[] = Object.freeze([
  "fetch",
  "chunk",
  "fetched",
  "receive",
  "data",
  "received",
  "cancel",
]);

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

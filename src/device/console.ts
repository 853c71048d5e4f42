import { type Command, CommandContext } from "./commands/command";
import type { Device } from "./device";
import { InputError, printable } from "../gpt/base/errors";
import type { AckEvent } from "../protocol/events";
import { OtherProtocol } from "./commands/settings";
import { commandOf, execute } from "./commands/table";
import { isTagged, MAX_WAITING_COMMANDS, readTagged, REMEMBERED_IDS } from "../protocol/lines";

/** A line that arrives within this many milliseconds after a command has begun was pasted with it, and waits for it. */
const PASTE_MS = 200;

/** A tagged command and its result; `ack` is undefined while it is waiting or running. */
interface Known {
  readonly id: number;
  ack: AckEvent | undefined;
}

/** A queued line. Only its text is kept, not what it parses to: eight take 1 KB. */
interface Waiting {
  readonly line: string;
  /** Undefined for an untagged line. */
  readonly known: Known | undefined;
}

/**
 * The command interpreter of a device. Commands run one after the other: see Order. At most eight wait in the queue;
 * further ones are refused. After a refusal all untagged lines are refused until the queue is empty, so that no command
 * runs after an earlier one was skipped.
 */
export class Console {
  private readonly context: CommandContext;
  private readonly queue: Waiting[] = [];
  /** Commands in progress, except those of order "at once", which are only counted. */
  private readonly running: Command[] = [];
  private atOnce = 0;
  /** Whether untagged lines are refused because an earlier one was. */
  private isRefusing = false;
  /** Whether the queue is held until the training ends or pauses. */
  private isHeld = false;
  /** Time until which a line counts as pasted with the last command. */
  private pasteUntil = -Infinity;
  /** The most recent tagged commands in order of arrival, and all that have not ended. */
  private readonly known: Known[] = [];

  /** @param broken called with internal errors; by default they are thrown */
  constructor(
    private readonly device: Device,
    private readonly broken: (error: unknown) => void = (error) => {
      throw error;
    },
  ) {
    this.context = new CommandContext(device);
    device.onIdle = () => {
      this.isHeld = false;
      this.advance();
    };
  }

  /** Number of queued commands. */
  get waitingCount(): number {
    return this.queue.length;
  }

  /** Whether a command is queued or running. */
  get isBusy(): boolean {
    return this.queue.length + this.running.length + this.atOnce > 0;
  }

  /** Number of tagged commands that it remembers, including those in progress. */
  get rememberedCount(): number {
    return this.known.length;
  }

  /** A key was pressed. */
  readonly key = (): void => this.endStream();

  private endStream(): void {
    this.context.isStreaming = false;
  }

  /** Takes a line, tagged or typed. User errors are answered; any other error is internal. */
  readonly receive = (line: string): void => {
    if (!isTagged(line)) {
      this.accept(line.trimStart(), undefined);
      return;
    }
    const tagged = readTagged(line);
    if (!tagged) this.device.log.emit({ type: "damaged" });
    else {
      const before = this.known.find(({ id }) => id === tagged.id);
      if (!before) this.accept(tagged.command.trimStart(), this.remember(tagged.id));
      else if (before.ack) this.device.log.emit(before.ack);
    }
  };

  /** Answers a line that is not valid text, or too long. @param first its first byte */
  readonly refuse = (answer: string, first: number): void => {
    if (isTagged(String.fromCharCode(first))) this.device.log.emit({ type: "damaged" });
    else this.device.say(answer);
  };

  private accept(line: string, known: Known | undefined): void {
    const { command } = commandOf(line);
    if (command?.order === "at once") {
      if (this.atOnce < MAX_WAITING_COMMANDS) this.begin({ line, known }, command);
      else this.fail(new InputError(tooMany(line)), known);
      return;
    }
    const isFirst = this.queue.length === 0;
    if (this.isHeld && isFirst && this.isLater) this.isHeld = false;
    if (!known && this.isRefusing)
      this.fail(new InputError(`${printable(line)}: left out, as a command before it was.`), known);
    else if (isFirst && (this.mayBegin || this.mayBeginBeside(command))) this.begin({ line, known }, command);
    else if (this.queue.length < MAX_WAITING_COMMANDS) {
      this.queue.push({ line, known });
      command?.whenItWaits?.(this.device);
      this.endStream();
    } else {
      if (!known) this.isRefusing = true;
      this.fail(new InputError(tooMany(line)), known);
    }
  }

  private get mayBegin(): boolean {
    return this.running.length === 0 && !this.isHeld && this.device.isReady;
  }

  private mayBeginBeside(command: Command | undefined): boolean {
    const { running } = this;
    return command?.order === "asks" && running.length === 1 && running[0].order === "reads" && this.isLater;
  }

  /** Whether a line that arrives now was not pasted with the running command. */
  private get isLater(): boolean {
    return this.device.context.platform.now() > this.pasteUntil;
  }

  /** Runs queued commands as far as their order allows. */
  private advance(): void {
    const { queue, running } = this;
    for (let next = this.mayBegin && queue.shift(); next; next = this.mayBegin && queue.shift()) {
      this.begin(next, commandOf(next.line).command);
      if (queue.length > 0) this.endStream();
    }
    if (queue.length === 0 && running.length === 0) this.isRefusing = false;
  }

  /** Executes a command. Synchronous commands create no promise, to save memory. */
  private begin({ line, known }: Waiting, command: Command | undefined): void {
    const isFarewell = known && command?.isFarewell?.(commandOf(line).tail);
    if (isFarewell) this.acknowledge(known, { type: "ack", id: known.id, ok: true });
    try {
      const work = execute(this.context, line);
      if (work instanceof Promise && command) this.follow(work, known, command);
      else this.done(known, work);
    } catch (error) {
      this.fail(error, known);
    }
  }

  private follow(work: Promise<unknown>, known: Known | undefined, command: Command): void {
    const { running } = this;
    const isApart = command.order === "at once";
    if (isApart) this.atOnce++;
    else {
      running.push(command);
      this.pasteUntil = this.device.context.platform.now() + PASTE_MS;
    }
    const end = (): void => {
      if (isApart) this.atOnce--;
      else running.splice(running.indexOf(command), 1);
    };
    work
      .then(
        (next) => {
          end();
          this.done(known, next);
          if (command.beginsTraining) this.hold();
        },
        (error: unknown) => {
          end();
          this.fail(error, known);
        },
      )
      .then(() => this.advance())
      .catch(this.broken);
  }

  /** Holds what was pasted with a command that started the training until that ends or pauses. */
  private hold(): void {
    this.isHeld = this.device.isTraining || this.device.isEnding;
  }

  private done(known: Known | undefined, next: unknown): void {
    if (!known || known.ack) return;
    this.acknowledge(known, { type: "ack", id: known.id, ok: true, ...(typeof next === "number" && { next }) });
  }

  private fail(error: unknown, known: Known | undefined): void {
    if (!(error instanceof InputError)) throw error;
    const { message } = error;
    // A command acknowledged before it ran has no acknowledgement left: report the failure as text.
    const isHeard = known !== undefined && !known.ack;
    if (isHeard) this.acknowledge(known, { type: "ack", id: known.id, ok: false, error: message });
    const isText = error instanceof OtherProtocol;
    if (isText) this.device.setLog(false);
    if (isText || !isHeard) this.device.say(message);
  }

  private acknowledge(known: Known, ack: AckEvent): void {
    known.ack = ack;
    const ended = this.known.filter((command) => command.ack);
    if (ended.length > REMEMBERED_IDS) this.known.splice(this.known.indexOf(ended[0]), 1);
    this.device.log.emit(ack);
  }

  /** Remembers a command's id: without it a repeated line would execute the command twice. */
  private remember(id: number): Known {
    const entry: Known = { id, ack: undefined };
    this.known.push(entry);
    return entry;
  }
}

function tooMany(line: string): string {
  return `${printable(line)}: ${MAX_WAITING_COMMANDS} commands wait already.`;
}

import { type Command, CommandContext } from "./commands/command";
import type { Device } from "./device";
import { InputError, printable } from "../gpt/base/errors";
import type { AckEvent } from "../protocol/events";
import { OtherProtocol } from "./commands/settings";
import { commandOf, execute } from "./commands/table";
import { isTagged, MAX_WAITING_COMMANDS, readTagged, REMEMBERED_IDS } from "../protocol/lines";

/** What comes so many milliseconds after a command has begun was pasted with it, and waits for its end. */
const PASTE_MS = 200;

/** A tagged command, and what has become of it; no `ack` while it is under way. */
interface Known {
  readonly id: number;
  ack: AckEvent | undefined;
}

/** A line that waits for its turn. That is all that is kept of it: eight take 1 KB. */
interface Waiting {
  readonly line: string;
  /** Of a tagged one. */
  readonly known: Known | undefined;
}

/**
 * The commands that a device takes as lines, while it trains and afterwards. They are carried out one after the
 * other: see Order. At most eight wait; what comes then is refused, and after a refusal all that is typed until
 * nothing waits any more, so that nothing is carried out after what has been left out before it.
 */
export class Console {
  private readonly context: CommandContext;
  private readonly queue: Waiting[] = [];
  /** What has begun and not ended, but for what is at once, of which there may be so many. */
  private readonly running: Command[] = [];
  private atOnce = 0;
  /** Whether what is typed is left out, as something before it was. */
  private isRefusing = false;
  /** Whether what waits does so for the end of the training. */
  private isHeld = false;
  /** Until when what comes was pasted with what has begun last. */
  private pasteUntil = -Infinity;
  /** The tagged commands that came last, in that order, and those under way. */
  private readonly known: Known[] = [];

  /** @param broken gets mistakes in the program; they are thrown where nobody takes them */
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

  /** How many commands wait. */
  get waitingCount(): number {
    return this.queue.length;
  }

  /** Whether a command waits or is under way. */
  get isBusy(): boolean {
    return this.queue.length + this.running.length + this.atOnce > 0;
  }

  /** How many tagged commands it remembers, those under way included. */
  get rememberedCount(): number {
    return this.known.length;
  }

  /** A key was pressed. */
  readonly key = (): void => this.endStream();

  private endStream(): void {
    this.context.isStreaming = false;
  }

  /** Takes a line. What the user can mend is answered; anything else is a mistake in the program. */
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

  /** A line was no text, or too long. @param first its first byte */
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

  /** Whether what comes now was not pasted with what runs. */
  private get isLater(): boolean {
    return this.device.context.platform.now() > this.pasteUntil;
  }

  /** Carries out what waits, as far as it may. */
  private advance(): void {
    const { queue, running } = this;
    for (let next = this.mayBegin && queue.shift(); next; next = this.mayBegin && queue.shift()) {
      this.begin(next, commandOf(next.line).command);
      if (queue.length > 0) this.endStream();
    }
    if (queue.length === 0 && running.length === 0) this.isRefusing = false;
  }

  /** Carries out a command. What is done at once takes no promise, which would take memory. */
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

  /** What was pasted with a command that has begun a training waits for its end. */
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
    // Whoever was told that it is done must hear otherwise.
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

  /** A device that has forgotten a number would carry its command out a second time. */
  private remember(id: number): Known {
    const entry: Known = { id, ack: undefined };
    this.known.push(entry);
    return entry;
  }
}

function tooMany(line: string): string {
  return `${printable(line)}: ${MAX_WAITING_COMMANDS} commands wait already.`;
}

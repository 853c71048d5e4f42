import { InputError } from "../gpt/base/errors";
import { encodeUtf8 } from "../gpt/base/utf8";
import { type DeviceLine, LARGEST_ID, MAX_LINE_BYTES, REMEMBERED_IDS, tagCommand } from "../protocol/lines";

/** What a client needs from its platform: a connection and a clock. */
export interface Link {
  /** Sends a line and its newline. */
  send(line: string): void;
  /** Monotonic time in milliseconds. */
  now(): number;
  /** Starts a timer that calls once; returns a function that cancels it. */
  after(milliseconds: number, call: () => void): () => void;
}

/** The result of a tagged command. */
export interface Ack {
  readonly ok: boolean;
  /** The reason when it is not ok. */
  readonly error?: string;
  /** Offset in the file of the next byte that the device expects. */
  readonly next?: number;
}

/** Callbacks of a sender of commands; one waiter may serve several commands. */
export interface Waiter {
  onAck(ack: Ack, id: number): void;
  /** The acknowledgement timed out. @param isSilent whether no line at all has arrived */
  onTimeout(id: number, isSilent: boolean): void;
  /** The device has received a damaged tagged line, perhaps this one. */
  onDamaged(id: number): void;
  onError(reason: Error): void;
}

export interface RunOptions {
  /** Maximum number of repeats while the device is silent. */
  readonly repeats?: number;
  /** Whether the device answers it at once. Any other command may take any time while the device sends lines. */
  readonly isAtOnce?: boolean;
}

interface Sent {
  readonly line: string;
  /** Number of commands sent before it. */
  readonly order: number;
  readonly waiter: Waiter;
  at: number;
}

const MAX_REPEATS = 5;
/** Maximum number of repeats after damaged lines. */
const MAX_DAMAGED = 50;
/** Timeout in milliseconds without any line, after which a command is sent again. */
const SILENCE_TIMEOUT_MS = 2000;
/** Timeout in milliseconds even while lines arrive: a device that trains always sends some. */
const REPEAT_TIMEOUT_MS = 5000;
/** Interval in milliseconds at which timeouts are checked. */
const TICK = 250;

export const DAMAGED = "All lines reach the board damaged: check the cable and the baud rate.";
/** For a board that has answered before. */
export const GONE = "The board no longer answers: is it still connected?";
const NO_REASON = "The board refused without giving a reason.";
const SILENT = "The board does not answer: is it connected, and does its firmware support the device protocol?";

/** The board did not answer. */
export class NoAnswerError extends InputError {
  override name = "NoAnswerError";

  constructor() {
    super(SILENT);
  }
}

/** The tagged commands in progress: ids, acknowledgements and timeouts. */
export class Commands {
  private readonly sent = new Map<number, Sent>();
  private order = 0;
  private heardAt = -Infinity;
  private callOff: (() => void) | undefined;

  /** @param id of the first command; the device still remembers the ids of an earlier client */
  constructor(
    private readonly link: Link,
    private id: number,
  ) {}

  /**
   * Sends a command, repeatedly until it is acknowledged.
   * @throws InputError (as a rejection) when it is refused or too long, or the device does not answer
   */
  run(command: string, { repeats = MAX_REPEATS, isAtOnce = false }: RunOptions = {}): Promise<Ack> {
    return new Promise((resolve, reject) => {
      let left = repeats;
      let damagedLeft = MAX_DAMAGED;
      let repeatedAt = -Infinity;
      const giveUp = (id: number, why: InputError): void => {
        this.forget(id);
        reject(why);
      };
      const again = (id: number): void => {
        repeatedAt = this.link.now();
        this.repeat(id);
      };
      this.send(command, {
        onAck: (ack) => (ack.ok ? resolve(ack) : reject(refusalOf(ack))),
        onTimeout: (id, isSilent) => {
          if (!isAtOnce && this.heardAt > repeatedAt) left = repeats;
          if ((isSilent || isAtOnce) && left-- === 0) giveUp(id, new NoAnswerError());
          else again(id);
        },
        onDamaged: (id) => (damagedLeft-- === 0 ? giveUp(id, new InputError(DAMAGED)) : again(id)),
        onError: reject,
      });
    });
  }

  /**
   * Sends a command once.
   * @returns its id
   * @throws InputError when it is too long
   */
  send(command: string, waiter: Waiter): number {
    const id = this.id;
    const line = tagCommand(id, command);
    const size = encodeUtf8(line).length;
    if (size > MAX_LINE_BYTES)
      throw new InputError(`The command is ${size - MAX_LINE_BYTES} bytes too long for the board.`);
    this.id = id === LARGEST_ID ? 1 : id + 1;
    this.sent.set(id, { line, order: this.order++, waiter, at: this.link.now() });
    this.link.send(line);
    this.watch();
    return id;
  }

  /** Drops a command: its waiter is not called again. */
  forget(id: number): void {
    this.sent.delete(id);
  }

  /** Call for each received line. */
  noteLine(): void {
    this.heardAt = this.link.now();
  }

  acknowledged(line: DeviceLine): void {
    const { id, ok, error, next } = line;
    const waiting = typeof id === "number" ? this.sent.get(id) : undefined;
    if (waiting === undefined || typeof id !== "number" || typeof ok !== "boolean") return;
    this.sent.delete(id);
    const ack = { ok, ...(typeof error === "string" ? { error } : {}), ...(isPlace(next) ? { next } : {}) };
    waiting.waiter.onAck(ack, id);
  }

  damaged(): void {
    for (const [id, { waiter }] of [...this.sent]) waiter.onDamaged(id);
  }

  /** Drops all commands, and calls onError of each waiter once. */
  fail(reason: Error): void {
    const waiters = new Set([...this.sent.values()].map(({ waiter }) => waiter));
    this.sent.clear();
    this.callOff?.();
    this.callOff = undefined;
    for (const waiter of waiters) waiter.onError(reason);
  }

  /** Repeats a command only while the device remembers its id: otherwise it would execute it twice. */
  private repeat(id: number): void {
    const sent = this.sent.get(id);
    if (sent === undefined) return;
    sent.at = this.link.now();
    if (this.order - sent.order <= REMEMBERED_IDS) this.link.send(sent.line);
  }

  private watch(): void {
    if (this.sent.size > 0) this.callOff ??= this.link.after(TICK, () => this.look());
  }

  private look(): void {
    this.callOff = undefined;
    const now = this.link.now();
    for (const [id, sent] of [...this.sent]) {
      const isSilent = now - Math.max(this.heardAt, sent.at) >= SILENCE_TIMEOUT_MS;
      if (this.sent.has(id) && (isSilent || now - sent.at >= REPEAT_TIMEOUT_MS)) sent.waiter.onTimeout(id, isSilent);
    }
    this.watch();
  }
}

function isPlace(next: unknown): next is number {
  return Number.isSafeInteger(next) && (next as number) >= 0;
}

/** The error for a refused command. */
export function refusalOf({ error }: { readonly error?: string | undefined }): InputError {
  return new InputError(error ?? NO_REASON);
}

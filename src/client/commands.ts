import { InputError } from "../gpt/base/errors";
import { encodeUtf8 } from "../gpt/base/utf8";
import { type DeviceLine, LARGEST_ID, MAX_LINE_BYTES, REMEMBERED_IDS, tagCommand } from "../protocol/lines";

/** What a client needs of the place where it runs. */
export interface Link {
  /** Sends a line, and its end. */
  send(line: string): void;
  /** Milliseconds since some moment. */
  now(): number;
  /** Calls once, after so many milliseconds; returns what calls that off. */
  after(milliseconds: number, call: () => void): () => void;
}

/** What has become of a tagged command. */
export interface Ack {
  readonly ok: boolean;
  /** Why not. */
  readonly error?: string;
  /** The place in the file that the device waits for. */
  readonly next?: number;
}

/** Who waits for acknowledgements. One may wait for several. */
export interface Waiter {
  onAck(ack: Ack, id: number): void;
  /** No acknowledgement has come in time. @param isSilent whether nothing at all has come */
  onTimeout(id: number, isSilent: boolean): void;
  /** The device has got a tagged line damaged, perhaps this one. */
  onDamaged(id: number): void;
  onError(reason: Error): void;
}

export interface RunOptions {
  /** How often to say it again to a device that is silent. */
  readonly repeats?: number;
  /** Whether the device lets it never wait. Any other may take any time, as long as the device says something. */
  readonly isAtOnce?: boolean;
}

interface Sent {
  readonly line: string;
  /** How many commands were sent before it. */
  readonly order: number;
  readonly waiter: Waiter;
  at: number;
}

const MAX_REPEATS = 5;
/** How often it may arrive damaged. */
const MAX_DAMAGED = 50;
/** Milliseconds without any line after which a command is sent again. */
const SILENCE_TIMEOUT_MS = 2000;
/** Milliseconds after which it is sent again whatever comes: a device that trains always has something to say. */
const REPEAT_TIMEOUT_MS = 5000;
/** How often to look, in milliseconds. */
const TICK = 250;

export const DAMAGED = "Everything reaches the board damaged: look at the cable and at the speed.";
/** Of one that has answered before. */
export const GONE = "The board does not answer any more: is it still connected?";
const NO_REASON = "The board refuses, and does not say why.";
const SILENT = "The board does not answer: is it connected, and does its firmware know the device protocol?";

/** Nothing has answered. */
export class NoAnswerError extends InputError {
  override name = "NoAnswerError";

  constructor() {
    super(SILENT);
  }
}

/** The tagged commands that are under way. */
export class Commands {
  private readonly sent = new Map<number, Sent>();
  private order = 0;
  private heardAt = -Infinity;
  private callOff: (() => void) | undefined;

  /** @param id of the first command; the device remembers those of the client before */
  constructor(
    private readonly link: Link,
    private id: number,
  ) {}

  /**
   * Sends a command until it is acknowledged.
   * @throws InputError when it is refused, or nothing answers
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
   * @returns its number
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

  /** Who waits for it is not told any more. */
  forget(id: number): void {
    this.sent.delete(id);
  }

  /** A line has come. */
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

  /** Nobody waits any more. */
  fail(reason: Error): void {
    const waiters = new Set([...this.sent.values()].map(({ waiter }) => waiter));
    this.sent.clear();
    this.callOff?.();
    this.callOff = undefined;
    for (const waiter of waiters) waiter.onError(reason);
  }

  /** A device that has forgotten the number would carry the command out a second time. */
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

/** What the board has against a command. */
export function refusalOf({ error }: { readonly error?: string | undefined }): InputError {
  return new InputError(error ?? NO_REASON);
}

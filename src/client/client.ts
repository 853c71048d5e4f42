import { InputError, printable } from "../gpt/base/errors";
import { type Ack, Commands, type Link, type RunOptions, NoAnswerError } from "./commands";
import { FetchTransfer, type Progress } from "./fetching";
import { type DeviceLine, openLine, PROTOCOL_VERSION } from "../protocol/lines";
import { RestartReader, type Restarted } from "./restart";
import { SendTransfer } from "./sending";

/** Callbacks for the lines of a device. */
export interface ClientListener {
  /** A protocol line; each is delivered once, in order. */
  onLine(line: DeviceLine): void;
  /** Any other line. */
  onText(line: string): void;
  /** The board has restarted: its log is text again, and everything in progress failed with this reason. */
  onRestart?(reason: Restarted): void;
}

/** Whether an invalid line is a damaged protocol line. */
const isDamaged = (line: string): boolean => line.startsWith('{"n":') || line.includes(',"crc":"');
/** Milliseconds to wait for further boot lines after a restart. */
const RESTART_TIME = 300;
/** Attempts to switch to the protocol; each may repeat its command. */
const MAX_GREETINGS = 3;

/** The client of the device protocol, which PROTOCOL.md describes. */
export class ProtocolClient {
  /** Number of lost lines, from the gaps in the sequence numbers. */
  lost = 0;
  private readonly commands: Commands;
  private next: number | undefined;
  private hello: DeviceLine | undefined;
  private fetching: FetchTransfer | undefined;
  private sending: SendTransfer | undefined;
  /** Whether open() succeeded and no restart was seen since. */
  private isOpen = false;
  private readonly restarts = new RestartReader();
  /** Cancels the timer that waits for further boot lines. */
  private callOff: (() => void) | undefined;
  /** The first restart during open(); empty when there was none. */
  private readonly restartsMeanwhile: Restarted[] = [];

  /** @param firstId id of the first command; use a different one each time, as the device remembers recent ids */
  constructor(
    private readonly link: Link,
    private readonly listener: ClientListener,
    firstId = 1,
  ) {
    this.commands = new Commands(link, firstId);
  }

  /** Processes a line from the device, without its end. */
  receive(line: string): void {
    const opened = openLine(line);
    if (opened === undefined) {
      if (line === "" || isDamaged(line)) return;
      this.listener.onText(line);
      this.watchRestart(line);
      return;
    }
    this.commands.noteLine();
    if (!this.isNew(opened)) return;
    if (opened.type === "hello") this.hello = opened;
    else if (opened.type === "ack") this.commands.acknowledged(opened);
    else if (opened.type === "damaged") this.commands.damaged();
    else if (opened.type === "chunk") this.fetching?.take(opened);
    this.listener.onLine(opened);
  }

  /**
   * Switches the device to the protocol.
   * @returns its `hello` line
   * @throws InputError (as a rejection) when it does not answer, or has another protocol version
   */
  async open(): Promise<DeviceLine> {
    this.isOpen = false;
    this.restartsMeanwhile.length = 0;
    try {
      const hello = await this.greet();
      this.isOpen = true;
      return hello;
    } catch (error) {
      // A restart explains why the device did not answer.
      const [restart] = this.restartsMeanwhile;
      if (!(error instanceof NoAnswerError) || this.restartsMeanwhile.length === 0) throw error;
      throw new InputError(`${restart.message} ${error.message}`);
    }
  }

  private async greet(): Promise<DeviceLine> {
    for (let i = 0; i < MAX_GREETINGS; i++) {
      this.hello = undefined;
      this.next = undefined;
      await this.run("set log json", { repeats: 2, isAtOnce: true });
      const hello = this.hello as DeviceLine | undefined;
      if (hello === undefined) continue;
      if (hello.protocol === PROTOCOL_VERSION) return hello;
      throw new InputError(
        `The board uses version ${named(hello.protocol)} of the device protocol, this program version ${PROTOCOL_VERSION}.`,
      );
    }
    throw new InputError("The board acknowledges commands, but does not send its protocol version.");
  }

  /**
   * Executes a command on the device.
   * @throws InputError (as a rejection) with the device's message when it refuses, or when it does not answer
   */
  run(command: string, options?: RunOptions): Promise<Ack> {
    return this.commands.run(command, options);
  }

  /**
   * Fetches the device's current checkpoint.
   * @throws InputError (as a rejection) when the device refuses or does not answer, or a transfer is in progress
   */
  async fetch(progress: Progress): Promise<Uint8Array> {
    this.requireIdle();
    this.fetching = new FetchTransfer(this.commands, progress);
    try {
      return await this.fetching.run();
    } finally {
      this.fetching = undefined;
    }
  }

  /**
   * Sends a checkpoint, which replaces the device's own.
   * @param name file name for messages; "" when there is none
   * @throws InputError (as a rejection) when the device refuses or does not answer, or a transfer is in progress
   */
  async send(bytes: Uint8Array, progress: Progress, name = ""): Promise<void> {
    this.requireIdle();
    this.sending = new SendTransfer(this.commands, bytes, progress, name);
    try {
      await this.sending.run();
    } finally {
      this.sending = undefined;
    }
  }

  /** Cancels everything in progress: pending promises reject with the reason, and the device ends a transfer. */
  cancel(reason: Error): void {
    const farewell = this.sending ? "cancel" : this.fetching ? "fetched" : undefined;
    this.failAll(reason);
    if (farewell !== undefined) this.run(farewell, { repeats: 0 }).catch(() => undefined);
  }

  /** Detects a restart from the lines of text. */
  private watchRestart(line: string): void {
    const restarted = this.restarts.take(line);
    if (restarted === "maybe more") this.callOff ??= this.link.after(RESTART_TIME, () => this.hasRestarted());
    else if (restarted === "yes") this.hasRestarted();
  }

  private hasRestarted(): void {
    this.callOff?.();
    this.callOff = undefined;
    const reason = this.restarts.reason();
    if (!this.isOpen) {
      // Keep the first: a later line, such as the banner, says less about the reason.
      if (this.restartsMeanwhile.length === 0) this.restartsMeanwhile.push(reason);
      return;
    }
    this.isOpen = false;
    this.failAll(reason);
    this.listener.onRestart?.(reason);
  }

  /** Rejects all pending commands and transfers. */
  private failAll(reason: Error): void {
    this.commands.fail(reason);
    this.sending?.onError(reason);
    this.fetching?.onError(reason);
  }

  private requireIdle(): void {
    if (this.fetching ?? this.sending) throw new InputError("Another checkpoint is being transferred.");
  }

  /** Counts a line and the gap before it; false for a duplicate or an old line. */
  private isNew({ n, type }: DeviceLine): boolean {
    const next = type === "hello" ? n : (this.next ?? n);
    if (n < next) return false;
    this.lost += n - next;
    this.next = n + 1;
    return true;
  }
}

/** A protocol version, of any type, as text for messages. */
function named(version: unknown): string {
  return typeof version === "number" ? String(version) : printable(JSON.stringify(version ?? null));
}

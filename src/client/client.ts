import { InputError, printable } from "../gpt/base/errors";
import { type Ack, Commands, type Link, type RunOptions, NoAnswerError } from "./commands";
import { FetchTransfer, type Progress } from "./fetching";
import { type DeviceLine, openLine, PROTOCOL_VERSION } from "../protocol/lines";
import { RestartReader, type Restarted } from "./restart";
import { SendTransfer } from "./sending";

/** Who is told what a device says. */
export interface ClientListener {
  /** A line of the protocol, in order and once. */
  onLine(line: DeviceLine): void;
  /** A line that is none. */
  onText(line: string): void;
  /** The board has restarted: it speaks to people, and what was under way has failed with this. */
  onRestart?(reason: Restarted): void;
}

/** Whether a line that cannot be opened is one of the protocol, damaged. */
const isDamaged = (line: string): boolean => line.startsWith('{"n":') || line.includes(',"crc":"');
/** How long a board that has restarted may take to say more about it, in milliseconds. */
const RESTART_TIME = 300;
/** How often to ask for the protocol, each time with a repeat. */
const MAX_GREETINGS = 3;

/** A program's side of the device protocol: PROTOCOL.md describes it. */
export class ProtocolClient {
  /** Lines that were lost on the way, by the gaps in their numbers. */
  lost = 0;
  private readonly commands: Commands;
  private next: number | undefined;
  private hello: DeviceLine | undefined;
  private fetching: FetchTransfer | undefined;
  private sending: SendTransfer | undefined;
  /** Whether the device speaks the protocol, as far as is known. */
  private isOpen = false;
  private readonly restarts = new RestartReader();
  /** Calls off what follows when a board that has restarted says no more about it. */
  private callOff: (() => void) | undefined;
  /** That the device restarted while it was asked for the protocol, once. */
  private readonly restartsMeanwhile: Restarted[] = [];

  /** @param firstId the number of the first command: another each time, as a device remembers the last ones */
  constructor(
    private readonly link: Link,
    private readonly listener: ClientListener,
    firstId = 1,
  ) {
    this.commands = new Commands(link, firstId);
  }

  /** Takes what the device has said: a line without its end. */
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
   * Asks the device for lines of the protocol.
   * @returns its hello
   * @throws InputError when it does not answer, or has another version
   */
  async open(): Promise<DeviceLine> {
    this.isOpen = false;
    this.restartsMeanwhile.length = 0;
    try {
      const hello = await this.greet();
      this.isOpen = true;
      return hello;
    } catch (error) {
      // That it does not answer is half of it.
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
        `The board speaks version ${named(hello.protocol)} of the device protocol, and this program ${PROTOCOL_VERSION}.`,
      );
    }
    throw new InputError("The board acknowledges, but does not say which protocol it speaks.");
  }

  /**
   * Lets the device carry out a command.
   * @throws InputError with what the device says against it, or when it does not answer
   */
  run(command: string, options?: RunOptions): Promise<Ack> {
    return this.commands.run(command, options);
  }

  /**
   * Fetches the checkpoint that the device has now.
   * @throws InputError when that cannot be done
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
   * Sends a checkpoint, which takes the place of what the device has.
   * @param name that of its file, for messages; "" where it has none
   * @throws InputError when the device refuses it, or does not answer
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

  /** Ends what is under way: whoever waits for it gets the reason, and a device in a transfer is told. */
  cancel(reason: Error): void {
    const farewell = this.sending ? "cancel" : this.fetching ? "fetched" : undefined;
    this.failAll(reason);
    if (farewell !== undefined) this.run(farewell, { repeats: 0 }).catch(() => undefined);
  }

  /** A line of text may tell that the device has restarted. */
  private watchRestart(line: string): void {
    const told = this.restarts.take(line);
    if (told === "maybe more") this.callOff ??= this.link.after(RESTART_TIME, () => this.hasRestarted());
    else if (told === "yes") this.hasRestarted();
  }

  private hasRestarted(): void {
    this.callOff?.();
    this.callOff = undefined;
    const reason = this.restarts.emit();
    if (!this.isOpen) {
      // The banner says less than the line before it.
      if (this.restartsMeanwhile.length === 0) this.restartsMeanwhile.push(reason);
      return;
    }
    this.isOpen = false;
    this.failAll(reason);
    this.listener.onRestart?.(reason);
  }

  /** Whoever waits for something gets the reason why it does not come. */
  private failAll(reason: Error): void {
    this.commands.fail(reason);
    this.sending?.onError(reason);
    this.fetching?.onError(reason);
  }

  private requireIdle(): void {
    if (this.fetching ?? this.sending) throw new InputError("A checkpoint is being carried already.");
  }

  /** Counts the line; false for one that has come before, or too late. */
  private isNew({ n, type }: DeviceLine): boolean {
    const next = type === "hello" ? n : (this.next ?? n);
    if (n < next) return false;
    this.lost += n - next;
    this.next = n + 1;
    return true;
  }
}

/** Whatever a board has sent as its version. */
function named(version: unknown): string {
  return typeof version === "number" ? String(version) : printable(JSON.stringify(version ?? null));
}

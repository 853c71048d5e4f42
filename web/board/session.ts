import { IS_HARDLY_TEXT } from "../../src/client/noise";
import { IS_DEBUG_BUILD } from "../../src/client/xsbug";
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { InputError, printable } from "../../src/gpt/base/errors";
import type { Clock } from "../../src/gpt/base/platform";
import type { Event } from "../../src/protocol/events";
import { verifyCheckpoint } from "../../src/client/verify-checkpoint";
import type { ProtocolClient } from "../../src/client/client";
import { Conversation, type ConversationListener } from "../../src/client/conversation";
import { escapeLine } from "../../src/client/escape";
import { MAX_FILE_BYTES } from "../../src/client/fetching";
import { LARGEST_ID } from "../../src/protocol/lines";
import { Restarted } from "../../src/client/restart";
import type { DeviceStatus } from "../../src/client/parse-line";
import { Recent } from "./recent";
import { Cable, type CableListener } from "./serial";
import { sendWords } from "./send-words";

const MAX_LINES = 500;
const MAX_NAMES = 100;

const NO_SERIAL = "This browser has no Web Serial, which a board needs: use Chrome, Edge or Opera on a computer.";
const NOT_SECURE = "Browsers allow Web Serial only on pages from https:// or localhost.";
const GONE = "The board is gone: it reconnects when it is plugged in.";
const NOT_THERE = "No board is connected: the line has not been sent.";
const NO_PROTOCOL = "The board does not answer in the device protocol: it needs a running release build.";
const XSBUG_REMARK = `${IS_DEBUG_BUILD}: flash a release build.`;
const NOISE_REMARK = `${IS_HARDLY_TEXT}: a release build uses 115200 baud, as this page does; a debug build uses another speed.`;

const clock: Clock = { now: () => performance.now(), schedule: (slice) => void setTimeout(slice) };

/** State of the connection; "waiting" while the board is unplugged. */
export type Connection = "none" | "connecting" | "connected" | "waiting";

/** A line of the console, with unsafe characters escaped. */
export interface ConsoleLine {
  /** Consecutive numbers. */
  readonly number: number;
  readonly kind: "said" | "typed" | "remark";
  readonly text: string;
}

/** Progress of a transfer. */
export interface TransferProgress {
  readonly what: string;
  readonly done: number;
  readonly total: number;
}

/** A word that the board has generated. */
export interface WrittenName {
  readonly number: number;
  readonly name: string;
}

/** The reason of a transfer that was interrupted by the user or a disconnect. */
class Interrupted extends InputError {}

/** The page's session with a board: its state, its output and the commands to it. */
export class BoardSession implements ConversationListener, CableListener {
  readonly connection = signal<Connection>("none");
  /** Whether the board has no device protocol, so that only its console works. */
  readonly isText = signal(false);
  /** The last status of the board's training. */
  readonly device = signal<DeviceStatus | undefined>(undefined);
  /** The transfer in progress. */
  readonly carrying = signal<TransferProgress | undefined>(undefined);
  /** Why the last action failed, or "". */
  readonly error = signal("");
  /** Whether a transfer can start. */
  readonly isReady = computed(
    () => this.connection.value === "connected" && !this.isText.value && !this.carrying.value,
  );
  private readonly log = new Recent<ConsoleLine>(MAX_LINES);
  private readonly written = new Recent<WrittenName>(MAX_NAMES);
  private readonly cable: Cable | undefined;
  private conversation: Conversation | undefined;
  private lineCount = 0;
  private nameCount = 0;

  /** @param emit receives the events of the board's training */
  constructor(private readonly emit: (event: Event) => void) {
    // navigator.serial is undefined in browsers without Web Serial.
    const { serial } = navigator as Partial<Navigator>;
    if (!serial) return;
    this.cable = new Cable(serial, this);
    // Switches the board back to its text log, as far as a closing page can.
    addEventListener("pagehide", () => {
      this.hangUp(new Interrupted("The page was left."));
      this.cable?.send("set log text");
    });
  }

  /** Why this page cannot reach a board; undefined if it can. */
  get obstacle(): string | undefined {
    if (this.cable) return undefined;
    return isSecureContext ? NO_SERIAL : NOT_SECURE;
  }

  get lines(): ReadonlySignal<readonly ConsoleLine[]> {
    return this.log.items;
  }

  get names(): ReadonlySignal<readonly WrittenName[]> {
    return this.written.items;
  }

  // Actions of the user. A failure is reported as `error` and in the console.

  /** Lets the user choose a port, and connects to the board there. */
  async connect(): Promise<void> {
    await this.attempt(async (cable) => {
      const port = await cable.choose();
      if (!port) return;
      await this.disconnect();
      await this.open(cable, port);
    });
  }

  /** Switches the board back to its text log and closes the port. */
  async disconnect(): Promise<void> {
    await this.release();
    this.connection.value = "none";
  }

  /** Resets the board. */
  async restart(): Promise<void> {
    await this.attempt(async (cable) => {
      this.conversation?.client.cancel(new Interrupted("The board is restarted."));
      try {
        await cable.reset();
      } catch (error) {
        throw new InputError(`The board could not be restarted: ${messageOf(error)}`);
      }
    });
  }

  /** Sends a command line, as typed. */
  run(line: string): void {
    this.error.value = "";
    this.show("typed", `> ${escapeLine(line)}`);
    if (line.trim() === "") return;
    if (this.conversation) this.conversation.type(line);
    else this.onRemark(NOT_THERE);
  }

  /** The board's current checkpoint and its number of steps; undefined on failure. */
  async fetchCheckpoint(): Promise<{ readonly bytes: Uint8Array; readonly steps: number } | undefined> {
    return this.carry("Fetching the checkpoint", async (client, progress) => {
      const bytes = await client.fetch(progress);
      const steps = await verifyCheckpoint(bytes, "The board's checkpoint", clock);
      this.show("remark", `Fetched ${bytes.length} bytes, after ${steps} steps.`);
      return { bytes, steps };
    });
  }

  /**
   * Sends a checkpoint, which replaces the board's.
   * @param name its name in messages
   */
  async sendCheckpoint(bytes: Uint8Array, name: string): Promise<void> {
    await this.carry("Sending the checkpoint", async (client, progress) => {
      if (bytes.length > MAX_FILE_BYTES) throw new InputError(tooLarge(name));
      const steps = await verifyCheckpoint(bytes, name, clock);
      await client.send(bytes, progress, name);
      this.show("remark", `Sent ${bytes.length} bytes, after ${steps} steps.`);
    });
  }

  /** Sends a checkpoint file. */
  async sendFile(file: File): Promise<void> {
    const bytes = await this.attempt(async () => {
      if (file.size > MAX_FILE_BYTES) throw new InputError(tooLarge(file.name));
      return file.arrayBuffer().catch((error: unknown) => {
        throw new InputError(`${printable(file.name)} could not be read: ${messageOf(error)}`);
      });
    });
    if (bytes) await this.sendCheckpoint(new Uint8Array(bytes), file.name);
  }

  /** Adds user words to the board, one per line; resolves to whether it has taken all of them. */
  async teach(text: string): Promise<boolean> {
    const isTaught = await this.carry("Teaching words", async (client, progress) => {
      const sentence = await sendWords(text, {
        add: (word) => client.run(`add ${word}`).then(() => undefined),
        progress,
        isOver: (error) => error instanceof Interrupted,
      });
      this.show("remark", sentence);
      return true;
    });
    return isTaught ?? false;
  }

  /** Cancels the transfer. */
  cancel(): void {
    this.conversation?.client.cancel(new Interrupted("It was cancelled."));
  }

  /**
   * Lends the port to `work`, such as flashing, which opens and closes it; reconnects afterwards. If no port is open,
   * the user chooses one. Undefined on failure.
   */
  async lend<T>(work: (port: SerialPort) => Promise<T>): Promise<T | undefined> {
    return this.attempt(async (cable) => {
      const port = (await this.release()) ?? (await cable.choose());
      if (!port) return undefined;
      try {
        return await work(port);
      } finally {
        this.connection.value = "waiting";
        await cable.openAgain(port);
      }
    });
  }

  // Events of the cable and of the conversation.

  onOpen(): void {
    if (!this.cable) return;
    this.conversation = new Conversation(this.cable, this, 1 + Math.floor(Math.random() * LARGEST_ID));
    this.show("remark", "Connected.");
    this.conversation.begin();
  }

  onText(text: string): void {
    this.conversation?.take(text);
  }

  onLost(): void {
    this.hangUp(new Interrupted(GONE));
    this.connection.value = "waiting";
    this.onRemark(GONE);
  }

  onError(reason: Error): void {
    if (!(reason instanceof InputError)) throw reason;
    this.onRemark(reason.message);
  }

  onLine(line: string): void {
    this.show("said", line);
  }

  onEvent(event: Event): void {
    if (event.type === "step") {
      const { step, steps, loss } = event;
      this.device.value = {
        state: "training",
        step: step + 1,
        steps,
        loss: typeof loss === "number" ? loss : undefined,
      };
    }
    if (event.type === "name") this.written.add({ number: this.nameCount++, name: escapeLine(event.name) });
    this.emit(event);
  }

  onStatus(state: DeviceStatus): void {
    this.device.value = { ...state, state: escapeLine(state.state.slice(0, 20)) };
  }

  onRemark(message: string): void {
    this.error.value = message;
    this.show("remark", escapeLine(message));
  }

  onXsbug(): void {
    this.onRemark(XSBUG_REMARK);
  }

  onNoise(): void {
    this.onRemark(NOISE_REMARK);
  }

  onProtocolChange(): void {
    const speaksProtocol = this.conversation?.speaksProtocol;
    this.isText.value = speaksProtocol === false;
    this.connection.value = speaksProtocol === undefined ? "connecting" : "connected";
  }

  private async open(cable: Cable, port: SerialPort): Promise<void> {
    this.connection.value = "connecting";
    try {
      await cable.open(port);
    } catch (error) {
      this.connection.value = "none";
      throw error;
    }
  }

  /** Ends the conversation and closes the port. */
  private async release(): Promise<SerialPort | undefined> {
    const { conversation, cable } = this;
    if (this.carrying.value) this.cancel();
    await conversation?.leave();
    if (this.conversation === conversation) this.conversation = undefined;
    conversation?.end(new Interrupted("The board was left."));
    return cable?.close();
  }

  /** Ends the conversation because the board cannot be reached. */
  private hangUp(reason: Interrupted): void {
    const { conversation } = this;
    this.conversation = undefined;
    conversation?.end(reason);
  }

  private async carry<T>(
    what: string,
    work: (client: ProtocolClient, progress: (done: number, total: number) => void) => Promise<T>,
  ): Promise<T | undefined> {
    return this.attempt(async () => {
      const { conversation } = this;
      if (!conversation?.speaksProtocol) throw new InputError(NO_PROTOCOL);
      if (this.carrying.value) throw new InputError("A transfer is running: wait for it, or cancel it.");
      this.carrying.value = { what, done: 0, total: 1 };
      try {
        return await work(conversation.client, (done, total) => (this.carrying.value = { what, done, total }));
      } finally {
        this.carrying.value = undefined;
      }
    });
  }

  private async attempt<T>(work: (cable: Cable) => Promise<T>): Promise<T | undefined> {
    this.error.value = "";
    try {
      if (!this.cable) throw new InputError(this.obstacle ?? "");
      return await work(this.cable);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      // The conversation has reported a restart itself.
      if (!(error instanceof Restarted)) this.onRemark(error.message);
      return undefined;
    }
  }

  private show(kind: ConsoleLine["kind"], text: string): void {
    this.log.add({ number: this.lineCount++, kind, text });
  }
}

function tooLarge(name: string): string {
  return `${printable(name)} is too large to be a checkpoint of a board.`;
}

function messageOf(error: unknown): string {
  return `${printable(error instanceof Error ? error.message : String(error), 200).replace(/\.+$/, "")}.`;
}

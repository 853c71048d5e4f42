import { computed, signal } from "@preact/signals";
import type { ProtocolClient } from "../../src/client/client";
import { NoAnswerError } from "../../src/client/commands";
import { Conversation, type ConversationListener } from "../../src/client/conversation";
import { escapeLine } from "../../src/client/escape";
import type { DeviceStatus } from "../../src/client/parse-line";
import { Restarted } from "../../src/client/restart";
import { InputError } from "../../src/gpt/base/errors";
import type { Event } from "../../src/protocol/events";
import { LARGEST_ID } from "../../src/protocol/lines";
import { BoardLog } from "./board-log";
import { Ear } from "./ear";
import { FlashSession, type PortLender } from "./flash-session";
import { keepPort, keptPort } from "./last-port";
import { type LinkEvent, type LinkState, next } from "./link-state";
import { Cable, type CableListener } from "./serial";
import { Interrupted, messageOf, type TransferHost, Transfers } from "./transfers";

const NO_SERIAL = "This browser has no Web Serial, which a board needs: use Chrome, Edge or Opera on a computer.";
const NOT_SECURE = "Browsers allow Web Serial only on pages from https:// or localhost.";
const GONE = "The board is gone: it reconnects when it is plugged in.";
const NOT_THERE = "No board is connected: the line has not been sent.";
const NO_PROTOCOL = "No board that runs esp32gpt is connected: connect one first.";
const NOT_CHOSEN =
  "No port was chosen. If your board is not in the list, try a cable that carries data, or install the driver of its USB chip (CP210x or CH340).";
const LEFT = "You have disconnected it; it goes on by itself.";

/** The page's session with a board: the link to it, and the commands. Its output and its transfers have their own. */
export class BoardSession implements ConversationListener, CableListener, TransferHost, PortLender {
  /** What is known of the link; the page shows what link-view.ts makes of it. */
  readonly link = signal<LinkState>({ kind: "none", reason: "" });
  /** Why the last action failed, or "". Failures of the link itself are in `link`. */
  readonly error = signal("");
  readonly log = new BoardLog();
  readonly transfers = new Transfers(this);
  /** Flashing through this session's port. */
  readonly flashing = new FlashSession(this);
  /** Whether a transfer can start. */
  readonly isReady = computed(() => this.link.value.kind === "answers" && !this.transfers.carrying.value);
  private readonly cable: Cable | undefined;
  private conversation: Conversation | undefined;
  private ear = new Ear();
  /** The port that is kept for flashing, closed. */
  private lent: SerialPort | undefined;

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

  // Actions of the user. A failure of the link becomes its state; another one is reported as `error` and in the console.

  /** Lets the user choose a port, and connects to the board there. */
  async connect(): Promise<void> {
    await this.reach(async (cable) => {
      const port = await this.choose(cable);
      if (!port) return;
      await this.release();
      keepPort(undefined);
      this.move({ type: "opening" });
      await cable.open(port);
    });
  }

  /** Connects to the board that this tab was connected to before the page was loaded again, if there was one. */
  async resume(): Promise<void> {
    const name = keptPort();
    if (!this.cable || !name) return;
    await this.reach(async (cable) => {
      this.move({ type: "opening" });
      try {
        await cable.openGranted(name);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        keepPort(undefined);
        throw new InputError(`The board of before could not be connected again. ${error.message}`);
      }
    });
  }

  /** Switches the board back to its text log and closes the port. */
  async disconnect(): Promise<void> {
    keepPort(undefined);
    await this.release();
    this.move({ type: "ended", reason: LEFT });
  }

  /** Asks a board that was silent, or not understood, once more. */
  askAgain(): void {
    this.hangUp(new Interrupted("The board is asked again."));
    this.move({ type: "opening" });
    this.onOpen();
  }

  /** Resets the board. */
  async restart(): Promise<void> {
    await this.attempt(async () => {
      this.conversation?.client.cancel(new Interrupted("The board is restarted."));
      try {
        await this.cable?.reset();
      } catch (error) {
        throw new InputError(`The board could not be restarted: ${messageOf(error)}`);
      }
    });
  }

  /** Sends a command line, as typed. */
  run(line: string): void {
    this.error.value = "";
    this.log.show("typed", `> ${escapeLine(line)}`);
    if (line.trim() === "") return;
    if (this.conversation) this.conversation.type(line);
    else this.onRemark(NOT_THERE);
  }

  /** Cancels the transfer. */
  cancel(): void {
    this.conversation?.client.cancel(new Interrupted("It was cancelled."));
  }

  // What flashing asks for.

  get isConnected(): boolean {
    const { kind } = this.link.value;
    return kind !== "none" && kind !== "flashing";
  }

  /**
   * Lends the port to `work`, such as flashing, which opens and closes it. It stays kept for flashing until takeBack().
   * If there is no port, the user chooses one. Undefined if there is none.
   */
  async lend<T>(work: (port: SerialPort) => Promise<T>): Promise<T | undefined> {
    return this.reach(async (cable) => {
      const port = this.lent ? await cable.present(this.lent) : ((await this.release()) ?? (await this.choose(cable)));
      if (!port) return undefined;
      this.lent = port;
      this.move({ type: "lent" });
      return work(port);
    });
  }

  /** Ends the lending, and connects to the board, if that is wanted. */
  async takeBack(isToConnect: boolean): Promise<void> {
    const { lent, cable } = this;
    this.lent = undefined;
    if (!lent || !cable) return;
    if (!isToConnect) {
      this.move({ type: "ended", reason: "" });
      return;
    }
    this.move({ type: "opening" });
    await cable.openAgain(await cable.present(lent));
    if (!cable.isConnected && this.link.value.kind === "connecting") this.move({ type: "lost" });
  }

  // What transfers ask for.

  client(): ProtocolClient {
    const { conversation } = this;
    if (!conversation?.speaksProtocol) throw new InputError(NO_PROTOCOL);
    return conversation.client;
  }

  async attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    this.error.value = "";
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      // The conversation has reported a restart itself.
      if (!(error instanceof Restarted)) this.onRemark(error.message);
      return undefined;
    }
  }

  tell(sentence: string): void {
    this.log.show("remark", sentence);
  }

  // Events of the cable and of the conversation.

  onOpen(): void {
    if (!this.cable) return;
    this.ear = new Ear();
    this.conversation = new Conversation(this.cable, this, 1 + Math.floor(Math.random() * LARGEST_ID));
    this.tell("The port is open.");
    this.conversation.begin();
  }

  onText(text: string): void {
    this.ear.take(text);
    this.conversation?.take(text);
    const { sign } = this.ear;
    if (sign) this.move({ type: "heard", sign });
  }

  onLost(): void {
    this.hangUp(new Interrupted(GONE));
    this.move({ type: "lost" });
    this.tell(GONE);
  }

  onError(reason: Error): void {
    if (!(reason instanceof InputError)) throw reason;
    void this.end(reason.message);
  }

  onLine(line: string): void {
    this.log.show("said", line);
  }

  onEvent(event: Event): void {
    this.log.note(event);
    this.emit(event);
  }

  onStatus(state: DeviceStatus): void {
    this.log.noteStatus(state);
  }

  onRemark(message: string): void {
    this.error.value = message;
    this.tell(escapeLine(message));
  }

  onXsbug(): void {
    this.ear.tell("debug");
    this.move({ type: "unanswered", sign: "debug", detail: "" });
  }

  onNoise(): void {
    this.ear.tell("noise");
    this.move({ type: "heard", sign: "noise" });
  }

  onProtocolChange(): void {
    const { conversation } = this;
    if (conversation?.speaksProtocol === undefined) this.move({ type: "asked" });
    else if (conversation.speaksProtocol) {
      keepPort(this.cable?.name);
      this.move({ type: "answered" });
      this.tell("Connected.");
    }
  }

  onUnanswered(reason: InputError): void {
    const isMere = reason instanceof NoAnswerError;
    // A board that answers, though not as it should, has said something.
    const sign = this.ear.sign ?? (isMere ? undefined : "text");
    this.move({ type: "unanswered", sign, detail: isMere ? "" : reason.message });
  }

  private move(event: LinkEvent): void {
    const before = this.link.value;
    const after = next(before, event);
    if (after === before) return;
    this.link.value = after;
    // It may be another board, or another program.
    if (event.type === "opening") this.log.forgetTraining();
    // What has failed in another state of the link is no longer so; after a restart its reason stays.
    const isRestart = [before.kind, after.kind].every((kind) => kind === "answers" || kind === "connecting");
    if (before.kind === after.kind || isRestart) return;
    this.error.value = "";
    if (before.kind === "answers") this.flashing.message.value = { text: "" };
  }

  /** The port that the user chooses; undefined if none. Without a port in use that is then the state of the link. */
  private async choose(cable: Cable): Promise<SerialPort | undefined> {
    const port = await cable.choose();
    const { kind } = this.link.value;
    if (!port && (kind === "none" || kind === "connecting")) this.move({ type: "ended", reason: NOT_CHOSEN });
    return port;
  }

  /** Runs work on the link; if it fails, the link ends with that reason. */
  private async reach<T>(work: (cable: Cable) => Promise<T>): Promise<T | undefined> {
    this.error.value = "";
    const { cable } = this;
    if (!cable) return undefined;
    try {
      return await work(cable);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      await this.end(error.message);
      return undefined;
    }
  }

  private async end(reason: string): Promise<void> {
    this.tell(escapeLine(reason));
    await this.release();
    this.move({ type: "ended", reason });
  }

  /** Ends the conversation and closes the port. */
  private async release(): Promise<SerialPort | undefined> {
    const { conversation, cable } = this;
    if (this.transfers.carrying.value) this.cancel();
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
}

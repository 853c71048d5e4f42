import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { InputError } from "../../src/gpt/base/errors";
import {
  DO,
  DONT,
  escapeData,
  negotiation,
  subnegotiation,
  type TelnetListener,
  TelnetReader,
  WILL,
  WONT,
} from "./telnet";

/* Telnet options. */
const BINARY = 0;
const SUPPRESS_GO_AHEAD = 3;
const COM_PORT = 44;
const OURS: readonly number[] = [BINARY, SUPPRESS_GO_AHEAD, COM_PORT];
const THEIRS: readonly number[] = [BINARY, SUPPRESS_GO_AHEAD];

/* Client commands of the option COM_PORT (RFC 2217, section 3); the server's answer has the number + 100. */
const SET_BAUDRATE = 1;
const SET_DATASIZE = 2;
const SET_PARITY = 3;
const SET_STOPSIZE = 4;
const SET_CONTROL = 5;
const ANSWER = 100;

const NO_PARITY = 1;
const NO_FLOW_CONTROL = 1;
const DTR_ON = 8;
const DTR_OFF = 9;
const RTS_ON = 11;
const RTS_OFF = 12;

/** Key of the question whether the server accepts COM_PORT. */
const OFFER = 0;

/** Timeout for an answer of the server, in milliseconds. */
const NEGOTIATION_TIMEOUT_MS = 3000;

/** A pending question; it resolves to undefined without an answer. */
interface Question {
  readonly resolve: (answer: readonly number[] | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** A remote serial port (RFC 2217) as a stream. */
export class RemoteSerialPort extends Duplex implements TelnetListener {
  private readonly reader = new TelnetReader(this);
  private readonly questions = new Map<number, Question>();
  private hasEnded = false;

  private constructor(private readonly socket: Socket) {
    super({ allowHalfOpen: false });
    socket.on("data", (bytes: Uint8Array) => {
      const data = this.reader.read(bytes);
      if (data.length > 0 && !this.push(data)) socket.pause();
    });
    socket.on("end", () => this.finish()).on("close", () => this.finish());
    socket.on("error", (error) => this.destroy(error));
    // Users of the stream have their own listeners; this one prevents an uncaught error during open().
    this.on("error", () => undefined);
  }

  /**
   * Negotiates over a connected socket.
   * @param baud baud rate; the line is set to 8 bits, no parity, one stop bit, no flow control
   * @param signal aborts the negotiation
   * @throws InputError when the server does not support RFC 2217 or this baud rate
   */
  static async open(socket: Socket, baud: number, signal: AbortSignal): Promise<RemoteSerialPort> {
    const port = new RemoteSerialPort(socket);
    try {
      const agreed = port.ask(OFFER, signal);
      for (const option of OURS) socket.write(negotiation(WILL, option));
      for (const option of THEIRS) socket.write(negotiation(DO, option));
      if ((await agreed) === undefined) throw new InputError("The server does not support RFC 2217.");

      const changed = port.setBaud(baud, signal);
      port.say(SET_DATASIZE, 8);
      port.say(SET_PARITY, NO_PARITY);
      port.say(SET_STOPSIZE, 1);
      port.say(SET_CONTROL, NO_FLOW_CONTROL);
      await changed;
      return port;
    } catch (error) {
      port.destroy();
      throw error;
    }
  }

  /** Sets control lines; the server need not answer. */
  setLines({ dtr, rts }: { readonly dtr?: boolean; readonly rts?: boolean }): void {
    if (dtr !== undefined) this.say(SET_CONTROL, dtr ? DTR_ON : DTR_OFF);
    if (rts !== undefined) this.say(SET_CONTROL, rts ? RTS_ON : RTS_OFF);
  }

  /** @throws InputError when the remote port does not support this baud rate */
  async setBaud(baud: number, signal: AbortSignal): Promise<void> {
    const answered = this.ask(SET_BAUDRATE, signal);
    const speed = new DataView(new ArrayBuffer(4));
    speed.setUint32(0, baud);
    this.say(SET_BAUDRATE, ...new Uint8Array(speed.buffer));
    const answer = await answered;
    const actual = answer && answer.length >= 4 ? new DataView(Uint8Array.from(answer).buffer).getUint32(0) : baud;
    if (actual !== baud)
      throw new InputError(`The remote serial port does not support ${baud} baud: it is set to ${actual}.`);
  }

  negotiated(verb: number, option: number): void {
    if (option === COM_PORT && verb === DONT) this.questions.get(OFFER)?.resolve(undefined);
    if (option === COM_PORT && (verb === DO || verb === WILL)) this.questions.get(OFFER)?.resolve([]);
    // An accepted request of ours needs no reply; requests for other options are refused.
    if (verb === DO && !OURS.includes(option)) this.socket.write(negotiation(WONT, option));
    if (verb === WILL && !THEIRS.includes(option))
      this.socket.write(negotiation(option === COM_PORT ? DO : DONT, option));
  }

  subnegotiated([option, what, ...bytes]: readonly number[]): void {
    if (option === COM_PORT && what !== undefined && what > ANSWER) this.questions.get(what - ANSWER)?.resolve(bytes);
  }

  override _read(): void {
    this.socket.resume();
  }

  override _write(bytes: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    this.socket.write(escapeData(bytes), done);
  }

  override _final(done: () => void): void {
    this.socket.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    for (const { resolve, reject } of this.questions.values())
      if (error === null) resolve(undefined);
      else reject(error);
    this.socket.destroy();
    done(error);
  }

  private say(what: number, ...bytes: number[]): void {
    this.socket.write(subnegotiation(COM_PORT, what, ...bytes));
  }

  /** The server's answer; undefined on refusal or timeout. */
  private async ask(what: number, signal: AbortSignal): Promise<readonly number[] | undefined> {
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve, reject) => {
        this.questions.set(what, { resolve, reject });
        timer = setTimeout(() => resolve(undefined), NEGOTIATION_TIMEOUT_MS);
        signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      });
    } finally {
      clearTimeout(timer);
      this.questions.delete(what);
    }
  }

  private finish(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.push(null);
  }
}

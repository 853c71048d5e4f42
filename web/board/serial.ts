import { InputError, printable } from "../../src/gpt/base/errors";
import type { Link } from "../../src/client/commands";
import { nameOf, type PortName } from "./last-port";

const BAUD = 115200;
/** Size of the receive buffer in bytes. */
const BUFFER_BYTES = 16384;
/** How long the reset line is held low, in milliseconds. */
const RESET_TIME = 100;
/** Attempts and their interval in milliseconds after a disconnect: a port may appear before its permissions are set. */
const MAX_FAILURES = 15;
const INTERVAL = 300;
/** Attempts after a reload: the page before may still be closing the port. */
const MAX_REOPENINGS = 4;

/** Receives the events of a cable. */
export interface CableListener {
  /** The port was opened or reopened. */
  onOpen(): void;
  /** Text was received, in any pieces. */
  onText(text: string): void;
  /** The connection was lost; the cable waits for the board. */
  onLost(): void;
  /** The port has reappeared, but cannot be opened. */
  onError(reason: Error): void;
}

/** A serial port of the browser: sends lines, receives text. It reconnects when the same board reappears. */
export class Cable implements Link {
  /** The chosen port, connected or not. */
  private port: SerialPort | undefined;
  private isOpen = false;
  private reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  private reading: Promise<void> = Promise.resolve();
  private isSearching = false;
  /** Counts what was closed, so that a port that is still being opened then is not taken. */
  private closings = 0;
  private readonly encoder = new TextEncoder();

  constructor(
    private readonly serial: Serial,
    private readonly listener: CableListener,
  ) {
    serial.addEventListener("connect", () => void this.search());
  }

  /**
   * Lets the user choose a port; undefined if they cancel.
   * @throws InputError when the browser refuses
   */
  async choose(): Promise<SerialPort | undefined> {
    try {
      return await this.serial.requestPort();
    } catch (error) {
      if (error instanceof DOMException && error.name === "NotFoundError") return undefined;
      throw new InputError(`The browser offers no port: ${reasonOf(error)}`);
    }
  }

  /** The port in use, as the browser names it; undefined if there is none. */
  get name(): PortName | undefined {
    return this.port && nameOf(this.port);
  }

  get isConnected(): boolean {
    return this.isOpen;
  }

  /**
   * Opens a port and reconnects to it when it is lost. If close() is called meanwhile, it stays closed.
   * @throws InputError when it cannot be opened
   */
  async open(port: SerialPort): Promise<void> {
    const { closings } = this;
    await openPort(port);
    if (closings === this.closings) this.adopt(port);
    else await port.close().catch(ignore);
  }

  /**
   * Opens a port that the user has let the page use before.
   * @throws InputError when it is not there, or cannot be opened
   */
  async openGranted(name: PortName): Promise<void> {
    const ports = await this.serial.getPorts();
    const port = ports.find((port) => isThere(port) && isSame(nameOf(port), name));
    if (!port) throw new InputError("It is not plugged in.");
    const { closings } = this;
    for (let failures = 0; closings === this.closings;) {
      try {
        await this.open(port);
        return;
      } catch (error) {
        if (++failures === MAX_REOPENINGS) throw error;
        await pause(INTERVAL);
      }
    }
  }

  /** Opens a port that may be absent now and reappear later. */
  async openAgain(port: SerialPort): Promise<void> {
    this.port = port;
    await this.search();
  }

  /** The port that stands for the same board now, if it is there: it is another one after the board was unplugged. */
  async present(port: SerialPort): Promise<SerialPort> {
    const ports = await this.serial.getPorts();
    return ports.find((other) => isThere(other) && isSameBoard(other, port)) ?? port;
  }

  /** Closes the port and returns it. */
  async close(): Promise<SerialPort | undefined> {
    const { port, isOpen } = this;
    this.closings++;
    this.port = undefined;
    this.isOpen = false;
    await this.reader?.cancel().catch(ignore);
    await this.reading;
    if (isOpen) await port?.close().catch(ignore);
    return port;
  }

  /** Resets the board. */
  async reset(): Promise<void> {
    const { port } = this;
    // RTS pulls EN low (reset); DTR off selects boot from flash.
    await port?.setSignals({ dataTerminalReady: false, requestToSend: true });
    await pause(RESET_TIME);
    await port?.setSignals({ dataTerminalReady: false, requestToSend: false });
  }

  send(line: string): void {
    const stream = this.isOpen ? this.port?.writable : undefined;
    if (!stream || stream.locked) return;
    const writer = stream.getWriter();
    // The reader detects a lost connection.
    writer.write(this.encoder.encode(`${line}\n`)).catch(ignore);
    writer.releaseLock();
  }

  now(): number {
    return performance.now();
  }

  after(milliseconds: number, call: () => void): () => void {
    const timer = setTimeout(call, milliseconds);
    return () => clearTimeout(timer);
  }

  private adopt(port: SerialPort): void {
    this.port = port;
    this.isOpen = true;
    this.reading = this.read(port);
    this.listener.onOpen();
  }

  /** Reads until the port is closed or lost. */
  private async read(port: SerialPort): Promise<void> {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    const isOurs = (): boolean => this.isOpen && this.port === port;
    let isAtEnd = false;
    while (isOurs() && !isAtEnd && port.readable) {
      const reader = (this.reader = port.readable.getReader());
      try {
        for (;;) {
          const { value, done } = await reader.read();
          isAtEnd = done;
          if (done || !isOurs()) break;
          this.listener.onText(decoder.decode(value, { stream: true }));
        }
      } catch (error) {
        // After a break or an overrun the port has a new reader; a lost port has none.
        if (!(error instanceof DOMException)) throw error;
      } finally {
        reader.releaseLock();
      }
    }
    if (!isOurs()) return;
    this.isOpen = false;
    await port.close().catch(ignore);
    if (this.port !== port) return;
    this.listener.onLost();
    // The port may have reappeared before the loss was detected.
    void this.search();
  }

  /** Opens the lost port if it has reappeared. */
  private async search(): Promise<void> {
    const { port: lost } = this;
    if (!lost || this.isOpen || this.isSearching) return;
    this.isSearching = true;
    try {
      for (let failures = 0; this.port === lost;) {
        const ports = await this.serial.getPorts();
        const found = ports.find((port) => isThere(port) && isSameBoard(port, lost));
        if (!found) return;
        try {
          await openPort(found);
        } catch (error) {
          if (++failures === MAX_FAILURES) throw error;
          await pause(INTERVAL);
          continue;
        }
        // The user may have disconnected meanwhile.
        if (this.port === lost) this.adopt(found);
        else await found.close().catch(ignore);
        return;
      }
    } catch (error) {
      this.listener.onError(error as Error);
    } finally {
      this.isSearching = false;
    }
  }
}

async function openPort(port: SerialPort): Promise<void> {
  try {
    await port.open({ baudRate: BAUD, bufferSize: BUFFER_BYTES });
  } catch (error) {
    throw new InputError(
      `The port could not be opened: ${reasonOf(error)} Another program or tab may use it, ` +
        "or you may not be allowed to (on Linux: add yourself to group dialout).",
    );
  }
}

/** Whether the port is connected; not every browser reports it. */
function isThere(port: Partial<SerialPort>): boolean {
  return port.connected ?? true;
}

/** Whether two ports belong to the same board, as far as the browser tells. */
function isSameBoard(port: SerialPort, other: SerialPort): boolean {
  if (port === other) return true;
  const name = nameOf(port);
  return name.vendor !== undefined && isSame(name, nameOf(other));
}

function isSame(one: PortName, other: PortName): boolean {
  return one.vendor === other.vendor && one.product === other.product;
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `${printable(message.replace(/^Failed to execute '\w+' on '\w+': |\.+$/g, ""), 200)}.`;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function ignore(): void {
  // The port is already lost.
}

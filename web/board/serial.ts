import { InputError, printable } from "../../src/gpt/base/errors";
import type { Link } from "../../src/client/commands";

const BAUD = 115200;
/** Bytes that wait until the page reads them. */
const BUFFER_BYTES = 16384;
/** How long the reset line of a board is held, in milliseconds. */
const RESET_TIME = 100;
/** A port that has just come back may for a moment belong to nobody: so often it is tried, in such intervals. */
const MAX_FAILURES = 15;
const INTERVAL = 300;

/** Who is told what happens at the other end of the cable. */
export interface CableListener {
  /** The port is open, at first or again. */
  onOpen(): void;
  /** Text has come, in any pieces. */
  onText(text: string): void;
  /** It was pulled out, or the board has gone: it is waited for. */
  onLost(): void;
  /** It is there again, but cannot be opened. */
  onError(reason: Error): void;
}

/** A serial port of the browser: lines one way, text the other. It takes the same board up again when that comes back. */
export class Cable implements Link {
  /** That of the board, whether it is there or not. */
  private port: SerialPort | undefined;
  private isOpen = false;
  private reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  private reading: Promise<void> = Promise.resolve();
  private isSearching = false;
  private readonly encoder = new TextEncoder();

  constructor(
    private readonly serial: Serial,
    private readonly listener: CableListener,
  ) {
    serial.addEventListener("connect", () => void this.search());
  }

  /**
   * Lets the user choose a port; undefined when none is chosen.
   * @throws InputError when the browser does not let them
   */
  async choose(): Promise<SerialPort | undefined> {
    try {
      return await this.serial.requestPort();
    } catch (error) {
      if (error instanceof DOMException && error.name === "NotFoundError") return undefined;
      throw new InputError(`The browser gives no port: ${reasonOf(error)}`);
    }
  }

  /**
   * Opens a port, and keeps to it.
   * @throws InputError when that cannot be done
   */
  async open(port: SerialPort): Promise<void> {
    await openPort(port);
    this.adopt(port);
  }

  /** Opens a port that may be away for a moment, or comes back later. */
  async openAgain(port: SerialPort): Promise<void> {
    this.port = port;
    await this.search();
  }

  /** Lets the port go; returns it. */
  async close(): Promise<SerialPort | undefined> {
    const { port, isOpen } = this;
    this.port = undefined;
    this.isOpen = false;
    await this.reader?.cancel().catch(ignore);
    await this.reading;
    if (isOpen) await port?.close().catch(ignore);
    return port;
  }

  /** Restarts the board. */
  async reset(): Promise<void> {
    const { port } = this;
    // RTS pulls the board's EN down; DTR off lets it start from flash.
    await port?.setSignals({ dataTerminalReady: false, requestToSend: true });
    await pause(RESET_TIME);
    await port?.setSignals({ dataTerminalReady: false, requestToSend: false });
  }

  send(line: string): void {
    const stream = this.isOpen ? this.port?.writable : undefined;
    if (!stream || stream.locked) return;
    const writer = stream.getWriter();
    // A cable that was pulled is noticed where it is read.
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

  /** Until it is closed, or the board has gone. */
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
        // After a break or an overrun it can be read on; a port that has gone cannot be read at all.
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
    // It may have come back before that was noticed.
    void this.search();
  }

  /** Opens the port that was lost, if it is there. */
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
        // Somebody may have had enough of waiting.
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
      `The port could not be opened: ${reasonOf(error)} Another program or another tab may have it, ` +
        "or you may not be allowed to (on Linux: add yourself to group dialout).",
    );
  }
}

/** Not every browser says that it is not. */
function isThere(port: Partial<SerialPort>): boolean {
  return port.connected ?? true;
}

/** As far as a browser tells boards apart. */
function isSameBoard(port: SerialPort, other: SerialPort): boolean {
  if (port === other) return true;
  const [a, b] = [port.getInfo(), other.getInfo()];
  return a.usbVendorId !== undefined && a.usbVendorId === b.usbVendorId && a.usbProductId === b.usbProductId;
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `${printable(message.replace(/^Failed to execute '\w+' on '\w+': |\.+$/g, ""), 200)}.`;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function ignore(): void {
  // The port has gone already.
}

import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import type { Port } from "../../src/flasher/library";
import { openLine, restart, type SerialLine, usbIdsOf } from "../monitor/connection";

/** How long the other side may take to close, in milliseconds. */
const CLOSE_TIMEOUT_MS = 300;

interface Signals {
  readonly dataTerminalReady?: boolean;
  readonly requestToSend?: boolean;
}

/** As much of the browser's SerialPort as esptool-js uses, over any port that the monitor can open. */
export class LinePort implements Port {
  /** Null while the port is closed, and once the board has gone. */
  readable: ReadableStream<Uint8Array> | null = null;
  writable: WritableStream<Uint8Array> | null = null;
  /** Whether DTR and RTS could be set whenever that was wanted, so that the board can be reset from here. */
  hasSignals = true;
  private line: SerialLine | undefined;
  /** Ends what is read with an error. */
  private fail: (error: Error) => void = () => undefined;
  private readonly listeners = new Set<() => void>();
  private isAbandoned = false;
  private restartsAtEnd = false;

  private constructor(
    private readonly name: string,
    private readonly info: { readonly usbVendorId?: number; readonly usbProductId?: number },
    private readonly ending: AbortSignal,
  ) {}

  /**
   * The port by its name, closed.
   * @param ending gives up opening it
   */
  static async of(name: string, ending: AbortSignal): Promise<LinePort> {
    const { vendor, product } = await usbIdsOf(name);
    const isUsb = vendor !== undefined && product !== undefined;
    return new LinePort(name, isUsb ? { usbVendorId: vendor, usbProductId: product } : {}, ending);
  }

  getInfo(): { readonly usbVendorId?: number; readonly usbProductId?: number } {
    return this.info;
  }

  /** @throws InputError when it cannot be opened */
  async open({ baudRate }: { readonly baudRate: number }): Promise<void> {
    const line = await openLine({ port: this.name, baud: baudRate }, this.ending);
    if (this.isAbandoned) {
      line.stream.destroy();
      throw lost();
    }
    this.line = line;
    const { stream } = line;
    const lose = (): void => {
      if (this.line === line) this.lose();
    };
    stream.on("error", lose).on("end", lose).on("close", lose);
    this.readable = new ReadableStream({
      start: (controller) => {
        const take = (bytes: Uint8Array): void => controller.enqueue(bytes);
        stream.on("data", take);
        this.fail = (error) => {
          stream.off("data", take);
          controller.error(error);
        };
      },
      cancel: () => this.fail(lost()),
    });
    this.writable = new WritableStream({
      write: (bytes) =>
        new Promise((resolve, reject) => {
          stream.write(bytes, (error) => {
            if (error) reject(error);
            else resolve();
          });
        }),
    });
  }

  async close(): Promise<void> {
    const { line } = this;
    this.line = undefined;
    this.readable = this.writable = null;
    if (!line) return;
    const { stream } = line;
    if (this.restartsAtEnd) await restart(line).catch(() => undefined);
    if (stream.closed) return;
    const closed = once(stream, "close").catch(() => undefined);
    // What has been said last, as that the reset line is let go, still gets to a server.
    stream.resume().end();
    if (line.isRemote) await Promise.race([closed, setTimeout(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    stream.destroy();
    await closed;
  }

  /** What is left out stays as it is. A board that has been left behind is still let out of its reset. */
  async setSignals({ dataTerminalReady: dtr, requestToSend: rts }: Signals): Promise<void> {
    const { line } = this;
    if (!line) throw lost();
    const { control } = line;
    try {
      if (!control) this.hasSignals = false;
      await control?.setLines({ ...(dtr === undefined ? {} : { dtr }), ...(rts === undefined ? {} : { rts }) });
    } catch (error) {
      // As of a pseudo-terminal, which another program has put in the place of a serial port.
      if (!/ENOTTY|Inappropriate ioctl/i.test(String(error))) throw error;
      this.hasSignals = false;
    }
  }

  /** esptool-js then does not close and open the port, which could reset the board. */
  async setBaudRate(baud: number): Promise<void> {
    if (!this.line || !this.readable) throw lost();
    await this.line.control?.setBaud(baud);
  }

  addEventListener(_type: "disconnect", listener: () => void): void {
    this.listeners.add(listener);
  }

  removeEventListener(_type: "disconnect", listener: () => void): void {
    this.listeners.delete(listener);
  }

  /**
   * Leaves what is under way behind, at once, as when the cable is pulled.
   * @param restarts the board, when the port is closed
   */
  abandon(restarts: boolean): void {
    this.isAbandoned = true;
    this.restartsAtEnd = restarts;
    this.lose();
  }

  private lose(): void {
    if (this.readable) this.fail(lost());
    this.readable = this.writable = null;
    for (const listener of this.listeners) listener();
  }
}

/** As Web Serial says it. */
function lost(): Error {
  return new Error("The device has been lost.");
}

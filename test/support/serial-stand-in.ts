import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Page } from "playwright-core";

/**
 * A serial port for a browser that has none, with a cable that can be pulled out. It carries bytes to a TCP port and
 * back, as the browser's own does to a board, and knows nothing of them.
 */
export class SerialStandIn {
  /** What has come from the board. */
  said = "";
  /** What has gone to the board. */
  heard = "";
  /** Called when something was carried. */
  carried: () => void = () => undefined;
  /** What the page has set its signals to, as JSON. */
  readonly signals: string[] = [];
  private isPlugged = true;
  private socket: Socket | undefined;
  private arrived: Buffer[] = [];
  private wakeReader: () => void = () => undefined;
  private readonly events: string[] = [];
  private wakeListener: () => void = () => undefined;

  private constructor(private port: number) {}

  /** @param port where the board listens */
  static async attach(page: Page, port: number): Promise<SerialStandIn> {
    const standIn = new SerialStandIn(port);
    await page.exposeBinding("serialFarSide", (_, what: string, data: string) => standIn.ask(what, data));
    await page.addInitScript(browserSide);
    page.on("close", () => standIn.socket?.destroy());
    return standIn;
  }

  /** Pulls the cable out. */
  pull(): void {
    this.isPlugged = false;
    this.socket?.destroy();
    this.tell("disconnect");
  }

  /** Plugs it in again. @param port where another board listens */
  plug(port = this.port): void {
    this.port = port;
    this.isPlugged = true;
    this.tell("connect");
  }

  private ask(what: string, data: string): Promise<string | null> | string | null {
    switch (what) {
      case "isPlugged":
        return this.isPlugged ? "yes" : null;
      case "open":
        return this.open();
      case "read":
        return this.read();
      case "write":
        this.heard += Buffer.from(data, "base64").toString();
        this.socket?.write(Buffer.from(data, "base64"));
        this.carried();
        return null;
      case "close":
        this.socket?.destroy();
        this.socket = undefined;
        return null;
      case "signals":
        this.signals.push(data);
        return null;
      case "event":
        return this.nextEvent();
      default:
        throw new Error(what);
    }
  }

  private async open(): Promise<string | null> {
    if (!this.isPlugged) return null;
    const socket = connect(this.port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      this.arrived.push(bytes);
      this.said += bytes.toString();
      this.wakeReader();
      this.carried();
    });
    socket.on("close", () => this.wakeReader());
    try {
      await once(socket, "connect");
    } catch {
      return null;
    }
    this.arrived = [];
    this.socket = socket;
    return "open";
  }

  /** All that has come, as base64; null when the cable is out. */
  private async read(): Promise<string | null> {
    const { socket } = this;
    while (this.arrived.length === 0 && socket && !socket.destroyed)
      await new Promise<void>((wake) => (this.wakeReader = wake));
    if (!socket || socket.destroyed) return null;
    const bytes = Buffer.concat(this.arrived);
    this.arrived = [];
    return bytes.toString("base64");
  }

  private async nextEvent(): Promise<string | null> {
    while (this.events.length === 0) await new Promise<void>((wake) => (this.wakeListener = wake));
    return this.events.shift() ?? null;
  }

  private tell(event: string): void {
    this.events.push(event);
    this.wakeListener();
  }
}

/** Runs in the browser, before the page: puts a `navigator.serial` there as https://wicg.github.io/serial has it. */
function browserSide(): void {
  type Ask = (what: string, data?: string) => Promise<string | null>;
  const ask: Ask = (globalThis as unknown as { serialFarSide: Ask }).serialFarSide;

  const toBase64 = (bytes: Uint8Array): string => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  const fromBase64 = (text: string): Uint8Array => Uint8Array.from(atob(text), (digit) => digit.charCodeAt(0));

  class Port extends EventTarget {
    connected = true;
    readable: ReadableStream<Uint8Array> | null = null;
    writable: WritableStream<Uint8Array> | null = null;
    private isOpen = false;

    getInfo(): object {
      return { usbVendorId: 0x10c4, usbProductId: 0xea60 };
    }

    async open(): Promise<void> {
      if (this.isOpen) throw new DOMException("The port is already open.", "InvalidStateError");
      if ((await ask("open")) === null) throw new DOMException("Failed to open serial port.", "NetworkError");
      this.isOpen = true;
      this.readable = new ReadableStream<Uint8Array>(
        {
          pull: async (controller) => {
            const bytes = await ask("read");
            if (bytes !== null) controller.enqueue(fromBase64(bytes));
            else if (this.isOpen) {
              this.readable = this.writable = null;
              controller.error(new DOMException("The device has been lost.", "NetworkError"));
            }
          },
        },
        { highWaterMark: 0 },
      );
      this.writable = new WritableStream<Uint8Array>({
        write: async (bytes) => void (await ask("write", toBase64(bytes))),
      });
    }

    async close(): Promise<void> {
      if (!this.isOpen) throw new DOMException("The port is already closed.", "InvalidStateError");
      if (this.readable?.locked || this.writable?.locked) throw new TypeError("Cannot cancel a locked stream");
      this.isOpen = false;
      this.readable = this.writable = null;
      await ask("close");
    }

    async setSignals(signals: object): Promise<void> {
      await ask("signals", JSON.stringify(signals));
    }
  }

  class Stand extends EventTarget {
    private port: Port | undefined;
    private isGranted = false;

    constructor() {
      super();
      void this.listen();
    }

    async getPorts(): Promise<Port[]> {
      const port = await this.pluggedIn();
      return port && this.isGranted ? [port] : [];
    }

    async requestPort(): Promise<Port> {
      const port = await this.pluggedIn();
      if (!port) throw new DOMException("No port selected by the user.", "NotFoundError");
      this.isGranted = true;
      return port;
    }

    private async pluggedIn(): Promise<Port | undefined> {
      if ((await ask("isPlugged")) === null) return undefined;
      return (this.port ??= new Port());
    }

    private async listen(): Promise<void> {
      for (;;) {
        const type = (await ask("event")) ?? "";
        if (type === "disconnect") {
          // What is plugged in again is another port to the browser.
          if (this.port) this.port.connected = false;
          this.port = undefined;
        }
        this.dispatchEvent(new Event(type));
      }
    }
  }

  const { navigator } = globalThis as unknown as { navigator: object };
  Object.defineProperty(navigator, "serial", { value: new Stand(), configurable: true });
}

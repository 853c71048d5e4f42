/**
 * Runs in the browser, before the page: puts a `navigator.serial` there that does what
 * https://wicg.github.io/serial says, and asks the far side of the cable for everything.
 */
export function installWebSerial(): void {
  type Ask = (what: string, data?: string) => Promise<string | null>;
  const ask: Ask = (globalThis as unknown as { serialFarSide: Ask }).serialFarSide;
  const { navigator } = globalThis as unknown as { navigator: { userActivation: { isActive: boolean } } };

  const toBase64 = (bytes: Uint8Array): string => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  const fromBase64 = (text: string): Uint8Array => Uint8Array.from(atob(text), (digit) => digit.charCodeAt(0));
  const lost = (): DOMException => new DOMException("The device has been lost.", "NetworkError");

  class Port extends EventTarget {
    connected = true;
    private state: "closed" | "opening" | "opened" = "closed";
    private isLost = false;
    private incoming: ReadableStream<Uint8Array> | undefined;
    private outgoing: WritableStream<Uint8Array> | undefined;

    /** A new one after one that was cancelled; none once the device has gone. */
    get readable(): ReadableStream<Uint8Array> | null {
      if (this.state !== "opened" || this.isLost) return null;
      this.incoming ??= new ReadableStream<Uint8Array>(
        { pull: (controller) => this.pull(controller), cancel: () => void (this.incoming = undefined) },
        { highWaterMark: 0 },
      );
      return this.incoming;
    }

    get writable(): WritableStream<Uint8Array> | null {
      if (this.state !== "opened" || this.isLost) return null;
      const end = (): void => void (this.outgoing = undefined);
      this.outgoing ??= new WritableStream<Uint8Array>({
        write: async (bytes) => {
          if (this.connected && (await ask("write", toBase64(bytes))) !== null) return;
          this.lose();
          throw lost();
        },
        close: end,
        abort: end,
      });
      return this.outgoing;
    }

    getInfo(): object {
      return { usbVendorId: 0x10c4, usbProductId: 0xea60 };
    }

    async open({ baudRate }: { baudRate: number }): Promise<void> {
      if (this.state === "opening")
        throw new DOMException("A call to open() is already in progress.", "InvalidStateError");
      if (this.state === "opened") throw new DOMException("The port is already open.", "InvalidStateError");
      this.state = "opening";
      const isOpened = this.connected && (await ask("open", String(baudRate))) !== null;
      this.state = isOpened ? "opened" : "closed";
      this.isLost = false;
      if (!isOpened) throw new DOMException("Failed to open serial port.", "NetworkError");
    }

    async close(): Promise<void> {
      if (this.state !== "opened") throw new DOMException("The port is already closed.", "InvalidStateError");
      // Whoever still reads or writes keeps it open: these reject then.
      await Promise.all([this.incoming?.cancel(), this.outgoing?.abort()]);
      this.state = "closed";
      if (this.connected) await ask("close");
    }

    async setSignals(signals: object): Promise<void> {
      if (this.state !== "opened") throw new DOMException("The port is closed.", "InvalidStateError");
      if (!this.connected || (await ask("signals", JSON.stringify(signals))) === null)
        throw new DOMException("Failed to set control signals.", "NetworkError");
    }

    private async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
      const bytes = this.connected ? await ask("read") : null;
      if (bytes === null) {
        this.lose();
        controller.error(lost());
      } else if (bytes !== "") controller.enqueue(fromBase64(bytes));
    }

    private lose(): void {
      this.isLost = true;
      this.incoming = this.outgoing = undefined;
    }
  }

  class Serial extends EventTarget {
    /** That which is plugged in. */
    private port: Port | undefined;

    async getPorts(): Promise<Port[]> {
      return (await ask("granted")) === null ? [] : [this.present()];
    }

    async requestPort(): Promise<Port> {
      if (!navigator.userActivation.isActive)
        throw new DOMException("Must be handling a user gesture to show a permission request.", "SecurityError");
      if ((await ask("grant")) === null) throw new DOMException("No port selected by the user.", "NotFoundError");
      return this.present();
    }

    async listen(): Promise<void> {
      await ask("begin");
      for (;;) {
        const type = (await ask("event")) ?? "";
        // Of ports that it was not let to, a page hears nothing.
        if (type === "connect" && (await ask("granted")) !== null) this.present();
        const { port } = this;
        if (!port) continue;
        if (type === "disconnect") {
          port.connected = false;
          // What is plugged in again is another port to the browser.
          this.port = undefined;
        }
        port.dispatchEvent(new Event(type));
        this.dispatchEvent(Object.defineProperty(new Event(type), "target", { value: port }));
      }
    }

    private present(): Port {
      return (this.port ??= new Port());
    }
  }

  const serial = new Serial();
  Object.defineProperty(navigator, "serial", { value: serial, configurable: true });
  void serial.listen();
}

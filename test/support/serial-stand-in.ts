import type { Page } from "playwright-core";
import type { FarSide, Signals } from "./far-side";
import { installWebSerial } from "./web-serial";

/**
 * A serial port for a browser that has none, with a cable that can be pulled out. It carries bytes and signals to its
 * far side and back, as the browser's own does, and knows nothing of what they mean.
 */
export class SerialStandIn {
  /** What has come from the far side. */
  said = "";
  /** What the page has sent. */
  heard = "";
  /** Called when something is carried. */
  carried: () => void = () => undefined;
  /** Speeds at which the page has opened the port. */
  readonly speeds: number[] = [];
  /** What the page has set its signals to. */
  readonly signals: Signals[] = [];
  private isPlugged = true;
  private isGranted = false;
  private isOpen = false;
  private isHeld = false;
  private arrived: Buffer[] = [];
  private answerReader: ((bytes: string | null) => void) | undefined;
  private readonly events: string[] = [];
  private answerListener: ((event: string) => void) | undefined;

  private constructor(private farSide: FarSide) {}

  /** To be called before the page is loaded. */
  static async attach(page: Page, farSide: FarSide): Promise<SerialStandIn> {
    const standIn = new SerialStandIn(farSide);
    await page.exposeBinding("serialFarSide", (_, what: string, data: string) => standIn.ask(what, data));
    await page.addInitScript(installWebSerial);
    page.on("close", () => standIn.close());
    return standIn;
  }

  /** Pulls the cable out: what is under way is lost. */
  pull(): void {
    this.isPlugged = false;
    this.close();
    this.emit("disconnect");
  }

  /** Plugs it in again. @param farSide another board, when it is not the same */
  plug(farSide = this.farSide): void {
    this.farSide = farSide;
    this.isPlugged = true;
    this.emit("connect");
  }

  /** What comes from the far side waits. */
  hold(): void {
    this.isHeld = true;
  }

  letGo(): void {
    this.isHeld = false;
    this.deliver();
  }

  /** What the page's side asks for; null is for what cannot be. */
  private ask(what: string, data: string): Promise<string | null> | string | null {
    switch (what) {
      case "begin":
        // The page before has left its port behind.
        this.close();
        return "";
      case "grant":
        this.isGranted ||= this.isPlugged;
        return this.isPlugged ? "" : null;
      case "granted":
        return this.isGranted && this.isPlugged ? "" : null;
      case "open":
        return this.open(Number(data));
      case "read":
        return this.read();
      case "write":
        return this.write(Buffer.from(data, "base64"));
      case "signals":
        return this.setSignals(JSON.parse(data) as Signals);
      case "close":
        this.close();
        return "";
      case "event":
        return this.nextEvent();
      default:
        throw new Error(what);
    }
  }

  private async open(speed: number): Promise<string | null> {
    const { farSide } = this;
    if (!this.isPlugged) return null;
    this.speeds.push(speed);
    farSide.send = (bytes) => this.arrive(bytes);
    try {
      await farSide.open(speed);
    } catch {
      return null;
    }
    if (!this.canStayOpen(farSide)) return null;
    this.isOpen = true;
    return "";
  }

  /** The cable may have been pulled while it was opened. */
  private canStayOpen(farSide: FarSide): boolean {
    if (!this.isPlugged) farSide.close();
    return this.isPlugged;
  }

  private arrive(bytes: Buffer): void {
    if (!this.isOpen) return;
    this.arrived.push(bytes);
    this.said += bytes.toString();
    this.carried();
    this.deliver();
  }

  /** All that has come, as base64; "" when the port is closed or somebody else reads, null when the cable is out. */
  private read(): Promise<string | null> | null {
    if (!this.isOpen) return null;
    this.answerReader?.("");
    return new Promise((resolve) => {
      this.answerReader = resolve;
      this.deliver();
    });
  }

  private deliver(): void {
    if (this.isHeld || this.arrived.length === 0 || !this.answerReader) return;
    this.answerReader(Buffer.concat(this.arrived).toString("base64"));
    this.answerReader = undefined;
    this.arrived = [];
  }

  private write(bytes: Buffer): string | null {
    if (!this.isOpen) return null;
    this.heard += bytes.toString();
    this.farSide.receive(bytes);
    this.carried();
    return "";
  }

  private setSignals(signals: Signals): string | null {
    if (!this.isOpen) return null;
    this.signals.push(signals);
    this.farSide.setSignals(signals);
    return "";
  }

  private close(): void {
    if (this.isOpen) this.farSide.close();
    this.isOpen = false;
    this.arrived = [];
    this.answerReader?.(this.isPlugged ? "" : null);
    this.answerReader = undefined;
  }

  private nextEvent(): Promise<string> | string {
    return this.events.shift() ?? new Promise((resolve) => (this.answerListener = resolve));
  }

  private emit(event: string): void {
    if (this.answerListener) this.answerListener(event);
    else this.events.push(event);
    this.answerListener = undefined;
  }
}

/*
 * The built page in a browser, with a board's ROM loader behind its serial port. What stands in for
 * navigator.serial carries bytes and signals, and knows nothing of what they mean.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { ROOT } from "../helpers";
import type { RomLoader } from "./rom-loader";

const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".json": "application/json",
};

/** A folder with the page, and files of the test's own in its place or beside it. */
export class Site {
  readonly files = new Map<string, Buffer | string>();
  /** Paths that have been asked for. */
  readonly requests: string[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), "esp32gpt-page-"));
  private server: Server | undefined;

  /** Builds the page and serves it. */
  async start(): Promise<void> {
    const vite = join(ROOT, "node_modules", "vite", "bin", "vite.js");
    const options = ["build", "--config", "web/vite.config.mjs", "--outDir", this.folder, "--logLevel", "warn"];
    const { status, stderr } = spawnSync(process.execPath, [vite, ...options], { cwd: ROOT, encoding: "utf8" });
    if (status !== 0) throw new Error(`vite: ${stderr}`);
    this.server = createServer((request, response) => {
      const path = new URL(request.url ?? "", "http://x").pathname.slice(1) || "index.html";
      this.requests.push(path);
      const file = join(this.folder, path);
      const content = this.files.get(path) ?? (existsSync(file) && !path.startsWith("images/") && readFileSync(file));
      if (content === false) response.writeHead(404).end();
      else response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "text/plain" }).end(content);
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => this.server?.once("listening", resolve));
  }

  get address(): string {
    return `http://127.0.0.1:${(this.server?.address() as AddressInfo).port}/`;
  }

  stop(): void {
    this.server?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
}

/** What the page's side of the port calls, and what it can be told. */
interface Wire {
  serialOpen: (speed: number) => Promise<void>;
  serialClose: () => Promise<void>;
  serialSignals: (signals: { dataTerminalReady?: boolean; requestToSend?: boolean }) => Promise<void>;
  serialWrite: (base64: string) => Promise<void>;
  serialArrive: (base64: string) => void;
  serialPlug: (isPlugged: boolean) => void;
}

/** A board at the end of a cable. */
export interface Cable {
  /** Pulled: what was under way is lost, and nothing opens until it is plugged in again. */
  plug: (isPlugged: boolean) => Promise<void>;
  /** Speeds at which the page has opened the port. */
  readonly speeds: number[];
}

/** Connects what the page calls navigator.serial to a board. To be called before the page is loaded. */
export async function connectBoard(page: Page, rom: RomLoader): Promise<Cable> {
  const speeds: number[] = [];
  let isOpen = false;
  // In order, whatever the browser does in between.
  let arriving: Promise<unknown> = Promise.resolve();
  const tell = (run: () => Promise<unknown>): Promise<unknown> => (arriving = arriving.then(run, run));
  rom.send = (bytes) => {
    const base64 = bytes.toString("base64");
    if (isOpen)
      tell(() => page.evaluate((text) => (globalThis as unknown as Wire).serialArrive(text), base64)).catch(
        () => undefined,
      );
  };
  await page.exposeFunction("serialOpen", (speed: number) => {
    isOpen = true;
    speeds.push(speed);
    rom.open(speed);
  });
  await page.exposeFunction("serialClose", () => (isOpen = false));
  await page.exposeFunction("serialSignals", (signals: object) => rom.setSignals(signals));
  await page.exposeFunction("serialWrite", (base64: string) => rom.receive(Buffer.from(base64, "base64")));
  await page.addInitScript(installSerial);
  return {
    plug: async (isPlugged) => {
      if (!isPlugged) isOpen = false;
      await tell(() => page.evaluate((value) => (globalThis as unknown as Wire).serialPlug(value), isPlugged));
    },
    speeds,
  };
}

/** Runs in the page. */
function installSerial(): void {
  const wire = globalThis as unknown as Wire;
  const lost = (): DOMException => new DOMException("The device has been lost.", "NetworkError");
  let isPlugged = true;
  let isOpen = false;
  let incoming: ReadableStreamDefaultController<Uint8Array> | undefined;

  class Port extends EventTarget {
    readable: ReadableStream<Uint8Array> | null = null;
    writable: WritableStream<Uint8Array> | null = null;

    async open({ baudRate }: { baudRate: number }): Promise<void> {
      if (isOpen) throw new DOMException("The port is already open.", "InvalidStateError");
      if (!isPlugged) throw new DOMException("Failed to open serial port.", "NetworkError");
      isOpen = true;
      await wire.serialOpen(baudRate);
      this.readable = new ReadableStream<Uint8Array>({ start: (controller) => void (incoming = controller) });
      this.writable = new WritableStream<Uint8Array>({
        write: async (bytes) => {
          if (!isPlugged) throw lost();
          await wire.serialWrite(btoa(String.fromCharCode(...bytes)));
        },
      });
    }

    async close(): Promise<void> {
      if (!isOpen) throw new DOMException("The port is already closed.", "InvalidStateError");
      if (this.readable?.locked || this.writable?.locked) throw new TypeError("Cannot cancel a locked stream");
      isOpen = false;
      this.readable = this.writable = null;
      await wire.serialClose();
    }

    async setSignals(signals: object): Promise<void> {
      if (!isOpen || !isPlugged) throw new DOMException("The port is closed.", "InvalidStateError");
      await wire.serialSignals(signals);
    }

    getInfo(): object {
      return { usbVendorId: 0x10c4, usbProductId: 0xea60 };
    }
  }

  const port = new Port();
  wire.serialArrive = (base64) => {
    if (isPlugged && isOpen) incoming?.enqueue(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
  };
  wire.serialPlug = (value) => {
    isPlugged = value;
    if (value) return;
    if (isOpen) incoming?.error(lost());
    port.readable = null;
    port.dispatchEvent(new Event("disconnect"));
  };
  const serial = Object.assign(new EventTarget(), {
    requestPort: () => Promise.resolve(port),
    getPorts: () => Promise.resolve([port]),
  });
  Object.defineProperty((globalThis as unknown as { navigator: object }).navigator, "serial", { value: serial });
}

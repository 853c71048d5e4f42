import settings from "mc/config";
import Resource from "Resource";
import Time from "time";
import Timer from "timer";
import { App } from "../app";
import { Console } from "../console";
import { InputError } from "../errors";
import { CREATION, type Room, SLOT_BYTES } from "../plan";
import { NO_USAGE, type Platform } from "../platform";
import { Random } from "../random";
import { typescriptOps } from "../typescript-ops";
import { device } from "./esp32/device";
import { nativeOps, skipLines } from "./ops/native-ops";
import { Serial } from "./serial";
import { readSettings } from "./settings";

const BAUD = 115200;
/** esp_reset_reason_t */
const RESET_REASONS = Object.freeze([
  "unknown",
  "power on",
  "external pin",
  "software",
  "panic",
  "interrupt watchdog",
  "task watchdog",
  "another watchdog",
  "deep sleep",
  "brownout",
  "SDIO",
]);

/** The firmware: the device program on the chip, and a console beside it. The SDK calls this at start. */
export default function main(): void {
  const { app: config, ops, transmit, receive } = readSettings(settings);
  let console: Console | undefined;
  const serial = device.openUart(BAUD, transmit, receive) ? new Serial((line) => console?.receive(line)) : undefined;
  const write = (text: string): void => (serial ? serial.write(text) : trace(text));
  const start = Time.ticks;

  // XS calls this when an exception or a lack of memory is about to restart the chip.
  Object.assign(globalThis, {
    abort(reason: string, exception?: unknown): boolean {
      write(`Restarting: ${exception instanceof Error ? `${reason}: ${exception.message}` : reason}\n`);
      serial?.flush();
      return true;
    },
  });

  const platform: Platform = {
    engine: device.name,
    names: new Uint8Array(new Resource("names.txt")),
    namesFile: "names.txt",
    skipLines,
    write,
    now: () => Time.delta(start),
    schedule: (slice) => void Timer.set(slice),
    room: () => roomOf(device.freeHeap(), device.largestPiece()),
    usage: () => NO_USAGE,
  };

  const free = device.freeHeap();
  if (free !== undefined)
    write(
      `Version ${settings.version ?? "unknown"}; free heap: ${free} bytes, ${device.largestPiece() ?? 0} of them in one piece; reset by: ` +
        `${RESET_REASONS[device.resetReason() ?? 0] ?? "unknown"}\n`,
    );
  try {
    const app = new App(platform, config, ops === "native" ? nativeOps : typescriptOps("f32"));
    console = new Console(platform, app, new Random(config.seed ^ 0x5bd1e995 || 1));
    app.start();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    write(`${error.message}\n`);
  }
}

/** What the machine has, and what it could still get. */
function roomOf(freeHeap: number | undefined, largestPiece = 0): Room | undefined {
  if (freeHeap === undefined) return undefined;
  const { chunks, slots, stack } = CREATION;
  return {
    total: chunks + (slots + stack) * SLOT_BYTES + freeHeap,
    largestPiece: Math.max(chunks, largestPiece),
  };
}

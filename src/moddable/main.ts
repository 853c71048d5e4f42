import { device } from "gpt/device";
import settings from "mc/config";
import Resource from "Resource";
import Time from "time";
import Timer from "timer";
import { Desk } from "../program/desk";
import { Device } from "../program/device";
import { CREATION, SLOT_BYTES } from "../plan";
import type { Platform, Room } from "../platform";
import { readPort, readSettings } from "../program/settings";
import { Station } from "../program/station";
import { printable } from "../errors";
import { typescriptOps } from "../model/typescript-ops";
import { nativeOps, textTools } from "./ops/native-ops";
import { openStorage } from "./storage";

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
  const station = openStation();
  const start = Time.ticks;
  sayWhyItRestarts(station);
  station.write(firstLine());
  const { storage, refusal } = openStorage();
  const platform: Platform = {
    place: device.name,
    names: new Uint8Array(new Resource("names.txt")),
    namesFile: "names.txt",
    textTools,
    storage,
    storageProblem: refusal,
    now: () => Time.delta(start),
    schedule: (slice) => void Timer.set(slice),
    room: () => roomOf(device.freeHeap(), device.largestPiece()),
  };
  void station.begin(() => {
    const program = new Device({
      platform,
      settings: readSettings(settings),
      provideOps: (_dtype, ops) => (ops === "typescript" ? typescriptOps("f32") : nativeOps),
      write: station.write,
      hasRoom: station.hasRoom,
      reboot() {
        station.flush();
        device.restart("as asked", undefined);
      },
    });
    return { controls: new Desk(program), log: program.log, run: () => program.run() };
  });
}

/** UART0 or USB as a console; trace() where they are somebody else's. */
function openStation(): Station {
  const { port, transmit, receive } = readPort(settings);
  let remark = "";
  let isOpen: boolean;
  try {
    isOpen = device.openPort(port, BAUD, transmit, receive);
  } catch {
    // Whoever listens at UART0's own pins learns why nothing comes elsewhere.
    isOpen = device.openPort("uart", BAUD, -1, -1);
    const wanted = port === "usb" ? "port=usb" : `transmit=${transmit}, receive=${receive}`;
    remark = `The chip cannot use ${wanted}: this is UART0 at its own pins.\n`;
  }
  const bytes = { read: device.readPort, write: device.writePort, flush: device.flushPort };
  const repeat = (callback: () => void, milliseconds: number): void => void Timer.repeat(callback, milliseconds);
  const station = new Station(isOpen ? bytes : undefined, repeat, (text) => trace(text));
  station.write(remark);
  return station;
}

/**
 * Makes the global function that XS calls when an exception or a lack of memory is about to restart the chip.
 * It restarts the chip itself: when it returns, the SDK (8.2.3, fxAbort) reads the message of an exception
 * that it has just cleared, which throws, and calls it again until the C stack is full. It makes nothing
 * new, as there may be no memory. When a stack is full it is not called; gpt-device.c then says so.
 */
function sayWhyItRestarts(station: Station): void {
  Object.assign(globalThis, {
    abort(reason: string, exception?: unknown): boolean {
      const message = exception instanceof Error ? exception.message : exception;
      if (station.isOpen) station.flush();
      else if (typeof message === "string") trace("Restarting: ", reason, ": ", message, "\n");
      else trace("Restarting: ", reason, "\n");
      device.restart(reason, message);
      return true;
    },
  });
}

function firstLine(): string {
  const free = device.freeHeap();
  if (free === undefined) return "";
  const { version = "unknown", codename = "unknown" } = settings;
  return (
    `Version ${printable(String(version))} "${printable(String(codename))}"; free heap: ${free} bytes, ` +
    `${device.largestPiece() ?? 0} of them in one piece; ` +
    `reset by: ${RESET_REASONS[device.resetReason() ?? 0] ?? "unknown"}\n`
  );
}

/** What the machine has, and what it could still get. */
function roomOf(freeHeap: number | undefined, largestPiece = 0): Room | undefined {
  if (freeHeap === undefined) return undefined;
  const { chunks, slots, stack } = CREATION;
  return { total: chunks + (slots + stack) * SLOT_BYTES + freeHeap, largestPiece };
}

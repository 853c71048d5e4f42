import { device } from "esp32gpt/chip";
import config from "mc/config";
import Resource from "Resource";
import Time from "time";
import Timer from "timer";
import type { Device } from "../device/device";
import { CREATION, SLOT_BYTES } from "../gpt/plan";
import type { Platform, MemoryBudget } from "../gpt/base/platform";
import { readPort, type Settings, settingsIn } from "../device/settings";
import { BOOT_LINES } from "../protocol/lines";
import { SerialConsole } from "../device/serial-console";
import { printable } from "../gpt/base/errors";
import type { ProvideOps } from "../gpt/model/ops";
import { typescriptOps } from "../gpt/model/typescript-ops";
import { datasetKernels } from "../gpt/native/native-ops";
import { bootMarker, countFailures, keepActivity, lineOfAccident, resetReason } from "./reset";
import { mount } from "./mount";
import { opsFor } from "../places/moddable/ops";
import { openStorage } from "../places/moddable/storage";
import { unattended } from "../gpt/base/unattended";

const BAUD = 115200;

/**
 * The firmware: the device program and its console. The SDK calls this at boot. src/firmware and src/places/moddable
 * are the only rooms of src/ that import Moddable's modules: they connect the engine-neutral program with the chip.
 */
export default function main(): void {
  const settings = settingsIn(config);
  const serialConsole = openSerialConsole(settings);
  const start = Time.ticks;
  let program: Device | undefined;
  sayWhyItRestarts(serialConsole);
  serialConsole.write(firstLine(settings));
  serialConsole.write(lineOfAccident());
  keepActivity(program);
  countFailures();
  const { storage, refusal } = mount(bootMarker, openStorage);
  const platform: Platform = {
    place: device.name,
    names: new Uint8Array(new Resource("names.txt")),
    namesFile: "names.txt",
    datasetKernels,
    storage,
    storageProblem: refusal,
    now: () => Time.delta(start),
    schedule(slice) {
      keepActivity(program);
      Timer.set(slice);
    },
    bootMarker,
    memoryBudget: () => roomOf(device.freeHeap(), device.largestPiece()),
  };
  const provideOps: ProvideOps = (dtype, ops) => {
    const fastest = opsFor(dtype);
    return ops === "typescript" ? typescriptOps(fastest.dtype) : fastest;
  };
  const reboot = (): void => {
    serialConsole.flush();
    device.restart("as asked", undefined);
  };
  const life = serialConsole.begin({ platform, settings, provideOps, reboot }, (made) => (program = made));
  unattended(life, platform);
}

/** Opens UART0 or USB as the console; output goes to trace() when xsbug uses the ports. */
function openSerialConsole(settings: Settings): SerialConsole {
  const { port, transmit, receive } = readPort(settings);
  let remark = "";
  let isOpen: boolean;
  try {
    isOpen = device.openPort(port, BAUD, transmit, receive);
  } catch {
    // Report the error on UART0's default pins, where a listener may be.
    isOpen = device.openPort("uart", BAUD, -1, -1);
    const wanted = port === "usb" ? "port=usb" : `transmit=${transmit}, receive=${receive}`;
    remark = `The chip cannot use ${wanted}: this is UART0 at its default pins.\n`;
  }
  const bytes = { read: device.readPort, write: device.writePort, flush: device.flushPort };
  const repeat = (callback: () => void, milliseconds: number): void => {
    Timer.repeat(callback, milliseconds);
  };
  const serialConsole = new SerialConsole(isOpen ? bytes : undefined, repeat, (text) => trace(text));
  serialConsole.write(remark);
  return serialConsole;
}

/**
 * Installs the global function that XS calls before an unhandled exception or a lack of memory restarts the chip.
 * The function restarts the chip itself: if it returned, the SDK (8.2.3, fxAbort) would read the message of an
 * exception that it has just cleared, which throws, and call it again until the C stack overflows. It allocates
 * nothing, as there may be no memory. It is not called on a stack overflow, which gpt_restart.c reports.
 */
function sayWhyItRestarts(serialConsole: SerialConsole): void {
  Object.assign(globalThis, {
    abort(reason: string, exception?: unknown): boolean {
      const message = exception instanceof Error ? exception.message : exception;
      if (serialConsole.isOpen) serialConsole.flush();
      else if (typeof message === "string") trace("Restarting: ", reason, ": ", message, "\n");
      else trace("Restarting: ", reason, "\n");
      device.restart(reason, message);
      return true;
    },
  });
}

function firstLine(settings: Settings): string {
  const free = device.freeHeap();
  if (free === undefined) return "";
  const { version = "unknown", codename = "unknown" } = settings;
  return (
    `Version ${printable(String(version))} "${printable(String(codename))}"; free heap: ${free} bytes, ` +
    `${device.largestPiece() ?? 0} of them in one piece${BOOT_LINES.resetBy}${resetReason()}\n`
  );
}

/** Memory that XS has allocated plus the free heap, in bytes; undefined when the heap is unknown. */
function roomOf(freeHeap: number | undefined, largestPiece = 0): MemoryBudget | undefined {
  if (freeHeap === undefined) return undefined;
  const { chunks, slots, stack } = CREATION;
  return { total: chunks + (slots + stack) * SLOT_BYTES + freeHeap, largestPiece };
}

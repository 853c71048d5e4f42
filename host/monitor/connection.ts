import { once } from "node:events";
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
} from "node:fs";
import { connect as connectSocket } from "node:net";
import { delimiter, join } from "node:path";
import type { Duplex } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { InputError, printable } from "../../src/gpt/base/errors";
import type { Port } from "./ports";
import { isPortMissing, reasonOf } from "./reasons";
import { RemoteSerialPort } from "./rfc2217";

/** How long the reset line is held low, in milliseconds. */
const RESET_TIME = 100;
/** Interval in milliseconds at which to check that the device file still exists. */
const WATCH_INTERVAL = 500;

/** The port does not exist, or the connection was refused. Trying again later may succeed. */
export class PortMissingError extends InputError {}

export interface ConnectionOptions {
  /** A device file, a COM port, tcp://host:port or rfc2217://host:port. */
  readonly port: string;
  readonly baud: number;
  /** Whether to reset the board first. */
  readonly reset: boolean;
}

/** Control lines of a serial port; those left out do not change. */
export interface Lines {
  readonly dtr?: boolean;
  readonly rts?: boolean;
}

/** An open connection to a board, and its controls. */
export interface SerialLine {
  /** Reads what the board sends, writes to it. */
  readonly stream: Duplex;
  /** Whether it runs over a network. */
  readonly isRemote: boolean;
  /** Undefined for plain TCP, which has neither control lines nor a baud rate. */
  readonly control?: {
    setLines(lines: Lines): Promise<void>;
    setBaud(baud: number): Promise<void>;
  };
}

/**
 * Connects to a board.
 * @param signal aborts the attempt; its reason is thrown
 * @throws PortMissingError when the port does not exist; InputError when it cannot be opened
 */
export async function connect({ reset, ...options }: ConnectionOptions, signal: AbortSignal): Promise<Duplex> {
  if (reset && isPlainTcp(options.port))
    throw new InputError("--reset is for serial ports and rfc2217://: a TCP connection has no reset line.");
  const line = await openLine(options, signal);
  try {
    if (reset) await restart(line);
    return line.stream;
  } catch (error) {
    line.stream.destroy();
    throw explained(options.port, error, signal);
  }
}

/** Like connect(), with access to the control lines and the baud rate. */
export async function openLine(options: Omit<ConnectionOptions, "reset">, signal: AbortSignal): Promise<SerialLine> {
  try {
    return await (isUrl(options.port) ? connectRemote(options, signal) : connectSerial(options));
  } catch (error) {
    throw explained(options.port, error, signal);
  }
}

/** Restarts a board, where that can be done from here. */
export async function restart({ control }: SerialLine): Promise<void> {
  // RTS pulls the board's EN down; DTR off lets it start from flash.
  await control?.setLines({ dtr: false, rts: true });
  await setTimeout(RESET_TIME);
  await control?.setLines({ rts: false });
}

function explained(port: string, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof InputError) return error;
  const message = `${printable(port, 200)} could not be opened: ${reasonOf(error)}.`;
  return isPortMissing(error) ? new PortMissingError(message) : new InputError(message);
}

/** Whether a port's name is that of a TCP connection, which carries bytes and nothing else. */
export function isPlainTcp(port: string): boolean {
  return /^(tcp|socket):/i.test(port);
}

function isUrl(port: string): boolean {
  return /^(tcp|socket|rfc2217):/i.test(port);
}

/** As esptool: socket:// is a plain TCP connection, and rfc2217:// may have query options. */
const ADDRESS =
  /^(?<scheme>tcp|socket|rfc2217):\/\/(?:\[(?<v6>[^\]]+)\]|(?<name>[^:/]+)):(?<port>\d{1,5})\/?(?:\?.*)?$/i;

async function connectRemote(
  { port: url, baud }: Omit<ConnectionOptions, "reset">,
  signal: AbortSignal,
): Promise<SerialLine> {
  const address: Record<string, string | undefined> | undefined = ADDRESS.exec(url)?.groups;
  if (address === undefined || Number(address.port) > 0xffff)
    throw new InputError(
      `${printable(url, 200)} is not an address: it must look like tcp://127.0.0.1:5555 or rfc2217://127.0.0.1:4000.`,
    );
  const socket = connectSocket({ host: address.v6 ?? address.name, port: Number(address.port) });
  try {
    await once(socket, "connect", { signal });
  } catch (error) {
    socket.on("error", () => undefined).destroy();
    throw error;
  }
  if (isPlainTcp(url)) return { stream: socket, isRemote: true };
  const port = await RemoteSerialPort.open(socket, baud, signal);
  const control = {
    setLines(lines: Lines) {
      port.setLines(lines);
      return Promise.resolve();
    },
    setBaud: (baud: number) => port.setBaud(baud, signal),
  };
  return { stream: port, isRemote: true, control };
}

async function connectSerial({ port: path, baud }: Omit<ConnectionOptions, "reset">): Promise<SerialLine> {
  const { SerialPort } = await import("serialport");
  // Opening asserts both DTR and RTS; with both asserted, boards neither reset nor enter the bootloader.
  const port = new SerialPort({ path, baudRate: baud, autoOpen: false });
  const opened = fileIdentity(path);
  await calledBack((done) => port.open(done));
  // The library's destroy() does not close the device.
  port._destroy = (error, done) => {
    if (port.isOpen) port.close(() => done(error));
    else done(error);
  };
  if (process.platform !== "win32") watch(path, opened, port);
  // The library resets lines that are left out.
  let lines = { dtr: true, rts: true };
  const control = {
    setLines(changed: Lines) {
      lines = { ...lines, ...changed };
      return calledBack((done) => port.set(lines, done));
    },
    setBaud: (baudRate: number) => calledBack((done) => port.update({ baudRate }, done)),
  };
  return { stream: port, isRemote: false, control };
}

function calledBack(work: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    work((error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/**
 * Detects an unplugged device: reads then report neither end of file nor an error, so check the device file. If the
 * device was replugged between two checks, its identity differs.
 */
function watch(path: string, opened: string | undefined, port: Duplex): void {
  const watching = setInterval(() => {
    if (opened === undefined || fileIdentity(path) !== opened) port.destroy(new Error(`${path} has gone`));
  }, WATCH_INTERVAL);
  port.once("close", () => clearInterval(watching));
}

/** Identity of the file at `path` and of its link target; undefined if there is none. */
function fileIdentity(path: string): string | undefined {
  try {
    const [link, target] = [lstatSync(path), statSync(path)];
    return [link.ino, link.birthtimeMs, target.dev, target.ino, target.rdev].join(" ");
  } catch {
    return undefined;
  }
}

/** The serial ports of this computer. */
export async function listPorts(): Promise<readonly Port[]> {
  // The library runs udevadm; if that is missing, the whole process ends.
  if (process.platform === "linux" && !isOnPath("udevadm")) return listDevices();
  const { SerialPort } = await import("serialport");
  return SerialPort.list();
}

/** USB vendor and product ID of a local serial port; empty for other ports. */
export async function usbIdsOf(path: string): Promise<{ readonly vendor?: number; readonly product?: number }> {
  if (isUrl(path)) return {};
  // One device has several names: links that udev makes, and the two kinds of port that macOS has.
  const nameOf = (name: string): string =>
    (existsSync(name) ? realpathSync(name) : name).replace(/^\/dev\/cu\./, "/dev/tty.").toUpperCase();
  const ports = await listPorts().catch(() => []);
  const port = ports.find((port) => nameOf(port.path) === nameOf(path));
  if (port?.vendorId === undefined || port.productId === undefined) return {};
  return { vendor: parseInt(port.vendorId, 16), product: parseInt(port.productId, 16) };
}

/** USB serial ports on a Linux without udev, for example in a container. */
function listDevices(): readonly Port[] {
  const folder = "/dev";
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^tty(USB|ACM)\d/.test(name))
    .map((name) => ({
      path: join(folder, name),
      vendorId: idOf(name, "idVendor"),
      productId: idOf(name, "idProduct"),
    }));
}

/** USB ID from sysfs: one level deeper for a USB converter than for a chip's native USB. */
function idOf(name: string, which: "idVendor" | "idProduct"): string | undefined {
  for (const up of ["..", join("..", "..")]) {
    const file = join("/sys/class/tty", name, "device", up, which);
    if (existsSync(file)) return readFileSync(file, "utf8").trim();
  }
  return undefined;
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

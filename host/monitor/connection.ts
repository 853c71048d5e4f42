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

/** How long the reset line of a board is held, in milliseconds. */
const RESET_TIME = 100;
/** How often to look whether a serial device is still there, in milliseconds. */
const WATCH_INTERVAL = 500;

/** There is no such port now, or nobody listens there: that may change. */
export class PortMissingError extends InputError {}

export interface ConnectionOptions {
  /** The device file or COM port, or tcp://host:port, or rfc2217://host:port. */
  readonly port: string;
  readonly baud: number;
  /** Restart the board first. */
  readonly reset: boolean;
}

/** The lines of a serial port; those that are left out stay as they are. */
export interface Lines {
  readonly dtr?: boolean;
  readonly rts?: boolean;
}

/** An open way to a board, with what can be set there. */
export interface SerialLine {
  /** What the board writes can be read, what is written it reads. */
  readonly stream: Duplex;
  /** Whether a network lies in between. */
  readonly isRemote: boolean;
  /** Undefined for a plain TCP connection, which has neither lines nor a speed. */
  readonly control?: {
    setLines(lines: Lines): Promise<void>;
    setBaud(baud: number): Promise<void>;
  };
}

/**
 * Opens the way to a board: what it writes can be read, what is written it reads.
 * @param signal gives up; what it was aborted with is thrown
 * @throws InputError when the port cannot be opened
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

/** As connect() does it, for who sets lines and speed. */
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

/** esptool calls a plain connection socket://, and lets an rfc2217:// be followed by its options. */
const ADDRESS =
  /^(?<scheme>tcp|socket|rfc2217):\/\/(?:\[(?<v6>[^\]]+)\]|(?<name>[^:/]+)):(?<port>\d{1,5})\/?(?:\?.*)?$/i;

async function connectRemote(
  { port: url, baud }: Omit<ConnectionOptions, "reset">,
  signal: AbortSignal,
): Promise<SerialLine> {
  const address: Record<string, string | undefined> | undefined = ADDRESS.exec(url)?.groups;
  if (address === undefined || Number(address.port) > 0xffff)
    throw new InputError(
      `${printable(url, 200)} is no address: it looks like tcp://127.0.0.1:5555 or rfc2217://127.0.0.1:4000.`,
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
  // It opens with DTR and RTS both on, which boards take as neither reset nor boot mode.
  const port = new SerialPort({ path, baudRate: baud, autoOpen: false });
  const opened = fileIdentity(path);
  await calledBack((done) => port.open(done));
  // The library's own destroy() leaves the device open.
  port._destroy = (error, done) => {
    if (port.isOpen) port.close(() => done(error));
    else done(error);
  };
  if (process.platform !== "win32") watch(path, opened, port);
  // The library sets what is left out as it likes it.
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
 * A device that was pulled out can be read without an end and without an error: its file tells. It may be there
 * again before one looks, as another one.
 */
function watch(path: string, opened: string | undefined, port: Duplex): void {
  const watching = setInterval(() => {
    if (opened === undefined || fileIdentity(path) !== opened) port.destroy(new Error(`${path} has gone`));
  }, WATCH_INTERVAL);
  port.once("close", () => clearInterval(watching));
}

/** Which file a path names now, itself and what it links to; undefined for none. */
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
  // The library asks udevadm, and without it ends the whole process.
  if (process.platform === "linux" && !isOnPath("udevadm")) return listDevices();
  const { SerialPort } = await import("serialport");
  return SerialPort.list();
}

/** Of the USB chip behind a serial port of this computer, as the system knows it; nothing for other ports. */
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

/** Serial ports over USB on a Linux without udev, as in a container. */
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

/** As the kernel has it: a converter's port lies a level deeper than a chip's own. */
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

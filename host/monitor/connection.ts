import { once } from "node:events";
import { accessSync, constants, existsSync, lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
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

/**
 * Connects to a board.
 * @param signal aborts the attempt; its reason is thrown
 * @throws PortMissingError when the port does not exist; InputError when it cannot be opened
 */
export async function connect(options: ConnectionOptions, signal: AbortSignal): Promise<Duplex> {
  try {
    return await (isUrl(options.port) ? connectRemote(options, signal) : connectSerial(options));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof InputError) throw error;
    const message = `${printable(options.port, 200)} could not be opened: ${reasonOf(error)}.`;
    throw isPortMissing(error) ? new PortMissingError(message) : new InputError(message);
  }
}

function isUrl(port: string): boolean {
  return /^(tcp|socket|rfc2217):/i.test(port);
}

/** As esptool: socket:// is a plain TCP connection, and rfc2217:// may have query options. */
const ADDRESS =
  /^(?<scheme>tcp|socket|rfc2217):\/\/(?:\[(?<v6>[^\]]+)\]|(?<name>[^:/]+)):(?<port>\d{1,5})\/?(?:\?.*)?$/i;

async function connectRemote({ port: url, baud, reset }: ConnectionOptions, signal: AbortSignal): Promise<Duplex> {
  const address: Record<string, string | undefined> | undefined = ADDRESS.exec(url)?.groups;
  if (address === undefined || Number(address.port) > 0xffff)
    throw new InputError(
      `${printable(url, 200)} is not an address: it must look like tcp://127.0.0.1:5555 or rfc2217://127.0.0.1:4000.`,
    );
  const isPlain = address.scheme?.toLowerCase() !== "rfc2217";
  if (isPlain && reset)
    throw new InputError("--reset is for serial ports and rfc2217://: a TCP connection has no reset line.");
  const socket = connectSocket({ host: address.v6 ?? address.name, port: Number(address.port) });
  try {
    await once(socket, "connect", { signal });
  } catch (error) {
    socket.on("error", () => undefined).destroy();
    throw error;
  }
  if (isPlain) return socket;
  const port = await RemoteSerialPort.open(socket, baud, signal);
  if (reset) {
    port.holdReset();
    await setTimeout(RESET_TIME, undefined, { signal });
    port.releaseReset();
  }
  return port;
}

async function connectSerial({ port: path, baud, reset }: ConnectionOptions): Promise<Duplex> {
  const { SerialPort } = await import("serialport");
  // Opening asserts both DTR and RTS; with both asserted, boards neither reset nor enter the bootloader.
  const port = new SerialPort({ path, baudRate: baud, autoOpen: false });
  const opened = fileIdentity(path);
  await new Promise<void>((resolve, reject) => {
    port.open((error) => {
      if (error) reject(error);
      else resolve();
    });
  });
  // The library's destroy() does not close the device.
  port._destroy = (error, done) => {
    if (port.isOpen) port.close(() => done(error));
    else done(error);
  };
  if (process.platform !== "win32") watch(path, opened, port);
  if (reset) {
    // RTS pulls EN low (reset); DTR off selects boot from flash.
    await setLines(port, { dtr: false, rts: true });
    await setTimeout(RESET_TIME);
    await setLines(port, { dtr: false, rts: false });
  }
  return port;
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

interface Lines {
  readonly dtr: boolean;
  readonly rts: boolean;
}

function setLines(
  port: { set: (lines: Lines, done: (error: Error | null) => void) => void },
  lines: Lines,
): Promise<void> {
  return new Promise((resolve, reject) => {
    port.set(lines, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** The serial ports of this computer. */
export async function listPorts(): Promise<readonly Port[]> {
  // The library runs udevadm; if that is missing, the whole process ends.
  if (process.platform === "linux" && !isOnPath("udevadm")) return listDevices();
  const { SerialPort } = await import("serialport");
  return SerialPort.list();
}

/** USB serial ports on a Linux without udev, for example in a container. */
function listDevices(): readonly Port[] {
  const folder = "/dev";
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^tty(USB|ACM)\d/.test(name))
    .map((name) => ({ path: join(folder, name), vendorId: vendorOf(name) }));
}

/** USB vendor ID from sysfs: one level deeper for a USB converter than for a chip's native USB. */
function vendorOf(name: string): string | undefined {
  for (const up of ["..", join("..", "..")]) {
    const file = join("/sys/class/tty", name, "device", up, "idVendor");
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

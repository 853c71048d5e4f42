import { once } from "node:events";
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { connect as connectSocket } from "node:net";
import { delimiter, join } from "node:path";
import type { Duplex } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { InputError } from "../../src/errors";
import type { Port } from "./ports";

/** How long the reset line of a board is held, in milliseconds. */
const RESET_TIME = 100;

export interface ConnectionOptions {
  /** The device file or COM port, or tcp://host:port. */
  readonly port: string;
  readonly baud: number;
  /** Restart the board first. */
  readonly reset: boolean;
}

/**
 * Opens the way to a board: what it writes can be read, what is written it reads.
 * @throws InputError when the port cannot be opened
 */
export async function connect(options: ConnectionOptions): Promise<Duplex> {
  try {
    return await (/^tcp:/i.test(options.port) ? connectTcp(options) : connectSerial(options));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${options.port} could not be opened: ${reason(error)}.`);
  }
}

async function connectTcp({ port, reset }: ConnectionOptions): Promise<Duplex> {
  const address: Record<string, string | undefined> | undefined =
    /^tcp:\/\/(?:\[(?<v6>[^\]]+)\]|(?<name>[^:/]+)):(?<port>\d+)\/?$/i.exec(port)?.groups;
  if (address === undefined || Number(address.port) > 0xffff)
    throw new InputError(`${port} is no address: it looks like tcp://127.0.0.1:5555.`);
  if (reset) throw new InputError("--reset is for serial ports: a TCP connection has no reset line.");
  const socket = connectSocket({ host: address.v6 ?? address.name, port: Number(address.port) });
  await once(socket, "connect");
  return socket;
}

async function connectSerial({ port: path, baud, reset }: ConnectionOptions): Promise<Duplex> {
  const { SerialPort } = await import("serialport");
  // It opens with DTR and RTS both on, which boards take as neither reset nor boot mode.
  const port = new SerialPort({ path, baudRate: baud, autoOpen: false });
  await new Promise<void>((resolve, reject) => {
    port.open((error) => {
      if (error) reject(error);
      else resolve();
    });
  });
  if (reset) {
    // RTS pulls the board's EN down; DTR off lets it start from flash.
    await setLines(port, { dtr: false, rts: true });
    await setTimeout(RESET_TIME);
    await setLines(port, { dtr: false, rts: false });
  }
  return port;
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
  // The library asks udevadm, and without it ends the whole process.
  if (process.platform === "linux" && !isOnPath("udevadm")) return listDevices();
  const { SerialPort } = await import("serialport");
  return SerialPort.list();
}

/** Serial ports over USB on a Linux without udev, as in a container. */
function listDevices(): readonly Port[] {
  const folder = "/dev";
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^tty(USB|ACM)\d/.test(name))
    .map((name) => ({ path: join(folder, name) }));
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

function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (/EACCES|permission denied/i.test(message)) return "permission denied (on Linux: add yourself to group dialout)";
  if (/ENOENT|no such file/i.test(message)) return "there is no such port";
  if (message.includes("ECONNREFUSED")) return "nobody listens there";
  if (/lock|busy|access denied/i.test(message)) return "another program uses it";
  return message.replace(/^Error: |\.$/g, "");
}

import { InputError, printable } from "../../src/gpt/base/errors";

/** A serial port, as the operating system describes it. */
export interface Port {
  readonly path: string;
  /** Of its USB chip, in hexadecimal digits. */
  readonly vendorId?: string | undefined;
  readonly productId?: string | undefined;
}

/** No board is connected now; trying again later may succeed. */
export class NoBoard extends InputError {}

/** Makers of the USB serial chips on ESP32 boards, by USB vendor ID. */
const VENDORS: ReadonlyMap<string, string> = new Map([
  ["10c4", "CP210x"],
  ["1a86", "CH34x"],
  ["0403", "FTDI"],
  ["303a", "Espressif"],
]);

/** Serial ports that macOS lists but that never have a board. */
const NO_BOARD = /[./](Bluetooth-Incoming-Port|debug-console|wlan-debug)$/;

/**
 * The port of the only board, recognised by the USB vendor ID.
 * @throws InputError when there are several boards
 * @throws NoBoard when there is none
 */
export function choosePort(all: readonly Port[]): string {
  const ports = all.filter(({ path }) => !NO_BOARD.test(path));
  const boards = ports.filter((port) => vendorOf(port) !== undefined);
  const [board, ...others] = boards;
  if (board && others.length === 0) return board.path;
  if (board) throw new InputError(`There are several boards: choose one with --port: ${list(boards)}.`);
  throw new NoBoard(
    "No board was found: plug one in, or give its port with --port" +
      (ports.length === 0 ? "; this computer has no serial port." : `: ${list(ports)}.`),
  );
}

/** The port in the environment variables that mcconfig and esptool use. */
export function environmentPort(env: NodeJS.ProcessEnv): string | undefined {
  return [env.UPLOAD_PORT, env.ESPTOOL_PORT].find((port) => port !== undefined && port !== "");
}

function vendorOf({ vendorId }: Port): string | undefined {
  return vendorId === undefined ? undefined : VENDORS.get(vendorId.toLowerCase());
}

function list(ports: readonly Port[]): string {
  return ports.map((port) => `${printable(port.path)}${describe(vendorOf(port))}`).join(", ");
}

function describe(vendor: string | undefined): string {
  return vendor === undefined ? "" : ` (${vendor})`;
}

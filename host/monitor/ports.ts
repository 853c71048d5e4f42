import { InputError, printable } from "../../src/gpt/base/errors";

/** A serial port of this computer, as the system describes it. */
export interface Port {
  readonly path: string;
  /** Of its USB chip, in hexadecimal digits. */
  readonly vendorId?: string | undefined;
  readonly productId?: string | undefined;
}

/** No board is there; that may change. */
export class NoBoard extends InputError {}

/** Who makes the USB chips of ESP32 boards, by their USB vendor id. */
const VENDORS: ReadonlyMap<string, string> = new Map([
  ["10c4", "CP210x"],
  ["1a86", "CH34x"],
  ["0403", "FTDI"],
  ["303a", "Espressif"],
]);

/** macOS lists these as serial ports; no board is behind them. */
const NO_BOARD = /[./](Bluetooth-Incoming-Port|debug-console|wlan-debug)$/;

/**
 * The port with a board: the only one with a chip by a known maker.
 * @throws InputError when there is more than one, or only ports of which it is not known what they are
 * @throws NoBoard when there is none
 */
export function choosePort(all: readonly Port[]): string {
  const ports = all.filter(({ path }) => !NO_BOARD.test(path));
  const boards = ports.filter((port) => vendorOf(port) !== undefined);
  if (boards.length === 1) return boards[0].path;
  if (boards.length > 1) throw new InputError(`There are several boards: name one with --port, of ${list(boards)}.`);
  throw new NoBoard(
    "No board was found: plug one in, or name its port with --port" +
      (ports.length === 0 ? "; this computer has no serial port." : `, of ${list(ports)}.`),
  );
}

/** The port that the environment names, as mcconfig and esptool have it. */
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

import { InputError, printable } from "../../src/errors";

/** A serial port of this computer, as the system describes it. */
export interface Port {
  readonly path: string;
  readonly vendorId?: string | undefined;
}

/** The port to open, and what there is to say about the choice. */
export interface Choice {
  readonly port: string;
  readonly remark?: string;
}

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
 * The port with a board: the only one by a known maker, else the only one on USB, else the only one.
 * @throws InputError when there is none, or more than one
 */
export function choosePort(all: readonly Port[]): Choice {
  const ports = all.filter(({ path }) => !NO_BOARD.test(path));
  const boards = ports.filter((port) => vendorOf(port) !== undefined);
  if (boards.length === 1) return { port: boards[0].path };
  if (boards.length > 1) throw new InputError(`There are several boards: name one with --port, of ${list(boards)}.`);
  const onUsb = ports.filter(({ vendorId }) => vendorId !== undefined);
  const candidates = onUsb.length > 0 ? onUsb : ports;
  if (candidates.length === 1) {
    const port = candidates[0].path;
    const remark = `${printable(port)} is taken: who makes it is not known, but there is no other serial port.`;
    return { port, remark };
  }
  throw new InputError(
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

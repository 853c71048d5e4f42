import { InputError } from "../../src/errors";

/** A serial port of this computer, as the system describes it. */
export interface Port {
  readonly path: string;
  readonly vendorId?: string | undefined;
}

/** Who makes the USB chips of ESP32 boards, by their USB vendor id. */
const VENDORS: ReadonlyMap<string, string> = new Map([
  ["10c4", "CP210x"],
  ["1a86", "CH34x"],
  ["0403", "FTDI"],
  ["303a", "Espressif"],
]);

/**
 * The port with a board.
 * @throws InputError when there is none, or more than one
 */
export function choosePort(ports: readonly Port[]): string {
  const boards = ports.filter((port) => vendorOf(port) !== undefined);
  if (boards.length === 1) return boards[0].path;
  if (boards.length > 1) throw new InputError(`There are several boards: name one with --port, of ${list(boards)}.`);
  throw new InputError(
    "No board was found: plug one in, or name its port with --port" +
      (ports.length === 0 ? "; this computer has no serial port." : `, of ${list(ports)}.`),
  );
}

function vendorOf({ vendorId }: Port): string | undefined {
  return vendorId === undefined ? undefined : VENDORS.get(vendorId.toLowerCase());
}

function list(ports: readonly Port[]): string {
  return ports.map((port) => `${port.path}${describe(vendorOf(port))}`).join(", ");
}

function describe(vendor: string | undefined): string {
  return vendor === undefined ? "" : ` (${vendor})`;
}

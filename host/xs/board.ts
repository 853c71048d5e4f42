import { SerialConsole } from "../../src/device/serial-console";
import type { ProvideOps } from "../../src/gpt/model/ops";
import type { Host } from "./host";
import { provideOps, usageSince, xsPlatform } from "./platform";
import { type BoardRequest, EXIT_REBOOT } from "./protocol";
import { unattended } from "../../src/gpt/base/unattended";

// Simulates a board: runs the device program inside XS, with its serial port on standard input and output. As on the
// device, all code is loaded into flash first, and only main() runs in the device's RAM.

declare const host: Host;

export default function main(): void {
  const { settings, namesFile, folder, dtype, memory } = JSON.parse(host.request) as BoardRequest;
  const platform = xsPlatform(host, namesFile, (name) => `${folder}/${name}`, memory);
  // At the end of the input, switch off once all of it is executed.
  const read = (bytes: Uint8Array): number => {
    const count = host.read(bytes);
    if (count >= 0) return count;
    if (serialConsole.finish()) {
      host.collect();
      host.fail(JSON.stringify(usageSince(host, 0)), 0);
    }
    return 0;
  };
  const serialConsole: SerialConsole = new SerialConsole({ read, write, flush: () => true }, repeat);
  const reboot = (): void => {
    serialConsole.flush();
    host.exit(EXIT_REBOOT);
  };
  const opsOfChip: ProvideOps = (wanted = dtype, ops) => provideOps(wanted, ops);
  const life = serialConsole.begin({ platform, settings, provideOps: opsOfChip, reboot });
  unattended(life, platform);
}

function write(bytes: Uint8Array, from: number, to: number): number {
  return host.send(bytes, from, to);
}

function repeat(callback: () => void, milliseconds: number): void {
  const again = (): void => {
    host.schedule(again, milliseconds);
    callback();
  };
  host.schedule(again, milliseconds);
}

import { Desk } from "../../src/program/desk";
import { Device } from "../../src/program/device";
import { readSettings } from "../../src/program/settings";
import { Station } from "../../src/program/station";
import type { Host } from "./host";
import { provideOps, usageSince, xsPlatform } from "./platform";
import { type BoardRequest, EXIT_REBOOT } from "./protocol";

// A board that is none: the device program inside XS, its serial port on standard input and output. As on the
// device, all of it is loaded into flash first, and only main() runs with the memory of the device.

declare const host: Host;

export default function main(): void {
  const { settings, namesFile, folder, room } = JSON.parse(host.request) as BoardRequest;
  const platform = xsPlatform(host, namesFile, (name) => `${folder}/${name}`, room);
  const station = new Station({ read, write, flush: () => true }, repeat);
  void station.begin(() => {
    const device = new Device({
      platform,
      settings: readSettings(settings),
      provideOps,
      write: station.write,
      hasRoom: station.hasRoom,
      reboot() {
        station.flush();
        host.exit(EXIT_REBOOT);
      },
    });
    return { controls: new Desk(device), log: device.log, run: () => device.run() };
  });
}

/** When the input ends, the power goes. */
function read(bytes: Uint8Array): number {
  const count = host.read(bytes);
  if (count < 0) {
    host.collect();
    host.fail(JSON.stringify(usageSince(host, 0)), 0);
  }
  return count;
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

import { runJob } from "../../src/program/job";
import { Runner } from "../../src/program/runner";
import type { Host } from "./host";
import { provideOps, usageSince, xsPlatform } from "./platform";
import { type Request, STOP, type WireEvent } from "./protocol";

// The program that runs inside XS: rollup bundles it with everything it imports. As on the device, all
// of it is loaded into flash first, and only main() runs with the memory of the device.

declare const host: Host;

/** Nobody is there any more. */
const EXIT_ORPHANED = 1;

export default function main(): void {
  const { job, namesFile, actual, room, tellsAllSteps } = JSON.parse(host.request) as Request;
  const pathOf = (name: string): string => (Object.hasOwn(actual, name) ? actual[name] : name);
  const platform = xsPlatform(host, namesFile, pathOf, room);
  const runner = new Runner(platform);
  let bytecodes = 0;

  const send = (event: WireEvent): void => host.write(`${JSON.stringify(event)}\n`);
  const tell = (event: WireEvent): void => {
    if (event.type === "trained") send(usageSince(host, bytecodes));
    send(event);
    if (event.type === "start") bytecodes = host.usage().bytecodes;
  };
  host.setLineListener((line) => {
    if (line === STOP) runner.stop();
    else if (line === undefined) host.exit(EXIT_ORPHANED);
  });
  void runJob(job, { platform, runner, tell, tellsAllSteps, provideOps }).then(() => host.setLineListener(undefined));
}

import { runJob } from "../../src/jobs/job";
import { Runner } from "../../src/gpt/base/runner";
import type { Host } from "./host";
import { provideOps, usageSince, xsPlatform } from "./platform";
import { FLUSHED, type Request, STOP, type WireEvent } from "./protocol";
import { unattended } from "../../src/gpt/base/unattended";

// The program that runs inside XS; rollup bundles it with its imports. As on the device, all code is loaded into
// flash first, and only main() runs in the device's RAM.

declare const host: Host;

/** Exit code when the parent process has closed standard input. */
const EXIT_ORPHANED = 1;

export default function main(): void {
  const { job, namesFile, actual, memory, emitsAllSteps, flushes } = JSON.parse(host.request) as Request;
  const pathOf = (name: string): string => (Object.hasOwn(actual, name) ? actual[name] : undefined) ?? name;
  const platform = xsPlatform(host, namesFile, pathOf, memory);
  const runner = new Runner(platform);
  let bytecodes = 0;

  const send = (event: WireEvent): void => host.write(`${JSON.stringify(event)}\n`);
  const emit = (event: WireEvent): void => {
    if (event.type === "trained") send(usageSince(host, bytecodes));
    send(event);
    if (event.type === "start") bytecodes = host.usage().bytecodes;
  };
  let flushed = (): void => undefined;
  const flush = (): Promise<void> =>
    new Promise((resolve) => {
      flushed = resolve;
      send({ type: "flush" });
    });
  host.setLineListener((line) => {
    if (line === STOP) runner.stop();
    else if (line === FLUSHED) flushed();
    else if (line === undefined) host.exit(EXIT_ORPHANED);
  });
  const work = runJob(job, { platform, runner, emit, emitsAllSteps, provideOps, ...(flushes && { flush }) });
  unattended(
    work.then(() => host.setLineListener(undefined)),
    platform,
  );
}

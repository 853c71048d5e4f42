import { InputError } from "../../src/errors";
import { runJob } from "../../src/program/job";
import { nativeOps, textTools } from "../../src/moddable/ops/native-ops";
import type { Dtype, Ops, OpsName } from "../../src/model/ops";
import type { NewFile, Platform } from "../../src/platform";
import { Runner } from "../../src/program/runner";
import { typescriptOps } from "../../src/model/typescript-ops";
import type { UsageReport } from "../statistics";
import type { Host } from "./host";
import { type Request, STOP, type WireEvent } from "./protocol";

// The program that runs inside XS: rollup bundles it with everything it imports. As on the device, all
// of it is loaded into flash first, and only main() runs with the memory of the device.

declare const host: Host;

/** Nobody is there any more. */
const EXIT_ORPHANED = 1;

export default function main(): void {
  const { job, namesFile, actual, room, tellsAllSteps } = JSON.parse(host.request) as Request;
  const pathOf = (name: string): string => (Object.hasOwn(actual, name) ? actual[name] : name);
  const platform: Platform = {
    place: "XS",
    names: new Uint8Array(host.names),
    namesFile,
    textTools,
    storage: {
      open: (name) => asInputError(() => host.storage.open(pathOf(name))),
      create: (name) => asInputError(() => newFile(pathOf(name))),
      move: (from, to) => asInputError(() => host.storage.move(pathOf(from), pathOf(to))),
    },
    now: () => host.now(),
    schedule: (slice) => host.schedule(slice, 0),
    room: () => room,
  };
  const runner = new Runner(platform);
  let bytecodes = 0;

  const send = (event: WireEvent): void => host.write(`${JSON.stringify(event)}\n`);
  const tell = (event: WireEvent): void => {
    if (event.type === "trained") send(usageSince(bytecodes));
    send(event);
    if (event.type === "start") bytecodes = host.usage().bytecodes;
  };
  host.setLineListener((line) => {
    if (line === STOP) runner.stop();
    else if (line === undefined) host.exit(EXIT_ORPHANED);
  });
  void runJob(job, { platform, runner, tell, tellsAllSteps, provideOps }).then(() => host.setLineListener(undefined));
}

function provideOps(dtype: Dtype, ops: OpsName = dtype === "f32" ? "native" : "typescript"): Ops {
  if (ops === "typescript") return typescriptOps(dtype);
  if (dtype === "f64") throw new InputError("Native ops compute in f32 only: use --ops typescript for f64.");
  return nativeOps;
}

/** What the program has cost since it had executed so many bytecodes. */
function usageSince(start: number): UsageReport {
  const { bytecodes, slots, chunks, stack, peak, collections, code, names } = host.usage();
  return {
    type: "usage",
    bytecodes: bytecodes - start,
    collections,
    heap: { slots, chunks, stack, peak },
    flash: { bytecode: code, names },
  };
}

function newFile(path: string): NewFile {
  const file = host.storage.create(path);
  return {
    write(bytes) {
      inWords(() => file.write(bytes));
    },
    commit: () => asInputError(() => file.commit()),
    abort: () => file.abort(),
  };
}

/** What is done at once here, and needs time elsewhere. */
function asInputError<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(inWords(work)));
}

/** What storage cannot do is for the user to mend. */
function inWords<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new InputError(`${(error as Error).message}.`);
  }
}

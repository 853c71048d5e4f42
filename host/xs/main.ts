import { InputError } from "../../src/errors";
import type { Platform } from "../../src/platform";
import { nativeOps, skipLines } from "../../src/moddable/ops/native-ops";
import { typescriptOps } from "../../src/typescript-ops";
import { type OpsProvider, startJob } from "../job";
import type { Host } from "./host";
import { EXIT_INPUT, EXIT_STOPPED, type Request, STOP } from "./protocol";

// The program that runs inside XS: rollup bundles it with everything it imports. As on the device, all
// of it is loaded into flash first, and only main() runs with the memory of the device.

declare const host: Host;

const provideOps: OpsProvider = (dtype, ops = dtype === "f32" ? "native" : "typescript") => {
  if (ops === "typescript") return typescriptOps(dtype);
  if (dtype === "f64") throw new InputError("Native ops compute in f32 only: use --ops typescript for f64.");
  return nativeOps;
};

export default function main(): void {
  const { job, namesFile, isObserved, room } = JSON.parse(host.request) as Request;

  const platform: Platform = {
    engine: "XS",
    names: new Uint8Array(host.names),
    namesFile,
    skipLines,
    storage: {
      open: (path) => Promise.resolve().then(() => asInputError(() => host.storage.open(path))),
      create: (path) =>
        Promise.resolve().then(() => {
          const file = asInputError(() => host.storage.create(path));
          return {
            write: (bytes: Uint8Array) => asInputError(() => file.write(bytes)),
            commit: () => Promise.resolve().then(() => asInputError(() => file.commit())),
            abort: () => file.abort(),
          };
        }),
    },
    write: (text) => host.write(text),
    now: () => host.now(),
    schedule: (slice) => host.schedule(() => guard(slice), 0),
    room: () => room,
    usage: () => {
      const { bytecodes, slots, chunks, stack, peak, collections, code, names } = host.usage();
      return { bytecodes, slots, chunks, stack, peak, collections, flash: { bytecode: code, names } };
    },
  };

  const running = startJob(job, platform, provideOps, {
    ...(isObserved && {
      step: ({ step, loss, learningRate, validationLoss, name }) =>
        host.report(step, loss, learningRate, validationLoss, name),
      progress: (done, total) => host.report(done, total),
    }),
    done(stopped) {
      host.setLineListener(undefined);
      if (stopped) host.exit(EXIT_STOPPED);
    },
  });
  host.setLineListener((line) => {
    if (line === STOP) void running.then((job) => job.stop());
  });
  running.catch((error: unknown) =>
    host.schedule(
      () =>
        guard(() => {
          throw error;
        }),
      0,
    ),
  );
}

/** What the user can mend ends the program with a sentence; anything else is uncaught, with its stack. */
function guard(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (error instanceof InputError) host.fail(error.message, EXIT_INPUT);
    throw error;
  }
}

/** What storage cannot do is for the user to mend. */
function asInputError<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new InputError(`${(error as Error).message}.`);
  }
}

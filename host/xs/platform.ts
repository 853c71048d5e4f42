import { InputError } from "../../src/gpt/base/errors";
import { nativeI32Ops, nativeOps, datasetKernels } from "../../src/gpt/native/native-ops";
import type { Dtype, Ops, OpsName } from "../../src/gpt/model/ops";
import type { NewFile, Platform, MemoryBudget } from "../../src/gpt/base/platform";
import { typescriptOps } from "../../src/gpt/model/typescript-ops";
import type { UsageReport } from "../terminal/statistics";
import type { Host } from "./host";

/*
 * The Platform of XS on a desktop.
 */

/** @param pathOf maps a file name of the job to its path */
export function xsPlatform(
  host: Host,
  namesFile: string,
  pathOf: (name: string) => string,
  memory: MemoryBudget,
): Platform {
  return {
    place: "XS",
    names: new Uint8Array(host.names),
    namesFile,
    datasetKernels: datasetKernels,
    storage: {
      open: (name) => asInputError(() => host.storage.open(pathOf(name))),
      create: (name) => asInputError(() => newFile(host, pathOf(name))),
      move: (from, to) => asInputError(() => host.storage.move(pathOf(from), pathOf(to))),
      remove: (name) => asInputError(() => host.storage.remove(pathOf(name))),
    },
    now: () => host.now(),
    schedule: (slice) => host.schedule(slice, 0),
    memoryBudget: () => memory,
  };
}

export function provideOps(dtype: Dtype = "f32", ops: OpsName = dtype === "f64" ? "typescript" : "native"): Ops {
  if (ops === "typescript") return typescriptOps(dtype);
  if (dtype === "f64") throw new InputError("Native ops do not compute in f64: use --ops typescript.");
  return dtype === "i32" ? nativeI32Ops : nativeOps;
}

/**
 * Usage of the XS engine.
 * @param start bytecodes executed before the measurement
 */
export function usageSince(host: Host, start: number): UsageReport {
  const { bytecodes, slots, chunks, stack, peak, usedSlots, usedChunks, collections, code, names } = host.usage();
  return {
    type: "usage",
    bytecodes: bytecodes - start,
    collections,
    heap: { slots, chunks, stack, peak, usedSlots, usedChunks },
    flash: { bytecode: code, names },
  };
}

function newFile(host: Host, path: string): NewFile {
  const file = host.storage.create(path);
  return {
    write(bytes) {
      inWords(() => file.write(bytes));
    },
    commit: () => asInputError(() => file.commit()),
    abort: () => file.abort(),
  };
}

/**
 * Makes a synchronous operation asynchronous, as on the device. Its work runs in a new job, where the small XS stack
 * is empty.
 */
async function asInputError<T>(work: () => T): Promise<T> {
  await Promise.resolve();
  return inWords(work);
}

/** Storage errors are errors that the user can correct. */
function inWords<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new InputError(`${(error as Error).message}.`);
  }
}

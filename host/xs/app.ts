import { InputError } from "../../src/gpt/base/errors";
import type { Clock, MemoryBudget, Storage } from "../../src/gpt/base/platform";
import { unattended } from "../../src/gpt/base/unattended";
import type { Dtype, Ops } from "../../src/gpt/model/ops";
import type { Host } from "./host";
import { provideOps, usageSince, xsPlatform } from "./platform";
import type { AppRequest } from "./protocol";

/*
 * What an app imports in a simulated device, as "esp32gpt" and "esp32gpt/platform": see host/simulator/app.ts. As on the
 * device, all code is loaded into flash first, and only the app's main() runs in the device's RAM.
 */

declare const host: Host;

export * from "../../src/gpt/index";

export const clock: Clock = Object.freeze({
  now: () => host.now(),
  schedule(slice: () => void) {
    host.schedule(slice, 0);
  },
});

/** Opens a folder for files: here the names of its files begin with its name. */
export function openStorage(folder: string): Promise<Storage> {
  const { folder: flash, memory } = request();
  const { storage } = xsPlatform(host, "", (name) => `${flash}/${folder}-${name}`, memory);
  if (storage) return Promise.resolve(storage);
  return Promise.reject(new InputError("There is no storage."));
}

/** The ops in C, in the dtype of the chip unless another is named. */
export function opsFor(dtype: Dtype = request().dtype): Ops {
  return provideOps(dtype);
}

export function print(line: string): void {
  host.write(`${line}\n`);
}

/** What the device can have: a memory budget for createTrainer(). */
export function memoryBudget(): MemoryBudget {
  return request().memory;
}

/** Runs an app to its end, and tells what it took. */
export function runApp(main: () => unknown): void {
  const { memory, stats } = request();
  const end = async (): Promise<void> => {
    await main();
    if (!stats) return;
    host.collect();
    host.fail(JSON.stringify(usageSince(host, 0)), 0);
  };
  unattended(
    Promise.resolve().then(end),
    xsPlatform(host, "", (name) => name, memory),
  );
}

function request(): AppRequest {
  return JSON.parse(host.request) as AppRequest;
}

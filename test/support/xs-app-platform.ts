import type { Host } from "../../host/xs/host";
import type { Clock } from "../../src/gpt/base/platform";
import type { Dtype, Ops } from "../../src/gpt/model/ops";
import { provideOps } from "../../host/xs/platform";

// What an app imports as "esp32gpt/platform", on the XS host, with the kernels in C.

declare const host: Host;

export const clock: Clock = { now: () => host.now(), schedule: (slice) => host.schedule(slice, 0) };

export function opsFor(dtype: Dtype): Ops {
  return provideOps(dtype);
}

export function print(line: string): void {
  host.write(`${line}\n`);
}

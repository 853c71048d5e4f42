import { type Clock, type Dtype, type Ops, typescriptOps } from "esp32gpt";

/* Stands in for "esp32gpt/platform" on Node, until the package has it. */

export const clock: Clock = Object.freeze({
  now: () => performance.now(),
  schedule: (slice: () => void) => void setImmediate(slice),
});

export function opsFor(dtype: Dtype): Ops {
  return typescriptOps(dtype);
}

export function print(line: string): void {
  console.log(line);
}

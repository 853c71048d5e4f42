import { Runner } from "../../src/gpt/base/runner";

/** A runner in the event loop of Node. */
export function realRunner(): Runner {
  return new Runner({ now: () => performance.now(), schedule: (slice) => void setImmediate(slice) });
}

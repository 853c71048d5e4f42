import type { Clock } from "./platform";

/**
 * Handles a promise that is not awaited. A rejection, which is a bug, is rethrown from the event loop, where every
 * platform reports it at once. XS would report it only after garbage collection has freed the promise, and an idle
 * machine does not collect.
 */
export function unattended(work: Promise<unknown>, { schedule }: Pick<Clock, "schedule">): void {
  work.catch((error: unknown) =>
    schedule(() => {
      throw error;
    }),
  );
}

import type { Clock } from "./platform";

/**
 * Hands over a promise that nobody waits for. When it is rejected, which is a mistake in the program, that is thrown
 * from the event loop, where every place says so at once. XS would report it only when a collection has freed
 * the promise, and an idle machine makes none.
 */
export function unattended(work: Promise<unknown>, { schedule }: Pick<Clock, "schedule">): void {
  work.catch((error: unknown) =>
    schedule(() => {
      throw error;
    }),
  );
}

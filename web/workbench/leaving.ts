/**
 * How long a page that is left waits for its worker to save, in milliseconds, and for each 1000 parameters. The
 * browser ends the worker when the page's last event has been handled, whatever the worker does then.
 */
const LEAVE_MS = 200;
const LEAVE_MS_PER_1000 = 1;
const MOST_LEAVE_MS = 500;

/**
 * Saves the training as soon as the page is hidden, and when it is left.
 * @param save begins to save; returns the number of parameters, undefined if there is nothing to save
 */
export function saveWhenLeft(save: () => number | undefined): void {
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") save();
  });
  addEventListener("beforeunload", save);
  addEventListener("pagehide", () => {
    const parameters = save();
    if (parameters === undefined) return;
    const wait = LEAVE_MS + (LEAVE_MS_PER_1000 * parameters) / 1000;
    const end = performance.now() + Math.min(MOST_LEAVE_MS, wait);
    while (performance.now() < end);
  });
}

import { signal } from "@preact/signals";

/** What went wrong by a mistake in the page's program, or "". */
export const uncaughtError = signal("");

/** Browsers say so when what is shown changes its own size: all is well. */
const HARMLESS = "ResizeObserver";

/** Shows what nobody has caught, also of promises that nobody waits for. */
export function showUncaughtErrors(): void {
  addEventListener("error", ({ message }) => {
    if (!message.startsWith(HARMLESS)) uncaughtError.value = message;
  });
  addEventListener("unhandledrejection", ({ reason }) => (uncaughtError.value = String(reason)));
}

import { signal } from "@preact/signals";

/** The message of an uncaught error, or "". */
export const uncaughtError = signal("");

/** A warning of browsers when a resize callback changes its own element's size; it is harmless. */
const HARMLESS = "ResizeObserver";

/** Shows uncaught errors and unhandled rejections. */
export function showUncaughtErrors(): void {
  addEventListener("error", ({ message }) => {
    if (!message.startsWith(HARMLESS)) uncaughtError.value = message;
  });
  addEventListener("unhandledrejection", ({ reason }) => (uncaughtError.value = String(reason)));
}

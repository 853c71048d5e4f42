import { device } from "esp32gpt/chip";
import { DEVICE_STATES, type DeviceState } from "../protocol/events";
import type { BootMarker } from "../gpt/base/platform";
import { BOOT_LINES } from "../protocol/lines";

/*
 * State that survives a reset: the counts of failed boots, and what the program was doing, for a line that reports what
 * a panic or a watchdog interrupted.
 */

/** The values of esp_reset_reason_t in order. */
const RESET_REASONS = Object.freeze([
  "unknown",
  "power on",
  "external pin",
  "software",
  "panic",
  "interrupt watchdog",
  "task watchdog",
  "another watchdog",
  "deep sleep",
  "brownout",
  "SDIO",
]);
/** Unexpected resets. */
const ACCIDENTS: readonly string[] = Object.freeze([
  "panic",
  "interrupt watchdog",
  "task watchdog",
  "another watchdog",
  "brownout",
]);

/** Resets that may mean a failed boot: exceptions and a lack of memory restart the chip by software. */
const FAILURES: readonly string[] = Object.freeze([
  "software",
  "panic",
  "interrupt watchdog",
  "task watchdog",
  "another watchdog",
]);

/** The slots of device.keep(). */
const SLOTS = Object.freeze({ boots: 0, activity: 1, step: 2 });

/** The activity from the start of the device program until it is ready. */
const READING = "reading what is stored";
/** The activities; the index of the current one is kept. */
const ACTIVITIES: readonly string[] = Object.freeze(["starting", READING, ...DEVICE_STATES]);

export const bootMarker: BootMarker = Object.freeze({
  get: () => device.kept(SLOTS.boots) ?? 0,
  set: (count: number) => device.keep(SLOTS.boots, count),
});

/** Clears the failure counts unless the last reset may have been a failure: a loss of power is none. */
export function countFailures(): void {
  if (!FAILURES.includes(resetReason())) bootMarker.set(0);
}

/** Records the current activity and step. It is called between time slices, and allocates nothing. */
export function keepActivity(program: Activity | undefined): void {
  const activity = program === undefined ? "starting" : program.isReady ? program.state : READING;
  device.keep(SLOTS.activity, ACTIVITIES.indexOf(activity));
  device.keep(SLOTS.step, program?.trainer.totalSteps ?? 0);
}

/** The part of Device that describes its activity. */
export interface Activity {
  readonly isReady: boolean;
  readonly state: DeviceState;
  readonly trainer: { readonly totalSteps: number };
}

/** The reason of the last reset as text. */
export function resetReason(): string {
  return RESET_REASONS[device.resetReason() ?? 0] ?? "unknown";
}

/**
 * A line about what an unexpected reset interrupted; "" after any other reset. Clears the recorded panic.
 * docs/troubleshooting.md explains how to read it.
 */
export function lineOfAccident(): string {
  const crash = device.takeCrash();
  const activity = ACTIVITIES.at(device.kept(SLOTS.activity) ?? ACTIVITIES.length);
  const step = device.kept(SLOTS.step) ?? 0;
  if (!ACCIDENTS.includes(resetReason())) return "";
  const place = activity === undefined ? undefined : `${activity}, after ${step} steps`;
  const parts = [place, crash].filter((part) => part !== undefined);
  return parts.length === 0 ? "" : `${BOOT_LINES.before}${parts.join("; ")}.\n`;
}

import { device } from "esp32gpt/chip";
import { DEVICE_STATES, type DeviceState } from "../protocol/events";
import type { BootMarker } from "../gpt/base/platform";
import { BOOT_LINES } from "../protocol/lines";

/*
 * What the chip keeps over a reset: how often a boot has failed, and for the line that says what a panic or a
 * watchdog has cut short, what was under way.
 */

/** esp_reset_reason_t */
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
/** Those that nobody asked for. */
const ACCIDENTS: readonly string[] = Object.freeze([
  "panic",
  "interrupt watchdog",
  "task watchdog",
  "another watchdog",
  "brownout",
]);

/** Those by which a boot may have failed: an exception or a lack of memory restarts the chip by software. */
const FAILURES: readonly string[] = Object.freeze([
  "software",
  "panic",
  "interrupt watchdog",
  "task watchdog",
  "another watchdog",
]);

/** Of device.keep(). */
const SLOTS = Object.freeze({ boots: 0, activity: 1, step: 2 });

/** Until it can begin to train. */
const READING = "reading what is stored";
/** What may be under way; a number of it is kept. */
const ACTIVITIES: readonly string[] = Object.freeze(["starting", READING, ...DEVICE_STATES]);

export const bootMarker: BootMarker = Object.freeze({
  get: () => device.kept(SLOTS.boots) ?? 0,
  set: (count: number) => device.keep(SLOTS.boots, count),
});

/** At a boot that follows on no failure nothing counts of those before: a power cut while it reads is none. */
export function countFailures(): void {
  if (!FAILURES.includes(resetReason())) bootMarker.set(0);
}

/** Keeps what is under way. It is called between slices, and allocates nothing. */
export function keepActivity(program: Activity | undefined): void {
  const activity = program === undefined ? "starting" : program.isReady ? program.state : READING;
  device.keep(SLOTS.activity, ACTIVITIES.indexOf(activity));
  device.keep(SLOTS.step, program?.trainer.totalSteps ?? 0);
}

/** What a device program says of what is under way. */
export interface Activity {
  readonly isReady: boolean;
  readonly state: DeviceState;
  readonly trainer: { readonly totalSteps: number };
}

/** In words. */
export function resetReason(): string {
  return RESET_REASONS[device.resetReason() ?? 0] ?? "unknown";
}

/**
 * What an accident has cut short, as a line; nothing after a reset that somebody wanted. What it says is gone then.
 * docs/troubleshooting.md says how to read it.
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

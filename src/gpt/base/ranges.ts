import type { Setting } from "./settings";

/** The numbers that a setting allows. */
export type Range = Pick<Setting, "type" | "least" | "most" | "isZeroToo">;

export function isInRange(value: number, { type, least = -Infinity, most = Infinity, isZeroToo }: Range): boolean {
  if (isZeroToo && value === 0) return true;
  return value >= least && value <= most && (type !== "whole" || Number.isInteger(value));
}

/** "whole number from 1 to 64" */
export function rangeInWords({ type, least = -Infinity, most = Infinity }: Range): string {
  return `${type === "whole" ? "whole " : ""}number from ${least} to ${most}`;
}

/** The allowed values in a message: "0 or a number from 0.01 to 100" */
export function allowedIn(range: Range): string {
  return `${range.isZeroToo ? "0 or " : ""}a ${rangeInWords(range)}`;
}

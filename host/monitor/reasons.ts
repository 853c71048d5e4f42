import { printable } from "../../src/gpt/base/errors";

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/EACCES|permission denied/i, "permission denied (on Linux: add yourself to group dialout)"],
  [/ENOENT|no such file/i, "there is no such port"],
  [/ECONNREFUSED/, "the connection was refused"],
  [/ENOTFOUND|EAI_AGAIN/, "there is no such host"],
  [/ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/, "it does not answer"],
  [/ECONNRESET|EPIPE/, "the other side has closed the connection"],
  [/ENOSPC/, "the disk is full"],
  [/ENOTTY|Inappropriate ioctl/i, "it is not a serial port"],
  [/lock|busy|access denied/i, "another program uses it"],
];

/** The reason why opening a port or writing the output failed, for a message. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const known = REASONS.find(([pattern]) => pattern.test(`${code} ${message}`));
  return known?.[1] ?? printable(message.replace(/^Error:? |\.$/g, ""), 200);
}

/** Whether trying again later may succeed: the cable is unplugged or the server is not running. */
export function isPortMissing(error: unknown): boolean {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return /ENOENT|no such file|file not found|ENXIO|ENODEV|ECONNREFUSED/i.test(`${code} ${message}`);
}

import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { Outcome } from "./cli";

/** One sentence on stderr, nothing else, and the exit code of a mistake in what was given. */
export function expectRefusal({ code, stdout, stderr }: Outcome, message: RegExp): void {
  expect(stderr).toMatch(/^[^\n]+\n$/);
  expect(stderr).toMatch(message);
  expect([code, stdout]).toEqual([2, ""]);
}

/** Milliseconds that something may take on a busy machine. */
const SOON_TIMEOUT_MS = 30_000;

/** Waits until something is so, and fails where it does not become so. */
export async function soon(isSo: () => boolean): Promise<void> {
  const end = Date.now() + SOON_TIMEOUT_MS;
  while (!isSo() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(isSo()).toBe(true);
}

/** Resolves when a stream has said something. */
export async function until(
  program: ChildProcessWithoutNullStreams,
  name: "stdout" | "stderr",
  text: RegExp,
): Promise<string> {
  let said = "";
  for await (const part of program[name].iterator({ destroyOnReturn: false })) {
    said += String(part);
    if (text.test(said)) return said;
  }
  throw new Error(`it ended and had said ${said}`);
}

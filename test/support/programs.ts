import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { Outcome } from "./cli";

/** One sentence on stderr, nothing else, and the exit code of a mistake in what was given. */
export function expectRefusal({ code, stdout, stderr }: Outcome, message: RegExp): void {
  expect(stderr).toMatch(/^[^\n]+\n$/);
  expect(stderr).toMatch(message);
  expect([code, stdout]).toEqual([2, ""]);
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

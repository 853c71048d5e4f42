import { spawn } from "node:child_process";
import { ROOT } from "./helpers";
import { outcomeOf } from "./support/cli";

/* How large the library is in a page: scripts/sizes.mjs has the programs and their limits. */

test("a program of a page stays within its limit", async () => {
  const { code, stdout, stderr } = await outcomeOf(spawn(process.execPath, ["scripts/sizes.mjs"], { cwd: ROOT }));
  expect([code, stderr, stdout]).toEqual([0, "", expect.stringMatching(/^training: .*\n$/)]);
});

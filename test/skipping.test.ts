import { spawnSync } from "node:child_process";
import { ROOT } from "./helpers";
import { skipUnless } from "./support/skipping";

/* What is skipped is told, and is a failure in CI. */

const IS_ITS_OWN_CHILD = process.env.SKIPPING_TEST === "1";

if (IS_ITS_OWN_CHILD) {
  skipUnless(false, "what needs the impossible").test("is not run", () => {
    throw new Error("It was run.");
  });
} else {
  test.each([
    ["", 0, /Skipped: what needs the impossible[^]*Tests: +1 skipped, 1 total/],
    ["1", 1, /is skipped: what needs the impossible[^]*test\/skipping\.test\.ts:10\b/],
  ])("with ESP32GPT_NO_SKIPS=%s a skip ends with code %d", (noSkips, code, text) => {
    // Its teardown would remove the folder that the test files of this run share.
    const options = ["--globalSetup", "", "--globalTeardown", "", "test/skipping.test.ts"];
    const { status, stdout, stderr } = spawnSync(process.execPath, ["node_modules/jest/bin/jest.js", ...options], {
      cwd: ROOT,
      encoding: "utf8",
      env: { ...process.env, SKIPPING_TEST: "1", ESP32GPT_NO_SKIPS: noSkips },
    });
    expect(stdout + stderr).toMatch(text);
    expect(status).toBe(code);
  });
}

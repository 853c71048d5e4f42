import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The variable with the name of a folder that all test files of a run share. */
export const SHARED_FOLDER = "ESP32GPT_TEST_FOLDER";

/** Before all tests: the package with its declarations, and XS where it can be, which takes a while the first time. */
export default function build(): void {
  const root = join(__dirname, "..", "..");
  execFileSync(process.execPath, [join("scripts", "build.mjs")], { cwd: root, stdio: "pipe" });
  execFileSync(
    process.execPath,
    [join("bin", "esp32gpt.js"), ..."train --engine auto --steps 1 --samples 0".split(" ")],
    { cwd: root, stdio: "pipe" },
  );
  process.env[SHARED_FOLDER] = mkdtempSync(join(tmpdir(), "esp32gpt-tests-"));
}

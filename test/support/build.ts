import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Before all tests: the program builds itself, and XS where it can be, which takes a while the first time. */
export default function build(): void {
  const root = join(__dirname, "..", "..");
  execFileSync(
    process.execPath,
    [join("bin", "esp32gpt.js"), ..."train --engine auto --steps 1 --samples 0".split(" ")],
    { cwd: root, stdio: "pipe" },
  );
}

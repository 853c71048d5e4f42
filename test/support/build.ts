import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Before all tests: the program builds itself when it is started, which takes a while the first time. */
export default function build(): void {
  const root = join(__dirname, "..", "..");
  execFileSync(process.execPath, [join("bin", "esp32gpt.js"), "--help"], { cwd: root, stdio: "pipe" });
}

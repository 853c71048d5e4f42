// npm run test:sanitize: builds the XS host with AddressSanitizer and UndefinedBehaviorSanitizer and runs the tests
// that exercise our C files. The first invalid access or undefined operation ends it with a report.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "esp32gpt-sanitize-"));
const model = join(folder, "model");

const env = {
  ...process.env,
  ESP32GPT_XS_VARIANT: "sanitize",
  // Like a device, the host exits without deleting its machines: their memory is not a leak. The storage tests
  // preload a library that simulates a failing disk.
  ASAN_OPTIONS: "detect_leaks=0:verify_asan_link_order=0",
};

/** @param {string[]} options */
function run(...options) {
  console.log(`> node ${options.join(" ")}`);
  const { status, signal } = spawnSync(process.execPath, options, { cwd: root, env, stdio: "inherit" });
  if (status !== 0) throw new Error(`It exited with ${status ?? signal}.`);
}

/** @param {string[]} options */
const program = (...options) => run(join("bin", "esp32gpt.js"), ...options, "--engine", "xs");

try {
  for (const preset of ["esp32gpt", "microgpt"]) {
    for (const ops of ["native", "typescript"])
      program("train", "--preset", preset, "--ops", ops, "--n-layer", "2", "--steps", "20", "--save", model);
    program("train", "--init", model, "--steps", "20", "--holdout", "5", "--jsonl", join(folder, "records"));
    program("generate", "--model", model, "-n", "5", "--prefix", "a");
    program("eval", "--model", model);
  }
  const tests = ["native-ops", "i32-native", "xs-scan", "xs-storage", "xs-streams", "fuzz-board"].map(
    (name) => `test/${name}.test.ts`,
  );
  run(join("node_modules", "jest", "bin", "jest.js"), ...tests);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

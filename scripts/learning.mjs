// npm run bench:learning: the held-out loss after trainings in f32 and i32, from the same seeds, and the mean of the
// paired differences. node scripts/learning.mjs [seeds, 10] [PRESET:STEPS ...]
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "./build.mjs";

const PROGRAM = fileURLToPath(new URL("../bin/esp32gpt.js", import.meta.url));
const RUNS = ["esp32gpt:1000", "esp32gpt:10000", "tuned:250", "tuned:2500", "tuned:15000", "microgpt:1000"];
const DTYPES = /** @type {const} */ (["f32", "i32"]);
const HOLDOUT = "5";

await build();
const [seeds = "10", ...wanted] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "esp32gpt-"));
console.log("run               f32               i32               i32 - f32, paired");
try {
  for (const run of wanted.length > 0 ? wanted : RUNS) {
    const [preset, steps] = run.split(":");
    const losses = Array.from({ length: Number(seeds) }, (_, i) =>
      DTYPES.map((dtype) => lossOf(preset, steps, i + 1, dtype)),
    );
    const columns = [losses.map(([f32]) => f32), losses.map(([, i32]) => i32), losses.map(([f32, i32]) => i32 - f32)];
    console.log([run.padEnd(16), ...columns.map((values) => inWords(values))].join("  "));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Nats per token over the names that are held out.
 * @param {string} preset
 * @param {string} steps
 * @param {number} seed
 * @param {string} dtype
 */
function lossOf(preset, steps, seed, dtype) {
  const file = join(folder, "model.safetensors");
  const training = ["--preset", preset, "--steps", steps, "--holdout", HOLDOUT, "--seed", String(seed)];
  run("train", ...training, "--dtype", dtype, "--log-every", steps, "--samples", "0", "--save", file);
  const loss = Number(/^nats per token\s+([\d.]+)$/m.exec(run("eval", "--model", file))?.[1]);
  if (!(loss > 0)) throw new Error(`eval has not printed a loss for ${preset}, seed ${seed}.`);
  return loss;
}

/** @param {readonly string[]} options */
function run(...options) {
  const [command, ...others] = options;
  return execFileSync(process.execPath, [PROGRAM, command, "--engine", "xs", ...others], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

/**
 * Mean and standard error.
 * @param {readonly number[]} values
 */
function inWords(values) {
  const mean = values.reduce((a, b) => a + b) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const error = Math.sqrt(squares / (values.length - 1) / values.length);
  return `${mean.toFixed(4)} ± ${error.toFixed(4)}`;
}

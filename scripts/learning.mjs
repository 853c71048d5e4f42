// npm run bench:learning: the held-out loss after trainings in f32, in f32 with Adam's moments in words, and in i32, from
// the same seeds, and the mean of the paired differences from f32. node scripts/learning.mjs [seeds, 10] [PRESET:STEPS ...]
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "./build.mjs";

const PROGRAM = fileURLToPath(new URL("../bin/esp32gpt.js", import.meta.url));
const RUNS = ["esp32gpt:1000", "esp32gpt:10000", "tuned:250", "tuned:2500", "tuned:15000", "microgpt:1000"];
const WAYS = [
  ["--moments", "f32"],
  ["--moments", "bf16"],
  ["--dtype", "i32"],
];
const HOLDOUT = "5";

await build();
const [seeds = "10", ...wanted] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "esp32gpt-"));
const heads = ["f32", "moments bf16", "i32", "bf16 - f32, paired", "i32 - f32, paired"];
console.log(["run".padEnd(16), ...heads.map((head) => head.padEnd(18))].join("  "));
try {
  for (const run of wanted.length > 0 ? wanted : RUNS) {
    const [preset, steps] = run.split(":");
    const losses = Array.from({ length: Number(seeds) }, (_, i) =>
      WAYS.map((options) => lossOf(preset, steps, i + 1, options)),
    );
    const [exact, ...others] = WAYS.map((_, way) => losses.map((ofSeed) => ofSeed[way]));
    const differences = others.map((values) => values.map((value, i) => value - exact[i]));
    const columns = [exact, ...others, ...differences];
    console.log([run.padEnd(16), ...columns.map((values) => inWords(values).padEnd(18))].join("  "));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Nats per token over the names that are held out.
 * @param {string} preset
 * @param {string} steps
 * @param {number} seed
 * @param {readonly string[]} options
 */
function lossOf(preset, steps, seed, options) {
  const file = join(folder, "model.safetensors");
  const training = ["--preset", preset, "--steps", steps, "--holdout", HOLDOUT, "--seed", String(seed)];
  run("train", ...training, ...options, "--log-every", steps, "--samples", "0", "--save", file);
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

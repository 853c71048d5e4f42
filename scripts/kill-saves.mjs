// npm run test:kills: trainings that save are killed at random moments. Afterwards every checkpoint must be complete,
// no process may be left, and the next save must remove temporary files of killed ones. Too long for CI.
// node scripts/kill-saves.mjs [kills of each signal, 300] [seed]
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { build } from "./build.mjs";
import { NAMES, processesWith, startProgram } from "./processes.mjs";

/** @type {readonly NodeJS.Signals[]} */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"];
const ENGINES = ["node", "xs"];
const EXIT_CODES = new Map([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
]);
/** The process must exit within this time after the signal. */
const MAX_MILLISECONDS = 2000;

await build();
/** @type {typeof import("../src/gpt/index")} */
const { Random } = await import(new URL("../dist/index.js", import.meta.url).href);

const kills = Number(process.argv[2] ?? 300);
const seed = Number(process.argv[3] ?? (Date.now() % 0xffffffff) + 1);
const random = new Random(seed);
const folder = mkdtempSync(join(tmpdir(), "esp32gpt-kills-"));
console.log(`seed ${seed}`);
let failures = 0;

for (const engine of ENGINES) {
  for (const signal of SIGNALS) {
    const file = join(folder, `${engine}-${signal}`);
    let saved = 0;
    let broken = 0;
    let slowest = 0;
    const count = kills / ENGINES.length;
    for (let i = 0; i < count; i++) {
      const before = existsSync(file) ? readFileSync(file) : undefined;
      slowest = Math.max(slowest, await killOnce(engine, signal, file));
      const after = existsSync(file) ? readFileSync(file) : undefined;
      if (after && !(before && after.equals(before))) {
        saved++;
        if ((await run("eval", "--model", file, "--data", NAMES)) !== 0) broken++;
      }
    }
    await setTimeout(MAX_MILLISECONDS);
    const left = processesWith(file);
    const training = ["train", "--engine", engine, "--steps", "1", "--samples", "0", "--save", file];
    if ((await run(...training)) !== 0) broken++;
    const leftovers = readdirSync(folder).filter((name) => name.endsWith(".tmp")).length;
    console.log(
      `${engine}, ${signal}: ${count} kills, ${saved} new checkpoints, ${broken} broken, ${left} processes left, ` +
        `${leftovers} leftovers after the next save, slowest end ${slowest.toFixed(0)} ms`,
    );
    if (broken + left + leftovers > 0 || slowest > MAX_MILLISECONDS) failures++;
  }
}
rmSync(folder, { recursive: true, force: true });
if (failures > 0) process.exitCode = 1;

/**
 * Starts a training and kills it at a random moment. SIGKILL follows shortly after a SIGINT, about half the time in
 * the middle of the save.
 * @param {string} engine
 * @param {NodeJS.Signals} signal
 * @param {string} file
 * @returns {Promise<number>} milliseconds until it exited
 */
async function killOnce(engine, signal, file) {
  const options = [..."train --steps 100000000 --engine".split(" "), engine, "--save", file];
  const child = startProgram(options);
  child.stderr.pipe(process.stderr);
  const ended = new Promise((resolve) => child.on("exit", (code, by) => resolve(code ?? by)));
  // After the first line of the log the training has something to save.
  await new Promise((resolve) => child.stdout.once("data", resolve).once("end", resolve));
  child.stdout.resume();
  await setTimeout(100 * random.uniform());
  const asked = performance.now();
  if (signal === "SIGKILL") {
    child.kill("SIGINT");
    await setTimeout(30 * random.uniform());
  }
  child.kill(signal);
  const end = await ended;
  const expected = EXIT_CODES.get(signal);
  if (expected !== undefined && end !== expected) {
    console.error(`${engine}, ${signal}: ended with ${end}`);
    failures++;
  }
  return performance.now() - asked;
}

/** @param {...string} options */
function run(...options) {
  const child = startProgram(options);
  child.stderr.pipe(process.stderr);
  child.stdout.resume();
  return new Promise((resolve) => child.on("close", resolve));
}

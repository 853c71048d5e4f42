// npm run latency: the response time of a device that trains and saves continuously. Sends `status` to the simulator
// at random moments and measures the milliseconds until the answer. Further arguments go to the simulator:
// npm run latency -- --engine xs n_embd=24
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "./build.mjs";

const PROGRAM = fileURLToPath(new URL("../bin/esp32gpt.js", import.meta.url));
const SETTINGS = ["steps=1000000000", "save_every=0.2", "log_every=1000000"];
const QUESTIONS = 200;
/** Maximum pause between an answer and the next command, in milliseconds. */
const LONGEST_PAUSE = 400;

await build();
/** @type {typeof import("../src/gpt/index")} */
const { Random } = await import(new URL("../dist/index.js", import.meta.url).href);

const seed = (Date.now() % 0xffffffff) + 1;
const random = new Random(seed);
const options = process.argv.slice(2);
const engine = options.includes("--engine") ? [] : ["--engine", "xs"];
const child = spawn(process.execPath, [PROGRAM, "simulate", ...engine, ...SETTINGS, ...options], {
  stdio: ["pipe", "pipe", "inherit"],
});
const ended = new Promise((resolve) => child.on("exit", resolve));
const lines = createInterface({ input: child.stdout });

/**
 * @param {RegExp} pattern
 * @returns {Promise<string>} the next line that matches
 */
function line(pattern) {
  return new Promise((resolve, reject) => {
    const end = () => reject(new Error("the simulator has ended"));
    const take = (/** @type {string} */ text) => {
      if (!pattern.test(text)) return;
      lines.off("line", take).off("close", end);
      resolve(text);
    };
    lines.on("line", take).on("close", end);
  });
}

await line(/^Training for/);
/** @type {number[]} */
const times = [];
let saves = 0;
for (let i = 0; i < QUESTIONS; i++) {
  await setTimeout(LONGEST_PAUSE * random.uniform());
  const begin = performance.now();
  child.stdin.write("status\n");
  const answer = await line(/^Step \d+ of/);
  times.push(performance.now() - begin);
  if (answer.endsWith("saving.")) saves++;
}
child.stdin.end();
await ended;
times.sort((a, b) => a - b);
const [median, high, worst] = [0.5, 0.99, 1].map((share) => times[Math.ceil(share * QUESTIONS) - 1].toFixed(1));
console.log(
  `${QUESTIONS} answers, ${saves} of them while it saved: median ${median} ms, 99th percentile ${high} ms, ` +
    `worst ${worst} ms (seed ${seed})`,
);

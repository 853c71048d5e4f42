// npm run bench:start [-- FOLDER]: the processor time of whole commands, and of Node alone, user and system, with all
// child processes. FOLDER is a checkout of another version, for a comparison.
import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const ROUNDS = 12;
/** The shell counts in ticks of 10 ms, so that one of its measurements is of several runs. */
const RUNS = 4;
const LOOP = `for i in $(seq ${RUNS}); do "$@" > /dev/null || exit 1; done; times`;

/** @param {string} root @param {string} options */
const command = (root, options) => [join(root, "bin", "esp32gpt.js"), ...options.split(" ")];
const roots = [ROOT, ...process.argv.slice(2).map((folder) => resolve(folder))];
/** @type {[name: string, words: string[]][]} */
const programs = [
  ["node -e 0", ["-e", "0"]],
  ...["--version", "train --engine xs"].flatMap((options) =>
    roots.map((root) => /** @type {[string, string[]]} */ ([`${options}, ${root}`, command(root, options)])),
  ),
];

/** @param {string[]} words @returns {number} milliseconds of one run */
function measure(words) {
  const said = execFileSync("sh", ["-c", LOOP, "sh", process.execPath, ...words], { encoding: "utf8" });
  // The second line is that of the children: user and system.
  const times = [...(said.trim().split("\n").at(-1) ?? "").matchAll(/(\d+)m([\d.]+)s/g)];
  return times.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0) * (1000 / RUNS);
}

for (const [, words] of programs) measure(words); // builds what is missing
/** @type {number[][]} */
const all = programs.map(() => []);
for (let round = 0; round < ROUNDS; round++) programs.forEach(([, words], i) => all[i].push(measure(words)));
programs.forEach(([name], i) => {
  const median = all[i].toSorted((a, b) => a - b)[ROUNDS >> 1];
  console.log(`${median.toFixed(0).padStart(5)} ms  ${name}`);
});

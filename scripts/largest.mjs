// npm run test:largest: a board of each chip, with the largest model that the plan has for it, in the 32-bit simulator with
// the chip's memory: trains to the end, learns 30 words, saves, and restores all that at the next start. What XS took must
// be what was planned. node scripts/largest.mjs [steps, 1000] [KEY of a chip ...]
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "./build.mjs";
import { startProgram } from "./processes.mjs";

const PROGRAM = fileURLToPath(new URL("../bin/esp32gpt.js", import.meta.url));
const WORDS = 30;
/** How far above the plan a board may be after a start, with one short command. */
const TOLERANCE = 1.02;

/**
 * @typedef {{ readonly total: number, readonly commands: number,
 *   readonly chips: readonly { readonly key: string, readonly dtype: string, readonly largestEmbedding: number }[] }} Plan
 */

await build();
const [steps = "1000", ...wanted] = process.argv.slice(2);
/** The trainings: options of `plan`, and with them the settings of a build. */
const TRAININGS = [
  { name: "one document a step", settings: { moments: "bf16", steps } },
  { name: "eight, tuned", settings: { preset: "tuned", steps: String(Math.ceil(Number(steps) / 8)) } },
];
console.log(
  ["chip", "dtype", "a step of", "n_embd", "planned", "taken", "taken at the next start"].join(" | ") +
    "   (bytes; what was taken first includes commands)",
);
for (const { key, dtype } of planOf([]).chips.filter(({ key }) => wanted.length === 0 || wanted.includes(key)))
  for (const { name, settings } of TRAININGS) await check(key, dtype, name, settings);

/**
 * @param {string} key of a chip
 * @param {string} dtype
 * @param {string} name of the training
 * @param {Readonly<Record<string, string>>} settings
 */
async function check(key, dtype, name, settings) {
  const options = Object.entries(settings).flatMap(([setting, value]) =>
    setting === "steps" ? [] : [`--${setting}`, value],
  );
  const embedding = planOf(options).chips.find((chip) => chip.key === key)?.largestEmbedding;
  const { total, commands } = planOf([...options, "--dtype", dtype, "--n-embd", String(embedding)]);
  const folder = mkdtempSync(join(tmpdir(), "esp32gpt-"));
  try {
    const build = Object.entries({ ...settings, n_embd: embedding, samples: 0 }).map((entry) => entry.join("="));
    const simulated = ["simulate", "--engine", "xs", "--xs-bits", "32", "--chip", key, "--stats", "--storage", folder];
    const words = Array.from({ length: WORDS }, (_, i) => `add w${letters(i)}`);
    const first = await session([...simulated, ...build], /=== Done ===/, [...words, "eval words", "train 20", "save"]);
    const again = await session([...simulated, ...build], /trained already/, ["words"]);
    const isKept = again.said.includes(`w${letters(WORDS - 1)}`);
    console.log([key, dtype, name, embedding, total, first.peak, again.peak].join(" | "));
    if (first.peak <= total + commands && again.peak <= TOLERANCE * total && isKept) return;
    console.error(`${key}: ${isKept ? "more was taken than planned" : "the words are lost"}.`);
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {number} i */
function letters(i) {
  return String.fromCharCode(97 + (i % 26)) + String.fromCharCode(97 + Math.floor(i / 26)) + "us";
}

/**
 * A board from its start to its end.
 * @param {readonly string[]} options
 * @param {RegExp} ready what it says before the lines are typed
 * @param {readonly string[]} lines
 */
async function session(options, ready, lines) {
  const board = startProgram(options);
  const closed = once(board, "close");
  let [said, complaint] = ["", ""];
  board.stderr.setEncoding("utf8").on("data", (text) => (complaint += text));
  for await (const text of board.stdout.setEncoding("utf8")) {
    said += text;
    if (!board.stdin.writableEnded && ready.test(said)) board.stdin.end(`${lines.join("\n")}\n`);
  }
  await closed;
  const usage = /^\{"type":"usage".*$/m.exec(complaint)?.[0];
  if (board.exitCode !== 0 || usage === undefined) throw new Error(complaint + said);
  const { heap } = /** @type {{ heap: { peak: number } }} */ (JSON.parse(usage));
  return { said, peak: heap.peak };
}

/**
 * @param {readonly string[]} options of `plan`
 * @returns {Plan}
 */
function planOf(options) {
  const json = execFileSync(process.execPath, [PROGRAM, "plan", "--json", ...options], { encoding: "utf8" });
  return /** @type {Plan} */ (JSON.parse(json));
}

// npm run test:soak: the device program in the simulator, with the memory of the device, trains and saves
// continuously while every kind of command is typed. Its heap usage must not grow with the length of the run.
// node scripts/soak.mjs [steps, 50000]
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { build } from "./build.mjs";
import { startProgram } from "./processes.mjs";

/** Interval between two commands in milliseconds, and between two saves in seconds. */
const TYPED_EVERY = 20;
const SAVED_EVERY = 0.1;
/** Every command is typed at least this often, even after the training has ended. */
const LEAST_CYCLES = 2;
/** Time in milliseconds for pending work at the end. */
const LAST_WORK = 1000;
/** Bytes by which strings grow with longer numbers. */
const LONGER_NUMBERS = 100;
/** Runs with these fractions of the steps, to see whether the longest uses more memory. */
const SHARES = [0.1, 0.4, 1];

/** The commands, repeated in a loop; some entries are pasted blocks. */
const TYPED = [
  ...["status", "add venus", "generate 3", "add mars", "words", "eval words", "set log json", "status", "plan"],
  ...["generate 5 1.2 ma", "words", "set log_every 50", "eval words", "save", "help", "set", "set log text"],
  ...["eval", "generate 2 0.5 q", "stop", "forget venus", "frobnicate", "pause", "version", "load", "resume"],
  ...["fetch", "chunk 0 4", "chunk 768 4", "fetched", "receive 120", `data 0 ${"QUJD".repeat(20)}`, "received"],
  ...["cancel", "set log_every 100", "stream", "stop", "forget mars", "eval words", "é\x1b[A", "x".repeat(130)],
  ...[
    "eval",
    "save\nsave\nload\nload\nsave",
    "eval\nsave\nsave\nload\nresume",
    "eval\nload\nadd mars\nsave\nfetch\nresume",
  ],
];
/** Commands that bring the board to a defined state at the end. */
const LAST = [
  "set log text",
  "cancel",
  "add venus",
  "forget venus",
  "forget mars",
  ...Array.from({ length: 8 }, () => "set"),
];

/**
 * The last line of --stats.
 * @typedef {{ readonly heap: Readonly<Record<"slots" | "chunks" | "stack" | "peak" | "usedSlots" | "usedChunks", number>>,
 *   readonly collections: number }} Usage
 */

await build();
const steps = Number(process.argv[2] ?? 50_000);
const planned = await most();
/** @type {Usage["heap"][]} */
const heaps = [];
for (const share of SHARES) heaps.push(await soak(Math.round(share * steps)));
for (const { peak, usedSlots, usedChunks } of heaps) {
  const grown = usedSlots + usedChunks - heaps[0].usedSlots - heaps[0].usedChunks;
  if (peak <= planned && grown <= LONGER_NUMBERS) continue;
  console.error(`Of ${planned} planned bytes ${peak} were used; memory in use grew by ${grown}.`);
  process.exitCode = 1;
}

/** Bytes that the memory plan allots to the model and to commands. */
async function most() {
  const program = startProgram(["plan", "--json"]);
  let said = "";
  program.stdout.on("data", (text) => (said += text));
  await once(program, "close");
  const { total, commands } = /** @type {{ total: number, commands: number }} */ (JSON.parse(said));
  return total + commands;
}

/** @param {number} steps */
async function soak(steps) {
  const settings = [`steps=${steps}`, `save_every=${SAVED_EVERY}`, "samples=5"];
  const board = startProgram(["simulate", "--engine", "xs", "--xs-bits", "32", "--stats", ...settings]);
  let [said, complaint] = ["", ""];
  let isOver = false;
  board.stdout.setEncoding("utf8").on("data", (text) => {
    // Queued commands answer at once when the training ends, so its last line may be far from the end of the output.
    said += text;
    isOver ||= /=== Done ===|"type":"done"/.test(said);
    said = said.slice(-200);
  });
  board.stderr.setEncoding("utf8").on("data", (text) => (complaint += text));
  const closed = once(board, "close");
  await Promise.race([once(board.stdout, "data"), closed]);
  const begin = performance.now();
  let typed = 0;
  /** @param {string} line */
  const type = async (line) => {
    board.stdin.write(`${line}\n`);
    typed++;
    await wait(TYPED_EVERY);
  };
  // Even the shortest run executes every command. Then leave out those that pause or go back, or the training would
  // never end; repeat `resume`, since a busy board may have missed it.
  const onward = ["resume", ...TYPED.filter((line) => !/load|fetch|pause/.test(line))];
  while ((!isOver || typed < LEAST_CYCLES * TYPED.length) && board.exitCode === null)
    await type(typed < LEAST_CYCLES * TYPED.length ? TYPED[typed % TYPED.length] : onward[typed % onward.length]);
  // When idle it needs the same memory, whatever came before.
  await type("stop");
  await wait(LAST_WORK);
  for (const line of LAST) await type(line);
  await wait(LAST_WORK);
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  board.stdin.end();
  await closed;
  if (board.exitCode !== 0) throw new Error(complaint);
  /** @type {Usage} */
  const { heap, collections } = JSON.parse(complaint.trimEnd().split("\n").at(-1) ?? ""); // after "Building ..."
  console.log(
    `${steps} steps in ${seconds} s, ${typed} commands, ${collections} collections: peak slots ${heap.slots}, ` +
      `chunks ${heap.chunks}, stack ${heap.stack}, taken ${heap.peak}; at the end slots ${heap.usedSlots}, chunks ${heap.usedChunks}`,
  );
  return heap;
}

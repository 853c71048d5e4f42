// npm run test:soak: the device program in the simulator, with the memory of the device, trains while somebody
// types whatever there is to type, and saves all the time. What it takes of the heap must not depend on how
// long it does. node scripts/soak.mjs [steps, 50000]
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { build } from "./build.mjs";
import { startProgram } from "./processes.mjs";

/** Milliseconds between two commands, and seconds between two saves. */
const TYPED_EVERY = 20;
const SAVED_EVERY = 0.1;
/** Every command is typed so often at the least, also where there is nothing more to train. */
const LEAST_CYCLES = 2;
/** Milliseconds for what is still under way in the end. */
const LAST_WORK = 1000;
/** Bytes that more digits take in the strings that are kept. */
const LONGER_NUMBERS = 100;
/** Shares of the steps that are trained on, to see whether the last takes more than those before. */
const SHARES = [0.1, 0.4, 1];

/** What is typed, over and over; now and then all at once. */
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
/** And what brings it into one state in the end. */
const LAST = [
  "set log text",
  "cancel",
  "add venus",
  "forget venus",
  "forget mars",
  ...Array.from({ length: 8 }, () => "set"),
];

/**
 * What --stats ends with.
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
  console.error(`Of ${planned} bytes that are planned ${peak} were taken; ${grown} more than at first are kept.`);
  process.exitCode = 1;
}

/** What the plan has for the model and for commands. */
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
    // What waited answers at once when the training is over: its last line may be far from the end of what has come.
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
  // Also the shortest run meets every command. Whoever goes back or pauses for ever never comes to an end; a busy board
  // may have missed that it was to go on.
  const onward = ["resume", ...TYPED.filter((line) => !/load|fetch|pause/.test(line))];
  while ((!isOver || typed < LEAST_CYCLES * TYPED.length) && board.exitCode === null)
    await type(typed < LEAST_CYCLES * TYPED.length ? TYPED[typed % TYPED.length] : onward[typed % onward.length]);
  // At rest it needs the same, whatever it has done.
  await type("stop");
  await wait(LAST_WORK);
  for (const line of LAST) await type(line);
  await wait(LAST_WORK);
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  board.stdin.end();
  await closed;
  if (board.exitCode !== 0) throw new Error(complaint);
  /** @type {Usage} */
  const { heap, collections } = JSON.parse(complaint.trimEnd().split("\n").at(-1) ?? ""); // behind "Building ..."
  console.log(
    `${steps} steps in ${seconds} s, ${typed} commands, ${collections} collections: at the most slots ${heap.slots}, ` +
      `chunks ${heap.chunks}, stack ${heap.stack}, taken ${heap.peak}; in the end slots ${heap.usedSlots}, chunks ${heap.usedChunks}`,
  );
  return heap;
}

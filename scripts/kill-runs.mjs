// npm run test:killed-runs: trainings that save often are killed (SIGKILL) at random moments and resumed until they
// finish. Their checkpoints and --jsonl records must then be byte-identical to those of an undisturbed training.
// node scripts/kill-runs.mjs [kills, 500] [seed] [factor for the length of a run, 1]
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { build } from "./build.mjs";
import { NAMES, processesWith, startProgram } from "./processes.mjs";

const CHECKPOINT = "checkpoint.safetensors";
/** The file of --jsonl; a board has none. */
const RECORDS = "records.jsonl";
/** Maximum time until the kill, in milliseconds; an undisturbed run takes some seconds. */
const LONGEST_LIFE = 500;
/** The same from the start of a save. */
const LONGEST_SAVE = 3;
/** Characters of a run's output that are printed on failure. */
const SHOWN = 500;
/** Time within which a process must exit after its parent, in milliseconds. */
const STOP_TIMEOUT_MS = 2000;

await build();
/** @type {typeof import("../src/gpt/index")} */
const { Random } = await import(new URL("../dist/index.js", import.meta.url).href);

const kills = Number(process.argv[2] ?? 500);
const seed = Number(process.argv[3] ?? (Date.now() % 0xffffffff) + 1);
const share = Number(process.argv[4] ?? 1);
const random = new Random(seed);
console.log(`seed ${seed}`);

/**
 * The command line of a run. All runs save their checkpoint under the same name in `folder`.
 * @typedef {(folder: string, isAgain: boolean) => readonly string[]} Place
 */

/** @type {(engine: "node" | "xs" | "either", steps: number, options?: readonly string[]) => Place} */
const training =
  (engine, steps, options = []) =>
  (folder, isAgain) => [
    ...[
      "train",
      "--engine",
      engine === "either" ? ["node", "xs"][random.index(2)] : engine,
      "--data",
      NAMES,
      "--samples",
      "0",
      "--save-every",
      "0.02",
      "--log-every",
      "50",
    ],
    ...["--save", join(folder, CHECKPOINT), "--jsonl", join(folder, RECORDS)],
    ...(isAgain ? ["--resume", join(folder, CHECKPOINT)] : ["--steps", String(share * steps), ...options]),
  ];

/** @type {(engine: string, steps: number, chip: string, settings?: readonly string[]) => Place} */
const board =
  (engine, steps, chip, settings = []) =>
  (folder) => [
    ...["simulate", "--engine", engine, "--chip", chip, "--data", NAMES, "--storage", folder],
    ...["save_every=0.05", "samples=0", `steps=${share * steps}`, ...settings],
  ];

/** @type {readonly (readonly [name: string, Place])[]} */
const PLACES = [
  ["train on node", training("node", 20_000, ["--holdout", "20"])],
  ["train on xs", training("xs", 120_000)],
  ["simulate on xs", board("xs", 120_000, "esp32")],
  // Integers give the same bits on both engines.
  ["train in i32, on node or xs", training("either", 8000, ["--dtype", "i32"])],
  ["simulate a C3 on xs", board("xs", 12_000, "esp32c3")],
  ["train on node, moments in words", training("node", 3000, ["--preset", "tuned"])],
  ["simulate on xs, moments in words", board("xs", 12_000, "esp32", ["moments=bf16", "n_embd=36"])],
];

const root = mkdtempSync(join(tmpdir(), "esp32gpt-kills-"));
try {
  for (const [i, [name, place]] of PLACES.entries()) {
    const isGood = await killRuns(name, place, Math.floor((kills + i) / PLACES.length));
    if (!isGood) process.exitCode = 1;
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}

/**
 * @param {string} name
 * @param {Place} place
 * @param {number} count
 * @returns {Promise<boolean>} whether all runs ended as expected
 */
async function killRuns(name, place, count) {
  const folder = (/** @type {string} */ of) => {
    mkdirSync(join(root, of), { recursive: true });
    return join(root, of);
  };
  const undisturbed = folder(name);
  if ((await live(place, undisturbed, false)).ending !== "over") return false;
  const expected = readFileSync(join(undisturbed, CHECKPOINT));
  const records = recordsOf(undisturbed);

  const found = { kills: 0, withinSave: 0, runs: 0, equal: 0, sameRecords: 0, lost: 0, troubles: 0, leftovers: 0 };
  while (found.kills < count) {
    const run = folder(`${name} ${found.runs++}`);
    /** @type {Awaited<ReturnType<typeof live>>["ending"]} */
    let ending = "killed";
    for (let step = 0; ending === "killed";) {
      const had = existsSync(join(run, CHECKPOINT));
      const life = await live(place, run, found.kills < count);
      ({ ending } = life);
      if (ending === "killed") found.kills++;
      if (ending === "trouble") found.troubles++;
      if (ending === "killed" && readdirSync(run).some((file) => file.endsWith(".tmp"))) found.withinSave++;
      if ((had && !existsSync(join(run, CHECKPOINT))) || (life.from ?? step) < step) found.lost++;
      step = life.from ?? step;
    }
    if (ending === "over" && readFileSync(join(run, CHECKPOINT)).equals(expected)) found.equal++;
    if (recordsOf(run) === records) found.sameRecords++;
    found.leftovers += readdirSync(run).filter((file) => file !== CHECKPOINT && file !== RECORDS).length;
  }
  for (const until = performance.now() + STOP_TIMEOUT_MS; processesWith(root) > 0 && performance.now() < until;)
    await wait(100);
  const left = processesWith(root);
  console.log(
    `${name}: ${found.kills} kills (${found.withinSave} during a save) in ${found.runs} runs, of which ` +
      `${found.equal} end like an undisturbed one and ${found.sameRecords} have its records; ${found.lost} checkpoints lost, ${found.troubles} refused, ` +
      `${found.leftovers} leftovers, ${left} processes left`,
  );
  return (
    found.equal === found.runs &&
    found.sameRecords === found.runs &&
    found.lost + found.troubles + found.leftovers + left === 0
  );
}

/** @param {string} folder */
function recordsOf(folder) {
  const file = join(folder, RECORDS);
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

/**
 * Starts the program in a folder, new or resumed, and kills it or lets it finish.
 * @param {Place} place
 * @param {string} folder
 * @param {boolean} isKilled
 * @returns {Promise<{ ending: "killed" | "over" | "trouble", from: number | undefined }>} from: the step at which it
 * resumed, if it printed that
 */
async function live(place, folder, isKilled) {
  const child = startProgram(place(folder, existsSync(join(folder, CHECKPOINT))));
  let [said, complaint] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => {
    said += text;
    // A board runs until its serial port is closed.
    if (/=== Done ===|trained already/.test(said)) child.stdin.end();
  });
  child.stderr.setEncoding("utf8").on("data", (text) => (complaint += text));
  const closed = new Promise((resolve) => child.on("close", resolve));
  if (isKilled) {
    // Some are killed during start-up or while reading the checkpoint.
    if (random.index(8) > 0) await Promise.race([closed, new Promise((resolve) => child.stdout.once("data", resolve))]);
    await Promise.race([closed, wait(share * LONGEST_LIFE * random.uniform())]);
    // Half of them are killed shortly after a save has begun.
    if (random.index(2) === 0) await Promise.race([closed, saving(folder)]);
    child.kill("SIGKILL");
  }
  await closed;
  const from = /Going on with step (\d+)\./.exec(said)?.[1];
  // Overfitting to a short dataset is expected here, and so is the first build of XS.
  const troubles = complaint.replace(/^(esp32gpt: The validation loss has risen|Building ).*\n/gm, "");
  const isSound = troubles === "" && !/cannot be used|kept as/.test(said);
  const isOver = child.exitCode === 0;
  if (!isSound || (!isOver && child.signalCode !== "SIGKILL"))
    console.error(`${folder}: ${(said + complaint).slice(-SHOWN)}`);
  const ending = !isSound ? "trouble" : isOver ? "over" : child.signalCode === "SIGKILL" ? "killed" : "trouble";
  return { ending, from: from === undefined ? undefined : Number(from) };
}

/**
 * Resolves during a save, or shortly after it.
 * @param {string} folder
 */
async function saving(folder) {
  const watcher = watch(folder);
  const timeout = wait(STOP_TIMEOUT_MS); // The run may have ended.
  await Promise.race([timeout, new Promise((resolve) => watcher.on("change", resolve))]);
  watcher.close();
  const until = performance.now() + LONGEST_SAVE * random.uniform();
  while (performance.now() < until);
}

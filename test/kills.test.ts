import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./helpers";
import { outcomeOf, start, temporaryFolder } from "./support/cli";
import { RECEIVED, STORED } from "../src/device/checkpoint-files";
import { soon } from "./support/programs";
import { skipUnless } from "./support/skipping";

/* What kills leave. A long run of the first test: npm run test:killed-runs. */

const at = temporaryFolder();
const { test: linux } = skipUnless(process.platform === "linux", "what kills leave; it looks into /proc");

linux(
  "a training that is killed again and again ends like one that was not",
  async () => {
    // As many kills, any seed, a fifth of a run's usual length.
    const options = ["scripts/kill-runs.mjs", "12", String(1 + (Date.now() % 1e9)), "0.2"];
    const { code, stdout, stderr } = await outcomeOf(spawn(process.execPath, options, { cwd: ROOT }));
    console.info(stdout);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.match(/: [23] kills /g)).toHaveLength(5);
  },
  120_000,
);

test.each(["node", "xs"])("a board on %s removes what killed saves have left", async (engine) => {
  const folder = at(`flash-${engine}`);
  mkdirSync(folder, { recursive: true });
  const dead = execFileSync("sh", ["-c", "echo $$"], { encoding: "utf8" }).trim();
  for (const name of [STORED, RECEIVED]) writeFileSync(join(folder, `${name}.${dead}.tmp`), "half");
  const living = `${STORED}.${process.pid}.tmp`;
  for (const name of [living, "notes.tmp"]) writeFileSync(join(folder, name), "of somebody else");
  const program = start("simulate", "--engine", engine, "--storage", folder, "steps=1", "samples=0");
  program.stdin.end();
  const { code, stderr } = await outcomeOf(program);
  expect([code, stderr]).toEqual([0, ""]);
  const left = readdirSync(folder).filter((name) => name.endsWith(".tmp"));
  expect(left.sort()).toEqual([living, "notes.tmp"]);
});

linux("a process that has ended, and that nobody has asked how, does not keep what it has left", async () => {
  // The shell becomes a program that does not wait for its children.
  const parent = spawn("sh", ["-c", "sleep 0.2 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
  try {
    const [pid] = (await once(parent.stdout, "data")) as [Buffer];
    const leftover = `${at("orphaned")}.${String(pid).trim()}.tmp`;
    writeFileSync(leftover, "half");
    await soon(() => readFileSync(`/proc/${String(pid).trim()}/stat`, "utf8").includes(" Z "));
    expect((await outcomeOf(start("train", "--steps", "1", "--samples", "0", "--save", at("orphaned")))).code).toBe(0);
    expect(existsSync(leftover)).toBe(false);
  } finally {
    parent.kill();
  }
});

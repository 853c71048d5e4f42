import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { skipUnless } from "./support/skipping";
import { TerminalProgram } from "./support/terminal";

/* Ctrl-Z and fg in a shell with job control, which bash in Python's pty is. */

const hasPty =
  process.platform === "linux" &&
  spawnSync("python3", ["-c", "import pty"]).status === 0 &&
  spawnSync("bash", ["-c", "true"]).status === 0;
const withShell = skipUnless(hasPty, "Ctrl-Z and fg, which need Linux, Python and bash");

const CTRL_C = "\x03";
const CTRL_Z = "\x1a";
const SHOW_CURSOR = /\x1b\[\?25h/;
const HIDE_CURSOR = /\x1b\[\?25l/;
const PROMPT = /bash-[\d.]+[#$] /;
const SMALL = "--engine node n_embd=4 n_head=1 steps=1000000000 log_every=1000000 save_every=0";

withShell.describe("after Ctrl-Z and fg", () => {
  let shell: TerminalProgram;

  beforeEach(() => {
    shell = new TerminalProgram(["bash", "--norc", "--noprofile", "-i"]);
  });
  afterEach(() => shell.kill());

  const run = (command: string): void => shell.type(`'${process.execPath}' ${join("bin", "esp32gpt.js")} ${command}\r`);

  /** Types, and waits for what is shown from then on. */
  async function expectShown(typed: string, ...shown: RegExp[]): Promise<void> {
    const before = shell.shown.length;
    shell.type(typed);
    for (const text of shown) await shell.until(text, before);
  }

  /** The shell has the terminal: it shows what is typed, and carries it out. */
  const expectShell = (): Promise<void> => expectShown("echo is-$((40+2))\r", /echo is-\$/, /is-42/);

  test("the live monitor takes what is typed, draws itself anew, and can be suspended again", async () => {
    run(`monitor --simulate -- ${SMALL}`);
    await shell.until(/step \d+\/1000000000 │ training/);
    for (let round = 0; round < 2; round++) {
      await expectShown("stat", /> stat/);
      await expectShown(CTRL_Z, /Stopped/, SHOW_CURSOR);
      await expectShell();
      await expectShown("fg\r", /step \d+\/1000000000 │ training/, /> stat/);
      await expectShown("us\r", /Step \d+ of 1000000000/);
      await expectShown("version\r", /Version simulator/);
    }
    await expectShown(CTRL_C, PROMPT);
    await expectShown("echo code-$?\r", /code-130/);
    await expectShell();
  });

  test("the live monitor that was stopped from elsewhere takes what is typed, whatever mode the terminal was left in", async () => {
    run(`monitor --simulate -- ${SMALL}`);
    await shell.until(/step \d+\/1000000000 │ training/);
    const before = shell.shown.length;
    const pid = childOf(childOf(shell.pid));
    process.kill(pid, "SIGSTOP");
    await shell.until(/Stopped/, before);
    await expectShell();
    await expectShown("stty sane\r", PROMPT);
    await expectShown("fg\r", /step \d+\/1000000000 │ training/);
    await expectShown("version\r", /Version simulator/);
    await expectShown(CTRL_C, PROMPT);
  });

  test("a training goes on; its cursor is shown meanwhile, and XS rests", async () => {
    run("train --engine xs --steps 1000000000");
    await shell.until(/step \d+\/1000000000 \| loss/);
    const xs = childOf(childOf(childOf(shell.pid)));
    await expectShown(CTRL_Z, SHOW_CURSOR, /Stopped/);
    await untilStopped(xs, true);
    await expectShell();
    await expectShown("fg\r", HIDE_CURSOR, /step \d+\/1000000000 \| loss/);
    await untilStopped(xs, false);
    await expectShown(CTRL_C, SHOW_CURSOR, PROMPT);
  });

  test.each(["node", "xs"])("a simulator on %s answers", async (engine) => {
    run(`simulate ${SMALL.replace("node", engine)}`);
    await shell.until(/Training for/);
    await expectShown("version\r", /Version simulator/);
    await expectShown(CTRL_Z, /Stopped/);
    await expectShell();
    await expectShown("fg\r", /simulate/);
    await expectShown("version\r", /Version simulator/);
    await expectShown(CTRL_C, PROMPT);
  });

  test("where no shell watches over it, Ctrl-Z is no end", async () => {
    shell.kill();
    const words = ["bin/esp32gpt.js", "monitor", "--simulate", "--", ...SMALL.split(" ")];
    shell = new TerminalProgram([process.execPath, ...words]);
    await shell.until(/step \d+\/1000000000 │ training/);
    await expectShown(CTRL_Z, SHOW_CURSOR);
    await expectShown("version\r", /Version simulator/);
    shell.type(CTRL_C);
    expect(await shell.ended).toBe(130);
  });
});

/** The only process that another has started. */
function childOf(pid: number): number {
  const { stdout } = spawnSync("pgrep", ["-P", String(pid)], { encoding: "utf8" });
  expect(stdout).toMatch(/^\d+\n$/);
  return Number(stdout);
}

async function untilStopped(pid: number, isStopped: boolean): Promise<void> {
  const isSo = (): boolean => /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, "utf8")) === isStopped;
  for (let i = 0; i < 250 && !isSo(); i++) await setTimeout(20);
  expect(isSo()).toBe(true);
}

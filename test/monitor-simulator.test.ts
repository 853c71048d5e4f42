import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hasPty, monitorInTerminal, type TerminalProgram } from "./support/terminal";
import { esp32gpt, makeLink, newFolder, outcomeOf, start, temporaryFolder } from "./support/cli";
import { soon, until } from "./support/programs";
import { Cable, SimulatedBoard, SMALL } from "./support/simulator";
import { skipUnless } from "./support/skipping";

/* The monitor and the device simulator, both as a user starts them. */

const at = temporaryFolder();
const ON_NODE = ["--engine", "node"];
const CTRL_C = "\x03";

const { test: withPty } = skipUnless(hasPty, "the monitor at a terminal with the simulator: Linux and Python");

/** The numbers of all processes that a process has started, and these in turn. */
function descendants(pid: number): number[] {
  const { stdout } = spawnSync("pgrep", ["-P", String(pid)], { encoding: "utf8" });
  const children = stdout.trim() === "" ? [] : stdout.trim().split("\n").map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function isAlive(pid: number): boolean {
  return spawnSync("kill", ["-0", String(pid)]).status === 0;
}

async function expectGone(pids: readonly number[]): Promise<void> {
  expect(pids.length).toBeGreaterThan(0);
  await soon(() => !pids.some(isAlive));
}

async function typeAndLeave(terminal: TerminalProgram): Promise<void> {
  const asked = performance.now();
  terminal.type(CTRL_C);
  expect(await terminal.ended).toBe(130);
  expect(performance.now() - asked).toBeLessThan(2000);
}

/** The commands that a session has sent, by its log. */
function typed(log: string): string[] {
  const lines = readFileSync(log, "utf8").matchAll(/ > @\d+ [0-9a-f]{8} (.*)/g);
  return Array.from(lines, ([, command]) => command);
}

describe("--simulate", () => {
  withPty("at a terminal shows the curve, answers, and leaves the board to people", async () => {
    const terminal = monitorInTerminal(["--simulate", "--log", at("log"), "--", "steps=1000000000", "holdout=1"]);
    try {
      await terminal.until(/Connected to the simulator/);
      await terminal.until(/step \d+\/1000000000 │ training │ loss \d\.\d+ │ smoothed \d\.\d+ │ val /);
      await terminal.until(/\d\.\d+┤/);
      terminal.type("status\r");
      await terminal.until(/Step \d+ of 1000000000, loss \d\.\d{4}; training\./);
      terminal.type("version\r");
      await terminal.until(/Version simulator "goldcrest" on XS\./);
      terminal.type("dance\r");
      await terminal.until(/There is no command dance/);
      await typeAndLeave(terminal);
    } finally {
      terminal.kill();
    }
    const log = readFileSync(at("log"), "utf8").trimEnd().split("\n");
    const farewell = log.findIndex((line) => / > @\d+ [0-9a-f]{8} set log text$/.test(line));
    const [, id] = / > @(\d+) /.exec(log[farewell]) ?? [];
    expect(log.slice(farewell).join("\n")).toMatch(new RegExp(` < \\{"n":\\d+,"type":"ack","id":${id},"ok":true,`));
  });

  test("in a pipe is text both ways, and leaves nothing behind", async () => {
    const program = start(
      "monitor",
      "--simulate",
      "--",
      "--storage",
      newFolder(at("flash")),
      "steps=1000000000",
      "samples=7",
    );
    await until(program, "stdout", /=== esp32gpt: microgpt in TypeScript on XS ===[^]*Training for 1000000000 steps/);
    program.stdin.write("status\n");
    await until(program, "stdout", /Step \d+ of 1000000000/);
    const pids = descendants(program.pid ?? 0);
    const outcome = outcomeOf(program);
    program.kill("SIGTERM");
    const { code, stderr } = await outcome;
    expect([code, stderr]).toEqual([143, ""]);
    await expectGone(pids);
  });

  test("gets the sentence of a simulator that will not start", async () => {
    const { code, stderr } = await esp32gpt("monitor", "--simulate", "--", "stepps=5");
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^esp32gpt: .*stepps.*\nThe connection to the simulator is gone\.\n$/),
    ]);
  });

  withPty("at a terminal shows the sentence of a simulator that will not start", async () => {
    const terminal = monitorInTerminal(["--simulate", "--", "stepps=5"]);
    expect(await terminal.ended).toBe(1);
    expect(terminal.shown).toMatch(/stepps/);
    expect(terminal.shown).toContain("The connection to the simulator is gone.");
  });

  withPty("shows how far a transfer is", async () => {
    const terminal = monitorInTerminal(["--simulate", "--fetch", at("shown"), "--", ...ON_NODE, ...SMALL]);
    expect(await terminal.ended).toBe(0);
    expect(terminal.shown).toMatch(/\d+% \| \d+\/\d+ bytes \| .* left/);
    expect(terminal.shown).toMatch(/Fetched \d+ bytes, after \d+ steps, into .*shown\./);
  });

  test("carries a checkpoint both ways", async () => {
    const flash = newFolder(at("both"));
    const simulator = ["--", ...ON_NODE, ...SMALL, "--storage", flash];
    const fetched = await esp32gpt("monitor", "--simulate", "--fetch", at("fetched"), ...simulator);
    expect([fetched.code, fetched.stderr]).toEqual([0, ""]);
    expect(fetched.stdout).toMatch(/^Fetched \d+ bytes, after \d+ steps, into .*fetched\.\n$/);
    expect(readFileSync(at("fetched")).equals(readFileSync(join(flash, "checkpoint.safetensors")))).toBe(true);
    const sent = await esp32gpt("monitor", "--simulate", "--send", at("fetched"), ...simulator);
    expect([sent.code, sent.stderr]).toEqual([0, ""]);
    expect(sent.stdout).toMatch(/^Sent \d+ bytes, after \d+ steps, from .*fetched\.\n$/);
  });
});

describe("a board that", () => {
  let board: SimulatedBoard;
  beforeAll(async () => {
    mkdirSync(at("stored"), { recursive: true });
    board = await SimulatedBoard.start(...ON_NODE, ...SMALL, "save_every=0", "--storage", at("stored"));
  });
  afterAll(() => board.stop());

  const stored = (): Buffer => readFileSync(at("stored/checkpoint.safetensors"));
  const leftovers = (): string[] => readdirSync(at(".")).filter((name) => name.endsWith(".tmp"));

  test("is fetched into the file behind a link, and speaks to people again", async () => {
    writeFileSync(at("old"), "old");
    makeLink(at("old"), at("link"));
    const { code, stderr } = await esp32gpt(
      ...["monitor", "--port", board.address, "--fetch", at("link"), "--log", at("fetching")],
    );
    expect([code, stderr]).toEqual([0, ""]);
    expect(lstatSync(at("link")).isSymbolicLink()).toBe(true);
    expect(readFileSync(at("old")).equals(stored())).toBe(true);
    expect(leftovers()).toEqual([]);
    expect(typed(at("fetching")).slice(-2)).toEqual(["fetched", "set log text"]);
  });

  test.each(["fetch", "send"])("is told when a %s is stopped, within two seconds", async (how) => {
    const file = at(`stopped-${how}`);
    if (how === "send") writeFileSync(file, stored());
    const cable = await Cable.lay(board);
    const program = start("monitor", "--port", cable.address, `--${how}`, file, "--log", at(`stopping-${how}`));
    let asked = Infinity;
    cable.carried = () => {
      if (asked < Infinity || !/"type":"chunk"|"next":[1-9]/.test(cable.said)) return;
      asked = performance.now();
      program.kill("SIGINT");
    };
    const { code, stdout, stderr } = await outcomeOf(program);
    expect(performance.now() - asked).toBeLessThan(2000);
    expect([code, stdout, stderr]).toEqual([130, "", ""]);
    const farewell = how === "fetch" ? "fetched" : "cancel";
    expect(typed(at(`stopping-${how}`)).slice(-2)).toEqual([farewell, "set log text"]);
    expect([existsSync(at("stopped-fetch")), leftovers()]).toEqual([false, []]);
    cable.cut();
  });

  test("is cut off while it is fetched leaves no file, and is fetched the next time", async () => {
    const cable = await Cable.lay(board);
    cable.carried = () => cable.said.includes('"type":"chunk"') && cable.cut();
    const { code, stdout, stderr } = await esp32gpt("monitor", "--port", cable.address, "--fetch", at("torn"));
    expect([code, stdout, stderr]).toEqual([1, "", `The connection to ${cable.address} is gone.\n`]);
    expect([existsSync(at("torn")), leftovers()]).toEqual([false, []]);
    expect((await esp32gpt("monitor", "--port", board.address, "--fetch", at("torn"))).code).toBe(0);
    expect(readFileSync(at("torn")).equals(stored())).toBe(true);
  });

  test("is cut off while it is sent something keeps what it has, and takes it the next time", async () => {
    const model = await esp32gpt(
      ...["train", "--steps", "20", "--samples", "0", "--n-embd", "4", "--n-head", "1", "--save", at("model")],
    );
    expect(model.stderr).toBe("");
    const before = stored();
    const cable = await Cable.lay(board);
    cable.carried = () => /"next":[1-9]\d\d\d/.test(cable.said) && cable.cut();
    const cut = await esp32gpt("monitor", "--port", cable.address, "--send", at("model"));
    expect([cut.code, cut.stderr]).toEqual([1, `The connection to ${cable.address} is gone.\n`]);
    expect(stored().equals(before)).toBe(true);
    const sent = await esp32gpt("monitor", "--port", board.address, "--send", at("model"));
    expect([sent.code, sent.stderr]).toEqual([0, ""]);
    const program = start("monitor", "--port", board.address);
    program.stdin.write("status\n");
    await until(program, "stdout", /Step 20 of 20/);
    program.kill("SIGINT");
    await once(program, "exit");
  });

  test("refuses a checkpoint says why", async () => {
    await esp32gpt(..."train --steps 1 --samples 0 --n-embd 8 --save".split(" "), at("large"));
    const before = stored();
    const { code, stderr } = await esp32gpt("monitor", "--port", board.address, "--send", at("large"));
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^esp32gpt: .*n_embd 8, not 4/)]);
    expect(stored().equals(before)).toBe(true);
  });

  withPty("goes away and comes back is spoken to again", async () => {
    let cable = await Cable.lay(board);
    const terminal = monitorInTerminal(["--port", cable.address, "--reconnect"]);
    try {
      for (let round = 0; round < 2; round++) {
        const before = terminal.shown.length;
        await terminal.until(/Connected to/, before);
        await terminal.until(/step \d+\/\d+ │/, before);
        terminal.type("status\r");
        await terminal.until(/Step \d+ of \d+.*\./, before);
        cable.cut();
        await terminal.until(/Waiting for tcp/, before);
        cable = await Cable.lay(board, cable.port);
      }
      await terminal.until(/Connected to[^]*Connected to[^]*Connected to/);
      await typeAndLeave(terminal);
    } finally {
      terminal.kill();
      cable.cut();
    }
  });
});

withPty("a serial cable is waited for, and again when it was pulled", async () => {
  const port = at("ttyUSB3");
  const simulator = [process.execPath, "bin/esp32gpt.js", "simulate", ...ON_NODE, ...SMALL];
  const terminal = monitorInTerminal(["--port", port]);
  let cable: ReturnType<typeof spawn> | undefined;
  try {
    await terminal.until(/Waiting for .*ttyUSB3\.\.\./);
    for (let round = 0; round < 2; round++) {
      const before = terminal.shown.length;
      const plugged = (cable = spawn("python3", [
        "-c",
        "import os, pty, subprocess, sys, tty\n" +
          "ours, theirs = pty.openpty()\n" +
          "tty.setraw(theirs)\n" +
          `os.symlink(os.ttyname(theirs), ${JSON.stringify(port)})\n` +
          `board = subprocess.Popen(${JSON.stringify(simulator)}, stdin=ours, stdout=ours)\n` +
          "print('plugged', flush=True)\n" +
          "sys.stdin.read()\n" +
          "board.terminate()\n" +
          "board.wait()\n",
      ]));
      await until(plugged, "stdout", /plugged/);
      await terminal.until(/Connected to .*ttyUSB3/, before);
      await terminal.until(/step \d+\/\d+ │ training/, before);
      terminal.type("status\r");
      await terminal.until(/Step \d+ of \d+.*\./, before);
      rmSync(port);
      plugged.stdin.end();
      await once(plugged, "exit");
      await terminal.until(/Waiting for .*ttyUSB3/, before);
    }
    terminal.type("status\r");
    await terminal.until(/has not been sent/);
    await typeAndLeave(terminal);
  } finally {
    terminal.kill();
    cable?.stdin?.end();
  }
});

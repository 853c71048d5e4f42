import { type ChildProcessWithoutNullStreams, execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { outcomeOf, start } from "./support/cli";
import { until } from "./support/programs";

/* Back pressure: the simulator reads what its board takes, and sends what its reader takes. */

const SMALL = ["n_embd=4", "n_head=1", "steps=1000000000", "log_every=1000000", "save_every=0"];
/** What pipes, sockets and streams may hold between a test and a board. */
const MAX_BYTES_BETWEEN = 16 << 20;
/** Memory by which the process may grow: a heap that is collected now and then. */
const MAX_GROWTH_KB = 96 << 10;
const FLOOD_MS = 2500;

function memoryOf(pid = 0): number {
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" }));
}

function childrenOf(pid = 0): number[] {
  return spawnSync("pgrep", ["-P", String(pid)], { encoding: "utf8" })
    .stdout.split("\n")
    .filter(Boolean)
    .map(Number);
}

/** How many files processes have open. */
function openFilesOf(pids: readonly (number | undefined)[]): number {
  const { stdout } = spawnSync("ls", pids.map((pid) => `/proc/${pid}/fd`), { encoding: "utf8" }); // prettier-ignore
  return stdout.split("\n").length;
}

/** Writes as fast as it is taken; returns how to stop, and how many bytes were taken. */
function flood(target: Writable, text: string): () => number {
  const piece = Buffer.from(text.repeat(Math.ceil((64 << 10) / text.length)));
  let bytes = 0;
  let isOn = true;
  const write = (): void => {
    if (!isOn) return;
    target.write(piece, () => {
      bytes += piece.length;
      setImmediate(write);
    });
  };
  target.on("error", () => undefined);
  write();
  return () => {
    isOn = false;
    return bytes;
  };
}

/** What ends with a test, however that ends. */
const begun: (() => void)[] = [];

afterEach(() => {
  for (const end of begun.splice(0)) end();
});

async function joined(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1").on("error", () => undefined);
  begun.push(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** Asks over a connection until there is an answer. */
async function expectAnswer(socket: Socket): Promise<void> {
  const answers = answersOf(socket);
  socket.write("\nstatus\n");
  for (let i = 0; i < 500 && answers() === 0; i++) await setTimeout(20);
  expect(answers()).toBeGreaterThan(0);
}

function answersOf(stream: Readable): () => number {
  let count = 0;
  stream.on("data", (bytes: Buffer) => (count += String(bytes).split("training.").length - 1));
  return () => count;
}

async function expectFlatDuring(program: ChildProcessWithoutNullStreams, target: Writable): Promise<void> {
  const before = memoryOf(program.pid);
  const stop = flood(target, "status\n");
  await setTimeout(FLOOD_MS);
  expect(stop()).toBeLessThan(MAX_BYTES_BETWEEN);
  expect(memoryOf(program.pid) - before).toBeLessThan(MAX_GROWTH_KB);
}

async function expectSoonOver(program: ChildProcessWithoutNullStreams, code: number): Promise<void> {
  const ended = once(program, "exit");
  const asked = performance.now();
  program.kill("SIGINT");
  expect((await ended)[0]).toBe(code);
  expect(performance.now() - asked).toBeLessThan(3000);
}

describe.each(["node", "xs"])("a board on %s", (engine) => {
  const simulate = (...options: string[]): ChildProcessWithoutNullStreams => {
    const program = start("simulate", "--engine", engine, ...options, ...SMALL);
    begun.push(() => program.kill("SIGKILL"));
    return program;
  };
  const listening = async (): Promise<[program: ChildProcessWithoutNullStreams, port: number]> => {
    const program = simulate("--listen", "127.0.0.1:0");
    const said = await until(program, "stderr", /:\d+\n/);
    return [program, Number(/:(\d+)\n/.exec(said)?.[1])];
  };

  test("takes commands from a pipe as it can, answers meanwhile, and is switched off by a signal", async () => {
    const program = simulate();
    await until(program, "stdout", /Training for/);
    const answers = answersOf(program.stdout);
    await expectFlatDuring(program, program.stdin);
    expect(answers()).toBeGreaterThan(20);
    await expectSoonOver(program, 130);
  });

  test("takes commands over TCP as it can, answers meanwhile, and is there for the next", async () => {
    const [program, port] = await listening();
    const first = await joined(port);
    const answers = answersOf(first);
    await expectFlatDuring(program, first);
    expect(answers()).toBeGreaterThan(20);
    await expectAnswer(await joined(port));
    await expectSoonOver(program, 130);
  });

  test("does not grow while nobody reads what it says, and is switched off by a signal", async () => {
    const program = simulate();
    await until(program, "stdout", /Training for/);
    program.stdout.pause();
    await expectFlatDuring(program, program.stdin);
    // What is held back of its answers is little.
    let held = 0;
    program.stdout.on("data", (bytes: Buffer) => (held += bytes.length));
    await expectSoonOver(program, 130);
    expect(held).toBeLessThan(1 << 20);
  });

  test("does not grow while nobody reads what it says over TCP, and is there for the next", async () => {
    const [program, port] = await listening();
    const deaf = await joined(port);
    deaf.pause();
    await expectFlatDuring(program, deaf);
    await expectAnswer(await joined(port));
    await expectSoonOver(program, 130);
  });

  test("that is told to receive again and again leaves nothing open", async () => {
    const program = simulate();
    await until(program, "stdout", /Training for/);
    const outcome = outcomeOf(program);
    const pids = [program.pid, ...childrenOf(program.pid)];
    const before = openFilesOf(pids);
    program.stdin.write("receive 1000\n".repeat(300));
    program.stdin.write("receive 1000\ncancel\n".repeat(100));
    for (let i = 0; i < 20; i++) {
      program.stdin.write("receive 1000\nreceive 1000\n");
      await setTimeout(100);
      expect(openFilesOf(pids)).toBeLessThan(before + 20);
    }
    program.stdin.end("data 0 YW\ncancel\nversion\n");
    const { code, stdout, stderr } = await outcome;
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/Version simulator/);
  });

  test("carries out all that came before the end of its input, then its power goes", async () => {
    const program = simulate();
    await until(program, "stdout", /Training for/);
    const outcome = outcomeOf(program);
    program.stdin.end("status\n".repeat(40));
    const { code, stdout, stderr } = await outcome;
    expect([code, stderr, stdout.match(/training\./g)?.length]).toEqual([0, "", 40]);
  });
});

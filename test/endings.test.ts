import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { Checkpoint } from "../src/gpt/checkpoint/reader";
import { ROOT } from "./helpers";
import { esp32gpt, outcomeOf, start, temporaryFolder, makePipe } from "./support/cli";
import { MemoryStorage } from "./support/memory-storage";
import { soon } from "./support/programs";
import { skipUnless } from "./support/skipping";

/* How commands end: by a signal, by a reader that leaves, by a disk that is full. */

const at = temporaryFolder();
const SIGNALS = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const;
const MAX_MILLISECONDS = 2000;

beforeAll(async () => {
  writeFileSync(at("names"), "emma\nolivia\nava\n");
  await esp32gpt("train", "--steps", "20", "--samples", "0", "--save", at("model"));
});

async function stepsSaved(file: string): Promise<number> {
  return (await Checkpoint.open(new MemoryStorage({ m: readFileSync(file) }), "m")).step;
}

describe.each(["node", "xs"])("on %s", (engine) => {
  test.each(SIGNALS)("%s ends the training in order, saves, and leaves %i", async (signal, code) => {
    const file = at(`saved-${engine}-${code}`);
    const program = start("train", "--engine", engine, "--steps", "10000000", "--save", file);
    const outcome = outcomeOf(program);
    await once(program.stdout, "data");
    const asked = performance.now();
    program.kill(signal);
    const { code: exitCode, stdout, stderr } = await outcome;
    expect(performance.now() - asked).toBeLessThan(MAX_MILLISECONDS);
    expect([exitCode, stderr]).toEqual([code, ""]);
    const [, steps] = /\nStopped after (\d+) of 10000000 steps\.\nSaved to [^\n]*\n$/.exec(stdout) ?? [];
    expect(await stepsSaved(file)).toBe(Number(steps));
  });

  test.each(SIGNALS)("%s ends a hundred million names", async (signal, code) => {
    const program = start("generate", "--engine", engine, "--model", at("model"), "-n", "100000000");
    const outcome = outcomeOf(program);
    await once(program.stdout, "data");
    const asked = performance.now();
    program.kill(signal);
    const { code: exitCode, stderr } = await outcome;
    expect(performance.now() - asked).toBeLessThan(MAX_MILLISECONDS);
    expect([exitCode, stderr]).toEqual([code, ""]);
  });

  test("a reader that leaves does not cost the checkpoint", async () => {
    const file = at(`left-${engine}`);
    const program = start("train", "--engine", engine, "--steps", "2000", "--save", file);
    program.stdout.once("data", () => program.stdout.destroy());
    const { code, stderr } = await outcomeOf(program);
    expect([code, stderr]).toEqual([0, ""]);
    expect(await stepsSaved(file)).toBe(2000);
  });

  test("a reader that leaves ends what was done for it alone", async () => {
    const program = start("train", "--engine", engine, "--steps", "100000000");
    program.stdout.once("data", () => program.stdout.destroy());
    const { code, stderr } = await outcomeOf(program);
    expect([code, stderr]).toEqual([0, ""]);
  });

  test("a reader that takes nothing does not keep the end waiting", async () => {
    const program = start("generate", "--engine", engine, "--model", at("model"), "-n", "100000000");
    await once(program.stdout, "readable");
    await new Promise((resolve) => setTimeout(resolve, 500)); // until the pipe is full
    const asked = performance.now();
    program.kill("SIGTERM");
    const [code] = (await once(program, "exit")) as [number];
    expect(performance.now() - asked).toBeLessThan(MAX_MILLISECONDS);
    expect(code).toBe(143);
  });
});

function openFiles(pid = 0): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).map((fd) => {
    try {
      return readlinkSync(`${folder}/${fd}`);
    } catch {
      return ""; // It has just been closed.
    }
  });
}

test("SIGINT ends the wait for names from a pipe", async () => {
  makePipe(at("pipe"));
  const program = start("train", "--data", at("pipe"));
  const outcome = outcomeOf(program);
  await soon(() => openFiles(program.pid).includes(at("pipe")));
  program.kill("SIGINT");
  expect(await outcome).toEqual({ code: 130, stdout: "", stderr: "" });
});

test("SIGINT ends the wait for somebody who reads the records", async () => {
  makePipe(at("records-pipe"));
  const program = start("train", "--jsonl", at("records-pipe"));
  const outcome = outcomeOf(program);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  program.kill("SIGINT");
  expect(await outcome).toEqual({ code: 130, stdout: "", stderr: "" });
});

test("the XS process does not outlive a parent that is killed", async () => {
  const mark = at("orphan");
  const program = start("train", "--engine", "xs", "--steps", "100000000", "--save", mark);
  await once(program.stdout, "data");
  const isRunning = (): boolean =>
    readCommandLines().some((line) => line.includes("esp32gpt-xs") && line.includes(mark));
  expect(isRunning()).toBe(true);
  program.kill("SIGKILL");
  await once(program, "exit");
  await soon(() => !isRunning());
});

/** Of all processes; with /proc where there is one, else by ps. */
function readCommandLines(): string[] {
  if (!existsSync("/proc/self/cmdline"))
    return execFileSync("ps", ["-axo", "command"], { encoding: "utf8" }).split("\n");
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        return ""; // It has just ended.
      }
    });
}

const FULL = "/dev/full";
skipUnless(existsSync(FULL), `full disks, which need ${FULL}`).describe.each(["node", "xs"])(
  "with a full disk, on %s",
  (engine) => {
    const train = (redirection: string, ...options: string[]): ReturnType<typeof outcomeOf> =>
      outcomeOf(
        spawn("sh", ["-c", `exec "$0" "$@" ${redirection}`, process.execPath, "bin/esp32gpt.js", "train", ...options], {
          cwd: ROOT,
        }),
      );

    test("standard output's trouble is a sentence, and the model is saved", async () => {
      const file = at(`full-${engine}`);
      const { code, stderr } = await train(`> ${FULL}`, "--engine", engine, "--steps", "30", "--save", file);
      expect([code, stderr]).toEqual([2, "esp32gpt: Cannot write to standard output: the disk is full.\n"]);
      expect(await stepsSaved(file)).toBe(30);
    });

    test("that of --jsonl does not cost the model", async () => {
      const file = at(`full-records-${engine}`);
      const options = ["--engine", engine, "--steps", "30", "--samples", "1", "--save", file, "--jsonl", FULL];
      const { code, stdout, stderr } = await train("", ...options);
      expect([code, stderr]).toEqual([2, "esp32gpt: Cannot write /dev/full: the disk is full.\n"]);
      expect(stdout).toMatch(/=== Done ===\n$/);
      expect(await stepsSaved(file)).toBe(30);
    });

    test("a file that may not grow is a sentence, and what was there stays", async () => {
      const file = at(`limited-${engine}`);
      writeFileSync(file, "before");
      const { code, stderr } = await outcomeOf(
        spawn(
          "sh",
          // In blocks of 512 bytes: less than a checkpoint has.
          ["-c", `ulimit -f 40; exec "$0" "$@"`, process.execPath, "bin/esp32gpt.js", "train"].concat(
            ["--engine", engine, "--steps", "3", "--samples", "0", "--save", file], //
          ),
          { cwd: ROOT },
        ),
      );
      expect(stderr).toMatch(/^esp32gpt: Cannot write [^\n]*limited-\w+: [^\n]*\.\n$/);
      expect(stderr).toMatch(/larger than a file may be/);
      expect(code).toBe(2);
      expect(readFileSync(file, "utf8")).toBe("before");
    });
  },
);

test("nothing is left behind", () => {
  expect(readdirSync(at(".")).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});

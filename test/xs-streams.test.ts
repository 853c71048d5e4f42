import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./helpers";
import { type Outcome, outcomeOf, start, temporaryFolder, makePipe } from "./support/cli";
import { until } from "./support/programs";
import { hostExecutable, type HostStart, runOnHost, startHost } from "./support/xs";
import { skipUnless } from "./support/skipping";

/* How the XS host gets what it is told, says what it has to say, and ends. */

const at = temporaryFolder();
let executable: string;

beforeAll(async () => {
  executable = await hostExecutable();
}, 600_000);

let bundles = 0;

function bundleOf(source: string): string {
  const file = at(`bundle-${bundles++}.js`);
  writeFileSync(file, source);
  return file;
}

/** Runs a bundle to its end, with an input. */
function run(source: string, input: string | Buffer, start?: HostStart): Promise<Outcome> {
  const child = startHost(executable, bundleOf(source), start);
  child.stdin.on("error", () => undefined).end(input);
  return outcomeOf(child);
}

describe("standard input", () => {
  /** Writes how long each line is, and how it begins. */
  const TELL = `host.setLineListener((line) => host.write(line === undefined ? "end\\n" : line.length + " " + line.slice(0, 3) + "\\n"));`;

  test("comes as lines, then undefined, once", async () => {
    expect(await run(TELL, "one\ntwo\r\n\nlast")).toEqual({
      code: 0,
      stderr: "",
      stdout: "3 one\n3 two\n0 \n4 las\nend\n",
    });
    expect(await run(TELL, "")).toMatchObject({ code: 0, stdout: "end\n" });
  });

  test("that is closed has ended", async () => {
    for (const shell of ['exec "$0" "$@" <&-', 'exec "$0" "$@" </dev/null', 'exec "$0" "$@" </'])
      expect(await run(TELL, "", { shell })).toEqual({ code: 0, stderr: "", stdout: "end\n" });
  });

  test("tells its end to who listens later, and to one only", async () => {
    const source = `const tell = (line) => { host.write(String(line) + "\\n"); host.setLineListener(tell); };
      host.setLineListener((line) => {
        host.write(line + "\\n");
        host.setLineListener(undefined);
        host.schedule(() => host.setLineListener(tell), 50);
      });`;
    expect(await run(source, "one\n")).toMatchObject({ code: 0, stdout: "one\nundefined\n" });
  });

  test("can end while something else is going on", async () => {
    const source = `let turns = 0, isOver = false;
      host.setLineListener((line) => (isOver = line === undefined));
      const turn = () => (isOver ? host.write("over") : ++turns < 1e6 && host.schedule(turn, 0));
      turn();`;
    expect(await run(source, "")).toMatchObject({ code: 0, stdout: "over" });
  });

  test("may have lines of 4,096 bytes; a longer one is passed over as a whole", async () => {
    const lines = [4095, 4096, 4097, 4098, 4099, 8192, 1_000_000].map((size, i) => `${i}..`.padEnd(size, "x"));
    const expected = "4095 0..\n4096 1..\n3 two\n";
    for (const end of ["\n", "\r\n"])
      expect(await run(TELL, `${lines.join(end)}${end}two${end}`)).toMatchObject({
        code: 0,
        stdout: `${expected}end\n`,
      });
    expect(await run(TELL, "x".repeat(5000))).toMatchObject({ code: 0, stdout: "end\n" });
    // Bytes, not characters, and none of them is taken for a line of its own.
    expect(await run(TELL, `${"é".repeat(2048)}\n${"é".repeat(2049)}\nü`)).toMatchObject({
      stdout: "2048 ééé\n1 ü\nend\n",
    });
  });

  test("that never waits is waited for", async () => {
    makePipe(at("pipe"));
    // A program in between opens it, because what a test could pass on would block.
    const opener = join(__dirname, "support", "nonblocking.mjs");
    const child = spawn(process.execPath, [opener, at("pipe"), executable, "--bundle", bundleOf(TELL)]);
    const outcome = outcomeOf(child);
    await once(child.stdout, "data");
    writeFileSync(at("pipe"), "late\n");
    expect(await outcome).toMatchObject({ stdout: "open\n4 lat\n" });
  });
});

describe("standard output", () => {
  const SAY = `
    function say(text) { try { host.write(text); } catch (error) { host.fail(error.message, 2); } }`;

  test("that is closed takes nothing, and nor does a file in its place", async () => {
    const source = `${SAY} const file = host.storage.create(${JSON.stringify(at("model"))});
      try { host.write("log"); } catch (error) { file.write(new Uint8Array([110])); file.commit(); host.fail(error.message, 2); }`;
    const { code, stderr } = await run(source, "", { shell: 'exec "$0" "$@" >&-' });
    expect([code, stderr, readFileSync(at("model"), "utf8")]).toEqual([
      2,
      "Cannot write to standard output: it is closed\n",
      "n",
    ]);
  });

  test("whose reader has gone is no reason to die", async () => {
    const child = startHost(executable, bundleOf(`${SAY} host.setLineListener(() => say("x".repeat(100000)));`));
    child.stdout.destroy();
    child.stdin.write("now\n");
    expect(await outcomeOf(child)).toMatchObject({
      code: 2,
      stderr: "Cannot write to standard output: the reader has left\n",
    });
  });

  const onLinux = skipUnless(
    process.platform === "linux",
    "a full standard output, for which only Linux has /dev/full",
  );
  onLinux.test("that is full says so", async () => {
    const { code, stderr } = await run(`${SAY} say("x");`, "", { shell: 'exec "$0" "$@" >/dev/full' });
    expect([code, stderr]).toEqual([2, "Cannot write to standard output: the disk is full\n"]);
  });
});

test("an exception cannot move the cursor, nor fill the screen", async () => {
  const { code, stderr } = await runOnHost(
    executable,
    bundleOf('throw new Error("\\u001b[2J\\u202e" + "x".repeat(1000));'),
  );
  expect(stderr).toMatch(/^Error: \\u\{1b\}\[2J\\u\{202e\}x+…\n {4}at .*\n$/);
  expect([code, stderr.length < 500]).toEqual([70, true]);
});

describe("the command line:", () => {
  beforeAll(() => {
    mkdirSync(at("folder"), { recursive: true });
    makePipe(at("fifo"));
    writeFileSync(at("large"), "");
    truncateSync(at("large"), 2 ** 31);
    writeFileSync(at("empty"), "");
    writeFileSync(at("fine.js"), "host.write(String(host.names && new Uint8Array(host.names).length));");
  });

  const call = (options: readonly string[]): Promise<Outcome> =>
    outcomeOf(spawn(executable, ["--bundle", at("fine.js"), ...options]));

  test.each<[string[], RegExp]>([
    [
      ["--chunks", "\u001b]0;x\u0007"],
      /^--chunks must be a whole number from 1024 to 1073741824, not "\\u\{1b\}\]0;x\\u\{7\}"\.\n$/,
    ],
    [["--slots", "9".repeat(1000)], /^--slots must be a whole number from 64 to \d+, not "9{60}…"\.\n$/],
    [["--stack", ""], /^--stack must be a whole number from 64 to \d+, not ""\.\n$/],
    ...[" 5", "+5", "5 ", "0x5", "1e3", "-1", "0"].map((value): [string[], RegExp] => [
      ["--heap-limit", value],
      /^--heap-limit must be a whole number from 1 to 1073741824, not ".+"\.\n$/,
    ]),
    [["--with-parent", "x"], /^--with-parent must be a whole number from 1 to \d+, not "x"\.\n$/],
    [["--\u202eoption", "x"], /^There is no option --\\u\{202e\}option\.\n$/],
    [["--names"], /^--names needs a value, or is not an option\.\n$/],
  ])("%j", async (options, message) => {
    const { code, stdout, stderr } = await call(options);
    expect(stderr).toMatch(message);
    expect([code, stdout]).toEqual([64, ""]);
  });

  test.each<[string, RegExp]>([
    ["folder", /^Cannot read .*folder: it is a folder\.\n$/],
    ["fifo", /^Cannot read .*fifo: it is not a regular file\.\n$/],
    ["missing", /^Cannot read .*missing: there is no such file or folder\.\n$/],
    ["large", /^Cannot read .*large: it has 2147483648 bytes, and this program reads up to 2147483647\.\n$/],
  ])("names that are a %s", async (name, message) => {
    const { code, stdout, stderr } = await call(["--names", at(name)]);
    expect(stderr).toMatch(message);
    expect([code, stdout]).toEqual([66, ""]);
  });

  test("no names are fine, and so is an empty file", async () => {
    expect(await call([])).toMatchObject({ code: 0, stdout: "undefined" });
    expect(await call(["--names", at("empty")])).toMatchObject({ code: 0, stdout: "0" });
  });

  test("a bundle that is none", async () => {
    const { code, stderr } = await outcomeOf(spawn(executable, ["--bundle", at("folder")]));
    expect(stderr).toMatch(/^Cannot read .*folder: it is a folder\.\n$/);
    expect(code).toBe(66);
  });
});

test("a list that is changed, cut and removed while XS trains on it changes nothing of what is learnt", async () => {
  const list = Array.from({ length: 3000 }, (_, i) => `${"abcdefgh"[i % 8]}${"klmno"[i % 5]}${"aei"[i % 3]}`).join(
    "\n",
  );
  const train = (name: string): ReturnType<typeof start> => {
    writeFileSync(at(name), list);
    const options = "train --engine xs --steps 30000 --log-every 1000 --samples 5 --data".split(" ");
    return start(...options, at(name));
  };
  const undisturbed = await outcomeOf(train("list"));
  expect(undisturbed).toMatchObject({ code: 0, stderr: "" });
  const program = train("changed");
  const begun = await until(program, "stdout", /step +1000\//);
  expect(begun).not.toMatch(/step 29999/);
  writeFileSync(at("changed"), list.replaceAll("a", "z"), { flag: "r+" });
  truncateSync(at("changed"), 0);
  rmSync(at("changed"));
  const { code, stdout, stderr } = await outcomeOf(program);
  expect([code, stderr, begun + stdout]).toEqual([0, "", undisturbed.stdout]);
});

describe("with a parent that dies,", () => {
  const FOREVER = "for (;;);";

  /** Starts a parent that starts the host, kills it when the host says something, and waits for the host's end. */
  async function orphan(...command: string[]): Promise<void> {
    // The host holds the other end of its output: it is open for as long as the host lives.
    const parent = spawn("sh", ["-c", 'exec 3<&0; "$0" "$@" --with-parent $$ <&3 & echo $!; wait'].concat(command));
    let output = "";
    parent.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    const ended = once(parent.stdout, "end");
    while (!output.includes("alive")) await once(parent.stdout, "data");
    parent.kill("SIGKILL");
    const timeout = setTimeout(() => process.kill(Number.parseInt(output), "SIGKILL"), 2000);
    const start = Date.now();
    await ended;
    clearTimeout(timeout);
    expect(Date.now() - start).toBeLessThan(2000);
  }

  test.each([
    ["busy", `host.schedule(() => { host.write("alive"); ${FOREVER} }, 0);`],
    ["not yet in its loop", `host.write("alive"); ${FOREVER}`],
    ["waiting for a line", 'host.write("alive"); host.setLineListener(() => undefined);'],
    ["waiting for a timer", 'host.write("alive"); host.schedule(() => undefined, 1e6);'],
  ])("a host that is %s ends", (_, source) => orphan(executable, "--bundle", bundleOf(source)));

  test("a host ends even before it begins", async () => {
    const bundle = bundleOf('host.write("alive");');
    const child = spawn(executable, ["--bundle", bundle, "--with-parent", "1"]);
    expect(await outcomeOf(child)).toEqual({ code: 70, stdout: "", stderr: "" });
    const ours = spawn(executable, ["--bundle", bundle, "--with-parent", String(process.pid)]);
    expect(await outcomeOf(ours)).toEqual({ code: 0, stdout: "alive", stderr: "" });
  });

  test("it ends where the system is not Linux, too", async () => {
    // Only the file that differs, in a program that is busy for ever.
    const engine = join(ROOT, "host", "xs", "engine");
    const busy = `#include "parent.h"
      #include <stdlib.h>
      #include <unistd.h>
      int main(int argc, char **argv) {
        parentFollow(atol(argv[argc - 1]));
        if (write(1, "alive", 5) == 5) for (;;);
      }`;
    writeFileSync(at("busy.c"), busy);
    const sources = [at("busy.c"), join(engine, "parent.c"), join(engine, "output.c")];
    execFileSync(process.env.CC ?? "cc", ["-U__linux__", "-std=gnu99", `-I${engine}`, ...sources, "-o", at("busy")]);
    await orphan(at("busy"));
  });
});

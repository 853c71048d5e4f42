import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { Noise } from "../src/client/noise";
import { XsbugFilter } from "../src/client/xsbug";
import { esp32gpt, outcomeOf, start, temporaryFolder } from "./support/cli";
import { BoardServer } from "./support/monitor";
import { expectRefusal, soon, until } from "./support/programs";
import { skipUnless } from "./support/skipping";
import { hasPty } from "./support/terminal";

const at = temporaryFolder();

describe("--reconnect", () => {
  test("waits for a server, at first and when it goes away, and keeps what is typed", async () => {
    const free = await BoardServer.listen();
    free.close();
    const program = start("monitor", "--port", free.address, "--reconnect");
    const outcome = outcomeOf(program);
    let said = "";
    program.stderr.on("data", (text) => (said += String(text)));
    const waiting = `Waiting for ${free.address}...\n`;
    program.stdin.write("status\n");
    await soon(() => said === waiting);
    for (const round of ["first", "second"]) {
      const server = await BoardServer.listen(free.port);
      const connection = await server.next();
      if (round === "first") expect(String((await once(connection, "data"))[0])).toBe("status\n");
      connection.end(`${round}\n`);
      server.close();
      await once(connection, "close");
    }
    await soon(() => said === waiting.repeat(3));
    program.kill("SIGINT");
    expect(await outcome).toEqual({ code: 130, stdout: "first\nsecond\n", stderr: waiting.repeat(3) });
  });

  test("is not for transfers, nor for the simulator", async () => {
    expectRefusal(await esp32gpt("monitor", "--fetch", "x", "--reconnect"), /cannot be used with/);
    expectRefusal(await esp32gpt("monitor", "--simulate", "--reconnect"), /cannot be used with/);
    expectRefusal(await esp32gpt("monitor", "--", "--storage", "x"), /need --simulate/);
  });
});

const withPty = skipUnless(hasPty, "a cable that is pulled and plugged in, which needs Linux and Python");

/** A cable whose other end says who it is, under a name that lasts; pulled by killing it. */
async function plugIn(name: string, text: string): Promise<ChildProcessWithoutNullStreams> {
  const fresh = `${name}.new`;
  const cable = spawn("python3", [
    "-c",
    "import os, pty, sys, time, tty\n" +
      "ours, theirs = pty.openpty()\n" +
      "tty.setraw(theirs)\n" +
      `os.symlink(os.ttyname(theirs), ${JSON.stringify(fresh)})\n` +
      `os.rename(${JSON.stringify(fresh)}, ${JSON.stringify(name)})\n` +
      "print('plugged', flush=True)\n" +
      `while True: os.write(ours, ${JSON.stringify(`${text}\n`)}.encode()); time.sleep(0.1)\n`,
  ]);
  await until(cable, "stdout", /plugged/);
  return cable;
}

withPty.test("a cable is waited for, and again when it was pulled", async () => {
  const port = at("ttyUSB7");
  const program = start("monitor", "--port", port, "--reconnect");
  let said = "";
  program.stderr.on("data", (text) => (said += String(text)));
  await soon(() => said !== "");
  for (const text of ["one", "two"]) {
    const cable = await plugIn(port, text);
    await until(program, "stdout", new RegExp(text));
    // The name goes first: what it names may soon be a terminal of somebody else.
    rmSync(port);
    cable.kill("SIGKILL");
    await once(cable, "exit");
  }
  await soon(() => said === `Waiting for ${port}...\n`.repeat(3));
  program.kill("SIGTERM");
  await once(program, "exit");
  expect([program.exitCode, said]).toEqual([143, `Waiting for ${port}...\n`.repeat(3)]);
});

withPty.test("another board in the place of one is noticed, however fast", async () => {
  const port = at("ttyUSB8");
  const program = start("monitor", "--port", port, "--reconnect");
  await until(program, "stderr", /Waiting/);
  const cables = [await plugIn(port, "one")];
  await until(program, "stdout", /one/);
  // The first is silent, and does not end; its name is that of the second at once.
  cables[0].kill("SIGSTOP");
  cables.push(await plugIn(port, "two"));
  await until(program, "stdout", /two/);
  program.kill("SIGTERM");
  await once(program, "exit");
  expect(program.exitCode).toBe(143);
  for (const cable of cables) cable.kill("SIGKILL");
});

describe("what is meant for xsbug", () => {
  const TALK =
    'ready <3\r\n\r\n<?xs.3FFB1234?>\r\n<xsbug><login name="esp32gpt" value="XS"/></xsbug>\r\n' +
    "\r\n<?xs.3FFB1234?>\r\n<xsbug><log>=== &lt;esp32gpt ===</log></xsbug>\r\nlater\n";

  test("is taken out however it is cut, and told once", () => {
    for (let size = 1; size <= TALK.length; size++) {
      let found = 0;
      const filter = new XsbugFilter(() => found++);
      let shown = "";
      for (let i = 0; i < TALK.length; i += size) shown += filter.take(TALK.slice(i, i + size));
      shown += filter.finish();
      expect([shown.replace(/[\r\n]+/g, "\n"), found]).toEqual(["ready <3\nlater\n", 1]);
    }
  });

  test("and what only looks so is shown", () => {
    const filter = new XsbugFilter(() => fail());
    expect(filter.take("a <xsb") + filter.take("us> <?x") + filter.finish()).toBe("a <xsbus> <?x");
    expect(filter.take("a <") + filter.take("b")).toBe("a <b");
  });

  test("is answered with one sentence", async () => {
    const server = await BoardServer.listen();
    const { program, board } = await server.connected();
    const outcome = outcomeOf(program);
    program.stdin.end();
    board.end(TALK);
    const { code, stdout, stderr } = await outcome;
    server.close();
    expect([code, stdout.replace(/[\r\n]+/g, "\n")]).toEqual([0, "ready <3\nlater\n"]);
    expect(stderr).toMatch(/^This is a debug build, which talks to xsbug[^\n]*npm run debug[^\n]*\n$/);
  });
});

describe("what is hardly text", () => {
  const bytes = (length: number): Buffer =>
    Buffer.from(Array.from({ length }, (_, i) => (i * 37 + (i >> 3) * 11) & 255));

  test("is noticed once, and text in any script is not", () => {
    let found = 0;
    const noise = new Noise(() => found++);
    for (const text of ["step    0/1000: loss = 3.2986\r\n", "たわ つじむ 😀\n", "\x1b[32mI (31) boot\x1b[0m\n"])
      noise.take(text.repeat(100));
    expect(found).toBe(0);
    for (let i = 0; i < 3; i++) noise.take(bytes(2000).toString());
    expect(found).toBe(1);
  });

  test("is answered with a sentence about the speed", async () => {
    const server = await BoardServer.listen();
    const { program, board } = await server.connected();
    const outcome = outcomeOf(program);
    program.stdin.end();
    board.end(bytes(3000));
    const { stderr } = await outcome;
    server.close();
    expect(stderr).toMatch(/^What comes is hardly text: is the speed right \(--baud\)\?[^\n]*460800[^\n]*\n$/);
  });
});

function fail(): never {
  throw new Error("there was nothing for the debugger");
}

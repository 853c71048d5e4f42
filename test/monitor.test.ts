import { once } from "node:events";
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { connect as connectSocket, type Socket } from "node:net";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { connect } from "../host/monitor/connection";
import { BoardText } from "../host/monitor/board-text";
import { choosePort, environmentPort } from "../host/monitor/ports";
import { converse } from "../host/monitor/terminal";
import { isVisible } from "../src/gpt/base/errors";
import { ROOT } from "./helpers";
import { esp32gpt, outcomeOf, start, temporaryFolder } from "./support/cli";
import { BoardServer } from "./support/monitor";
import { expectRefusal, until } from "./support/programs";
import { onPosix } from "./support/scripts";
import { skipUnless } from "./support/skipping";
import { hasPty } from "./support/terminal";

const at = temporaryFolder();

let server: BoardServer;
beforeEach(async () => {
  server = await BoardServer.listen();
});
afterEach(() => server.close());

describe("a session", () => {
  test("shows what the board says and sends what is typed, whole lines", async () => {
    const { program, board } = await server.connected();
    board.write("step    0/1000: loss = 3.2986\nwithout an end");
    expect(await until(program, "stdout", /end$/)).toBe("step    0/1000: loss = 3.2986\nwithout an end");
    program.stdin.write("sta");
    program.stdin.write("tus\ngenerate 5\n");
    let received = "";
    for await (const part of board.iterator({ destroyOnReturn: false })) {
      received += String(part);
      if (received.endsWith("5\n")) break;
    }
    expect(received).toBe("status\ngenerate 5\n");
    const outcome = outcomeOf(program);
    board.end();
    expect(await outcome).toEqual({ code: 1, stdout: "", stderr: `The connection to ${server.address} is gone.\n` });
  });

  test("stays, with its input at an end, until the board ends", async () => {
    const { program, board } = await server.connected();
    const outcome = outcomeOf(program);
    program.stdin.end("status\n");
    await once(board, "data");
    board.end("ready\n");
    expect(await outcome).toEqual({ code: 0, stdout: "ready\n", stderr: "" });
  });

  test.each(["typed", "piped in"])("that breaks while something is %s has failed", async (how) => {
    const { program, board } = await server.connected();
    const outcome = outcomeOf(program);
    if (how === "typed") program.stdin.write("status\n");
    else program.stdin.end("status\n");
    await once(board, "data");
    program.stdin.on("error", () => undefined);
    const typing = setInterval(() => how === "typed" && program.stdin.write("more\n"), 5);
    board.resetAndDestroy();
    const { code, stderr } = await outcome;
    clearInterval(typing);
    expect([code, stderr]).toEqual([1, `The connection to ${server.address} is gone.\n`]);
  });

  test("shows what would move the cursor, or cannot be seen, as its code", async () => {
    const { program, board } = await server.connected();
    const outcome = outcomeOf(program);
    program.stdin.end();
    board.write("a\tb\r\nclear: \x1b[2J\x07 c1: \x9b bidi: \u202e\u200b\ufeff latin: ");
    const smile = Buffer.from("é😀");
    board.write(Buffer.from([0xe9, 0x20]));
    for (const byte of smile) {
      board.write(Buffer.of(byte));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    board.end(smile.subarray(0, 1));
    const { stdout } = await outcome;
    expect(stdout).toBe(
      "a\tb\r\nclear: \\u{1b}[2J\\u{7} c1: \\u{9b} bidi: \\u{202e}\\u{200b}\\u{feff} latin: \\u{fffd} é😀\\u{fffd}",
    );
  });

  test("never hands a control character on, however its bytes are cut", () => {
    let seed = 1;
    const next = (most: number): number => (seed = (seed * 48271) % 0x7fffffff) % most;
    const text = new BoardText();
    for (let round = 0; round < 2000; round++) {
      const shown = text.decode(Uint8Array.from({ length: next(40) }, () => next(256)));
      const isSafe = (character: string): boolean =>
        "\n\r\t".includes(character) || isVisible(character.codePointAt(0) ?? 0);
      expect(Array.from(shown).filter((character) => !isSafe(character))).toEqual([]);
    }
  });

  test("reads no faster than its output is read", async () => {
    const { program, board } = await server.connected();
    const flood = Buffer.alloc(1 << 20, "0123456789abcde\n");
    // Nobody reads the program's output yet: most of it must wait in the board.
    for (let i = 0; i < 20; i++) board.write(flood);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const waiting = board.writableLength;
    expect(waiting).toBeGreaterThan(10 << 20);
    let length = 0;
    program.stdout.on("data", (bytes: Buffer) => (length += bytes.length));
    program.stdin.end();
    board.end();
    await once(program, "close");
    expect([length, program.exitCode]).toEqual([20 << 20, 0]);
  });

  test("sends no faster than the board takes it", async () => {
    const connection = new PassThrough({ highWaterMark: 1000 });
    const input = new PassThrough();
    const session = converse(connection, input, new PassThrough(), AbortSignal.timeout(500));
    connection.pause();
    let taken = 0;
    // Streams of Node 22 and newer take 64 KB.
    for (let i = 0; i < 5000; i++) {
      const isTaken = input.write("x".repeat(99) + "\n");
      taken++;
      if (!isTaken) await Promise.race([once(input, "drain"), new Promise((resolve) => setTimeout(resolve, 20))]);
      if (input.writableNeedDrain) break;
    }
    expect(taken).toBeLessThan(5000);
    expect(await session).toBe("stopped");
  });
});

describe("ends within two seconds", () => {
  const SIGNALS = [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const;

  async function expectEnd(program: ReturnType<typeof start>, signal: NodeJS.Signals, code: number): Promise<void> {
    const begin = Date.now();
    program.kill(signal);
    await once(program, "exit");
    expect([program.exitCode, program.signalCode]).toEqual([code, null]);
    expect(Date.now() - begin).toBeLessThan(2000);
  }

  /** Connections to a port that wait for an answer, where Linux says so. */
  function pending(port: number): number {
    const SYN_SENT = "02";
    const remote = `:${port.toString(16).toUpperCase().padStart(4, "0")} ${SYN_SENT} `;
    return readFileSync("/proc/net/tcp", "utf8").split(remote).length - 1;
  }

  onPosix.each(SIGNALS)("by %s, on a quiet board", async (signal, code) => {
    const { program, board } = await server.connected();
    board.write("ready\n");
    await until(program, "stdout", /ready/);
    await expectEnd(program, signal, code);
  });

  onPosix.each(SIGNALS)("by %s, while nobody reads its output", async (signal, code) => {
    const { program, board } = await server.connected();
    board.write(Buffer.alloc(4 << 20, "0123456789abcde\n"));
    await new Promise((resolve) => setTimeout(resolve, 500));
    await expectEnd(program, signal, code);
    board.destroy();
  });

  onPosix.each(SIGNALS)("by %s, while a server does not answer", async (signal, code) => {
    const program = start("monitor", "--port", `rfc2217://127.0.0.1:${server.port}`);
    await server.next();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await expectEnd(program, signal, code);
  });

  skipUnless(existsSync("/proc/net/tcp"), "an end while a host does not answer, which needs /proc").test(
    "while a host does not answer",
    async () => {
      const node = (code: string): ReturnType<typeof start> => spawn(process.execPath, ["-e", code]);
      const wait = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20000);";
      // It listens and never accepts. When its queue is full, further connections wait for ever.
      const deaf = node(
        `const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
        require("node:fs").writeSync(1, String(server.address().port));
        ${wait}
      });`,
      );
      const [port] = (await once(deaf.stdout, "data")) as [Buffer];
      const queue = Array.from({ length: 8 }, () =>
        connectSocket(Number(port), "127.0.0.1").on("error", () => undefined),
      );
      try {
        await new Promise((resolve) => setTimeout(resolve, 300));
        const before = pending(Number(port));
        const program = start("monitor", "--port", `tcp://127.0.0.1:${String(port)}`);
        const outcome = outcomeOf(program);
        while (pending(Number(port)) === before && program.exitCode === null)
          await new Promise((resolve) => setTimeout(resolve, 20));
        expect(program.exitCode).toBeNull();
        await expectEnd(program, "SIGINT", 130);
        expect(await outcome).toEqual({ code: 130, stdout: "", stderr: "" });
      } finally {
        deaf.kill("SIGKILL");
        for (const socket of queue) socket.destroy();
      }
    },
  );
});

skipUnless(hasPty, "the monitor on a pseudo-terminal, which needs Linux and Python").describe("a serial device", () => {
  let device: ReturnType<typeof start>;
  let path: string;

  beforeEach(async () => {
    // What is written to it comes back, with a greeting.
    device = spawn("python3", [
      "-c",
      "import os, pty, tty\n" +
        "ours, theirs = pty.openpty()\n" +
        "tty.setraw(theirs)\n" +
        "print(os.ttyname(theirs), flush=True)\n" +
        "while True: os.write(ours, b'hello ' + os.read(ours, 100))\n",
    ]);
    path = (await until(device, "stdout", /\n/)).trim();
  });
  afterEach(() => void device.kill("SIGKILL"));

  test.each([
    ["is told when it goes away", 1, "gone"],
    ["ends by a signal", 143, ""],
  ])("%s", async (_what, code, message) => {
    const program = start("monitor", "--port", path, "--baud", "9600");
    const outcome = outcomeOf(program);
    program.stdin.write("status\n");
    await new Promise<void>((resolve) => {
      let said = "";
      program.stdout.on("data", (text) => {
        said += String(text);
        if (said.endsWith("status\n")) resolve();
      });
    });
    if (code === 1) device.kill("SIGKILL");
    else program.kill("SIGTERM");
    const { code: actual, stdout, stderr } = await outcome;
    expect([actual, stdout]).toEqual([code, "hello status\n"]);
    expect(stderr).toBe(message === "" ? "" : `The connection to ${path} is ${message}.\n`);
  });
});

describe("the output", () => {
  onPosix("whose reader leaves ends it quietly", async () => {
    const { program, board } = await server.connected();
    board.write("ready\n");
    await until(program, "stdout", /ready/);
    program.stdout.destroy();
    let said = "";
    program.stderr.on("data", (text) => (said += String(text)));
    const talking = setInterval(() => board.write("more\n"), 10);
    await once(program, "exit");
    clearInterval(talking);
    expect([program.exitCode, said]).toEqual([0, ""]);
  });

  const withFull = skipUnless(existsSync("/dev/full"), "a full output of the monitor, which needs /dev/full");
  withFull.test("that is full is told in a sentence", async () => {
    const full = openSync("/dev/full", "w");
    const program = spawn(process.execPath, ["bin/esp32gpt.js", "monitor", "--port", server.address], {
      cwd: ROOT,
      stdio: ["pipe", full, "pipe"],
    });
    closeSync(full);
    const board = await server.next();
    let said = "";
    program.stderr?.on("data", (text) => (said += String(text)));
    board.write("ready\n");
    await once(program, "close");
    expect([program.exitCode, said]).toEqual([
      2,
      "esp32gpt: The board's output cannot be written to standard output: the disk is full.\n",
    ]);
  });
});

describe("the port", () => {
  test("is refused in one sentence that says what is wrong with it", async () => {
    const expectRefused = async (options: string, message: RegExp): Promise<void> =>
      expectRefusal(await esp32gpt("monitor", "--port", ...options.split(" ")), message);
    server.close();
    await expectRefused(server.address, /could not be opened: the connection was refused/);
    await expectRefused(at("port"), /port could not be opened: /);
    await expectRefused(at("a\u202e\x1b[2Jport"), /a\\u\{202e\}\\u\{1b\}\[2Jport could not be opened: /);
    await expectRefused("tcp://board", /not an address.*tcp:\/\/127\.0\.0\.1:5555/);
    await expectRefused("rfc2217://127.0.0.1:99999", /not an address.*rfc2217:\/\//);
    await expectRefused(`${server.address} --reset`, /--reset.*TCP/);
    await expectRefused("x --baud fast", /--baud.*whole number/);
  });

  test("is found by itself when there is one chip of a known maker, else those that there are are listed", () => {
    const unknown = { path: "COM1" };
    const other = { path: "COM2", vendorId: "1234" };
    const espressif = { path: "COM3", vendorId: "303A" };
    const bridge = { path: "/dev/ttyUSB0", vendorId: "10c4" };
    const bluetooth = { path: "/dev/tty.Bluetooth-Incoming-Port" };
    expect(choosePort([unknown, espressif, other])).toBe("COM3");
    expect(choosePort([bridge, bluetooth])).toBe("/dev/ttyUSB0");
    expect(() => choosePort([espressif, bridge])).toThrow("COM3 (Espressif), /dev/ttyUSB0 (CP210x)");
    for (const only of [unknown, other]) expect(() => choosePort([bluetooth, only])).toThrow(`--port: ${only.path}.`);
    expect(() => choosePort([unknown, { path: "COM4" }, other])).toThrow("--port: COM1, COM4, COM2.");
    expect(() => choosePort([])).toThrow("no serial port");
    expect(() => choosePort([bluetooth])).toThrow("no serial port");
    expect(() => choosePort([{ path: "/dev/a\x1b[2J" }, unknown])).toThrow("--port: /dev/a\\u{1b}[2J, COM1.");
  });

  test("may be named by the environment, where --port does not", async () => {
    expect(environmentPort({ UPLOAD_PORT: "", ESPTOOL_PORT: "COM2" })).toBe("COM2");
    expect(environmentPort({})).toBeUndefined();
    const which = async (env: Record<string, string>, ...options: string[]): Promise<string> => {
      const program = spawn(process.execPath, [join("bin", "esp32gpt.js"), "monitor", "--which", ...options], {
        cwd: ROOT,
        env: { ...process.env, ...env },
      });
      const { code, stdout, stderr } = await outcomeOf(program);
      expect([code, stderr]).toEqual([0, ""]);
      return stdout;
    };
    expect(await which({ UPLOAD_PORT: "COM1", ESPTOOL_PORT: "COM2" })).toBe("COM1\n");
    expect(await which({ UPLOAD_PORT: "", ESPTOOL_PORT: "COM2" })).toBe("COM2\n");
    expect(await which({ UPLOAD_PORT: "COM1" }, "--port", "COM3")).toBe("COM3\n");
  });

  test("socket:// is esptool's word for tcp://", async () => {
    const [connection] = await Promise.all([
      connect({ port: `socket://127.0.0.1:${server.port}`, baud: 115200, reset: false }, new AbortController().signal),
      server.next().then((board: Socket) => board.end()),
    ]);
    connection.destroy();
  });
});

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { hasPty, monitorInTerminal, type TerminalProgram } from "./support/terminal";
import { temporaryFolder } from "./support/cli";
import { FakeDevice } from "./support/fake-device";
import { BoardServer } from "./support/monitor";
import { soon } from "./support/programs";
import { skipUnless } from "./support/skipping";

/* The monitor at a terminal, which Python's pty is. */

const at = temporaryFolder();
const withPty = skipUnless(hasPty, "the monitor at a terminal, which needs Linux and Python");

const CTRL_C = "\x03";
const UP = "\x1b[A";
const LEFT = "\x1b[D";

/** What the monitor itself sends to a terminal: it moves the cursor, erases, dims, inverts and colours. */
const OWN_CODES = /\x1b\[(?:\d*[AGJ]|\?25[hl]|[0-9]*m)|\x1b\[\?2004[hl]/g;

const plain = (shown: string): string => shown.replaceAll(OWN_CODES, "");

withPty.describe("at a terminal", () => {
  let server: BoardServer;
  let terminal: TerminalProgram;
  let device: FakeDevice;
  let board: Socket;
  let received: string[];

  beforeEach(async () => {
    server = await BoardServer.listen();
    received = [];
  });
  afterEach(() => {
    terminal.kill();
    server.close();
  });

  /** A monitor, connected to a device. */
  async function begin(
    options: ConstructorParameters<typeof FakeDevice>[2] = {},
    [columns, rows]: readonly [number, number] = [100, 30],
    environment: NodeJS.ProcessEnv = {},
  ): Promise<void> {
    terminal = monitorInTerminal(["--port", server.address, "--log", at("log")], columns, rows, environment);
    board = await server.next();
    device = new FakeDevice((line) => board.writable && board.write(`${line}\r\n`), new Uint8Array(10), options);
    board.on("data", (bytes: Buffer) => {
      for (const line of String(bytes)
        .split("\n")
        .filter((line) => line !== "")) {
        received.push(line);
        device.receive(line);
      }
    });
  }

  function train(steps: number, from = 0): void {
    for (let step = from; step < from + steps; step++) {
      const loss = 2.2 + Math.exp(-step / 100);
      const validation = step % 50 === 49 ? { validationLoss: loss + 0.1 } : {};
      device.emit("step", { step, steps: 1000, loss, mean: loss, isLogged: step % 100 === 0, ...validation });
    }
  }

  async function leave(code = 130): Promise<void> {
    const asked = performance.now();
    terminal.type(CTRL_C);
    expect(await terminal.ended).toBe(code);
    expect(performance.now() - asked).toBeLessThan(2000);
  }

  test("shows the log, the curve and how it stands, and leaves the board to people", async () => {
    await begin();
    await terminal.until(/Connected to tcp:.*Ctrl-C ends/);
    await terminal.until(/step 7\/1000 │ training/);
    for (let i = 0; i < 4; i++) {
      train(50, 50 * i);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    await terminal.until(
      /step 200\/1000 │ training │ loss 2\.3\d+ │ smoothed 2\.\d+ │ val 2\.4\d+ │ \d+ steps\/s │ 0 lost/,
    );
    expect(terminal.shown).toContain("step  100/1000: loss = 2.5679\r\n");
    expect(terminal.shown).toMatch(/smoothed loss ━, validation loss ●/);
    expect(terminal.shown).toMatch(/\d\.\d+┤/);
    await leave();
    expect(device.done).toEqual(["set log json", "set log text"]);
    expect(device.isJson).toBe(false);
    // The block is gone, the curve stays.
    expect(plain(terminal.shown)).toMatch(/0 lost\r\n$/);
    expect(readFileSync(at("log"), "utf8")).toMatch(/ < \{"n":0,"type":"hello"/);
  });

  test("sends what is typed and edited, gives lines back, and shows answers and refusals", async () => {
    await begin();
    await terminal.until(/training/);
    terminal.type("sttus");
    terminal.type(LEFT.repeat(3) + "a");
    await terminal.until(/> status/);
    terminal.type("\r");
    await terminal.until(/Step 7 of 1000\./);
    const before = terminal.shown.length;
    terminal.type(`${UP}\r`);
    await terminal.until(/Step 7 of 1000\./, before);
    terminal.type("dance\r");
    await terminal.until(/There is no command dance\./);
    expect(device.done).toEqual(["set log json", "status", "status", "dance"]);
    expect(received.every((line) => line.startsWith("@"))).toBe(true);
    await leave();
  });

  test("counts lines that are lost", async () => {
    await begin();
    await terminal.until(/training/);
    board.write(`{"n":5,"type":"step","cr`);
    train(1);
    train(2, 5);
    await terminal.until(/[1-9] lost/);
    await leave();
  });

  test("does not send what is half typed when the terminal goes away", async () => {
    await begin();
    await terminal.until(/training/);
    terminal.type("reset");
    await terminal.until(/> reset/);
    terminal.kill();
    await once(board, "close");
    expect(device.done).not.toContain("reset");
  });

  test("ends with Ctrl-D, too, and says when the board goes away", async () => {
    await begin();
    await terminal.until(/training/);
    terminal.type("\x04");
    expect(await terminal.ended).toBe(0);
    await begin();
    await terminal.until(/training/);
    board.destroy();
    expect(await terminal.ended).toBe(1);
    expect(terminal.shown).toMatch(/The connection to tcp:.* is gone\.\r\n$/);
  });

  test("shows an older firmware's text, and says so", async () => {
    await begin({ protocol: undefined });
    board.write("step    0/1000: loss = 3.2986\r\n");
    await terminal.until(/step {4}0\/1000: loss = 3\.2986\r\n/);
    await terminal.until(/does not answer.*Its output is shown as text, without a curve\./);
    terminal.type("generate 5\r");
    await soon(() => received.includes("generate 5"));
    await leave();
  });

  test("shows the text of another version of the protocol, and says so", async () => {
    await begin({ protocol: 2 });
    await terminal.until(/uses version 2 of the device protocol, this program version 1\. Its output is shown as text/);
    await soon(() => !device.isJson);
    board.write("step    0/1000: loss = 3.2986\r\n");
    await terminal.until(/3\.2986/);
    await leave();
  });

  test("asks a board that was restarted again", async () => {
    await begin();
    await terminal.until(/training/);
    device.restart();
    board.write("rst:0x1 (POWERON_RESET)\r\n");
    const before = terminal.shown.length;
    await soon(() => device.isJson);
    train(10);
    await terminal.until(/step 10\/1000/, before);
    await leave();
  });

  test("in a small window does without the curve, and without a line for it in a tiny one", async () => {
    await begin({}, [40, 12]);
    await terminal.until(/training/);
    train(200);
    await terminal.until(/step 200\/1000/);
    expect(terminal.shown).not.toContain("smoothed ━");
    await leave();
    await begin({}, [20, 3]);
    await terminal.until(/> /);
    await soon(() => device.isJson);
    train(1);
    await terminal.until(/loss = /);
    expect(terminal.shown).not.toContain("training");
    await leave();
  });

  test("that is dumb gets text, as a pipe does", async () => {
    await begin({}, [80, 24], { TERM: "dumb" });
    await terminal.until(/Connected/);
    board.write("step    0/1000: loss = 3.2986\r\n");
    await terminal.until(/3\.2986/);
    terminal.type("status\r");
    await terminal.until(/Step 7 of 1000/);
    expect(terminal.shown).not.toContain("\x1b");
    expect(received).toEqual(["status"]);
    await leave();
  });

  test("nothing that the board says moves the cursor or colours", async () => {
    await begin();
    await terminal.until(/training/);
    const evil = "\x1b[2J\x1b[31m\r\n\x07\x9b5n\u202e";
    device.emit("name", { number: 1, name: evil });
    device.emit("answer", { text: evil });
    device.emit("state", { state: evil, step: 1 });
    device.emit("start", { place: evil, parameters: 1, nHead: 1, nEmbd: 1, names: 1, steps: 1, batchSize: 1 });
    device.emit("saved", { file: evil, isEarly: true });
    board.write(`${evil}\r\n{"n":\x1b[2J}\r\n`);
    await terminal.until(/\\u\{9b\}5n[^]*\\u\{9b\}5n[^]*\\u\{9b\}5n[^]*\\u\{9b\}5n/);
    await leave();
    const shown = plain(terminal.shown);
    expect(shown).not.toMatch(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]/);
    expect(terminal.shown).not.toMatch(/\x1b\[(2J|31m)/);
  });

  test("a debug build is told in a sentence", async () => {
    await begin({ protocol: undefined });
    board.write('\r\n<?xs.3FFB1234?>\r\n<xsbug><login name="esp32gpt" value="XS"/></xsbug>\r\n');
    await terminal.until(/This is a debug build, which talks to xsbug/);
    expect(terminal.shown).not.toContain("login");
    await leave();
  });

  test.each(["text", "lines of the protocol"])(
    "a flood of 10 MB of %s leaves it responsive and small",
    async (what) => {
      await begin();
      await terminal.until(/training/);
      const pid = Number(readFileSync(`/proc/${terminal.pid}/task/${terminal.pid}/children`, "utf8").trim());
      const line = "0123456789abcdef".repeat(6) + "\r\n";
      /** Writes so much, or until the monitor leaves the board to people, to whom steps are not told as lines. */
      const flood = async (bytes: number): Promise<void> => {
        const begin = board.bytesWritten;
        const closed = new Promise((resolve) => board.once("close", resolve));
        for (let step = 0; board.bytesWritten - begin < bytes && board.writable && device.isJson; step += 100) {
          if (what === "text") board.write(line.repeat(100));
          else train(100, step);
          if (board.writableNeedDrain) await Promise.race([once(board, "drain"), closed]);
          else await new Promise(setImmediate);
        }
      };
      await flood(10 << 20);
      const before = terminal.shown.length;
      const asked = performance.now();
      terminal.type("abc");
      await terminal.until(/> abc/, before);
      expect(performance.now() - asked).toBeLessThan(3000);
      const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
      console.info(`The monitor's memory at its peak, with 10 MB of ${what}: ${Math.round(peak / 1024)} MB`);
      expect(peak).toBeLessThan(200 * 1024);
      const rest = flood(10 << 20).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 200));
      await leave();
      board.destroy();
      await rest;
    },
  );

  test("that takes nothing does not make it read on", async () => {
    await begin();
    await terminal.until(/training/);
    terminal.isRead = false;
    for (let i = 0; i < 20; i++) board.write(Buffer.alloc(1 << 20, "0123456789abcde\n"));
    // It takes what fits its buffers, and no more.
    let waiting = Infinity;
    for (let before = 0; before !== waiting; await new Promise((resolve) => setTimeout(resolve, 300)))
      [before, waiting] = [waiting, board.writableLength];
    expect(waiting).toBeGreaterThan(8 << 20);
    terminal.isRead = true;
    await leave();
    board.destroy();
  });
});

withPty.test("a training at a terminal ends with its curve, in a pipe without", async () => {
  const { TerminalProgram } = await import("./support/terminal");
  const command = ["bin/esp32gpt.js", "train", "--steps", "300", "--holdout", "5", "--samples", "2"];
  const program = new TerminalProgram([process.execPath, ...command], 80, 24);
  expect(await program.ended).toBe(0);
  expect(program.shown).toMatch(/smoothed loss/);
  expect(program.shown).toMatch(/┤/);
  expect(program.shown.indexOf("┤")).toBeLessThan(program.shown.indexOf("Generated names"));
  const piped = spawnSync(process.execPath, command, { encoding: "utf8", cwd: `${__dirname}/..` });
  expect(piped.stdout).not.toContain("┤");
});

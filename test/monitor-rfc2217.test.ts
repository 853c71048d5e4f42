import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { connect } from "../host/monitor/connection";
import { escapeData, TelnetReader } from "../host/monitor/telnet";
import { ROOT } from "./helpers";
import { esp32gpt, outcomeOf, start } from "./support/cli";
import { BoardServer } from "./support/monitor";
import { expectRefusal, until } from "./support/programs";
import { skipUnless } from "./support/skipping";

const never = new AbortController().signal;

test("telnet's commands are taken out of the data, however the bytes are cut", () => {
  const stream = [1, 255, 255, 255, 251, 44, 2, 255, 241, 255, 250, 44, 101, 255, 255, 7, 255, 240, 3, 255, 253, 0, 4];
  for (let size = 1; size <= stream.length; size++) {
    const heard: string[] = [];
    const reader = new TelnetReader({
      negotiated: (verb, option) => heard.push(`${verb} ${option}`),
      subnegotiated: (bytes) => heard.push(bytes.join(",")),
    });
    const data: number[] = [];
    for (let i = 0; i < stream.length; i += size) data.push(...reader.read(Uint8Array.from(stream.slice(i, i + size))));
    expect([data, heard]).toEqual([
      [1, 255, 2, 3, 4],
      ["251 44", "44,101,255,7", "253 0"],
    ]);
  }
  expect([...escapeData(Uint8Array.of(1, 255, 2))]).toEqual([1, 255, 255, 2]);
});

test("a subnegotiation without an end takes no memory, and is not passed on", () => {
  const heard: number[] = [];
  const reader = new TelnetReader({
    negotiated: () => undefined,
    subnegotiated: (bytes) => void heard.push(bytes.length),
  });
  expect([...reader.read(Uint8Array.of(255, 250, ...new Array<number>(100_000).fill(44), 255, 240, 9))]).toEqual([9]);
  expect(heard).toEqual([]);
});

describe("a server", () => {
  let server: BoardServer;
  beforeEach(async () => {
    server = await BoardServer.listen();
  });
  afterEach(() => server.close());
  const url = (): string => server.address.replace("tcp", "rfc2217");

  /** Answers what the monitor says with bytes, or with undefined not at all. */
  async function answering(answer: (said: Buffer) => readonly number[]): Promise<Socket> {
    const board = await server.next();
    board.on("data", (said: Buffer) => board.write(Uint8Array.from(answer(said))));
    return board;
  }

  test("that is no RFC 2217 is told so", async () => {
    const outcome = esp32gpt("monitor", "--port", url());
    // DONT COM_PORT
    void answering(() => [255, 254, 44]);
    expectRefusal(await outcome, /does not support RFC 2217/);
  });

  test("that closes is told so", async () => {
    const outcome = esp32gpt("monitor", "--port", url());
    (await server.next()).resetAndDestroy();
    expectRefusal(await outcome, /could not be opened: the other side has closed the connection/);
  });

  test("that has another speed is refused", async () => {
    const outcome = esp32gpt("monitor", "--port", url());
    // DO COM_PORT, and 9,600 baud
    void answering(() => [255, 253, 44, 255, 250, 44, 101, 0, 0, 0x25, 0x80, 255, 240]);
    expectRefusal(await outcome, /does not support 115200 baud: it is set to 9600/);
  });

  test("is refused what it wants and was not offered", async () => {
    let said = Buffer.alloc(0);
    let isFirst = true;
    const boards = answering((bytes) => {
      said = Buffer.concat([said, bytes]);
      if (!isFirst) return [];
      isFirst = false;
      // WILL ECHO, DO TERMINAL-TYPE, DO COM_PORT, its speed
      return [255, 251, 1, 255, 253, 24, 255, 253, 44, 255, 250, 44, 101, 0, 1, 0xc2, 0, 255, 240];
    });
    const port = await connect({ port: url(), baud: 115200, reset: false }, never);
    const board = await boards;
    port.end();
    await once(board, "end");
    expect(said.includes(Buffer.of(255, 254, 1))).toBe(true);
    expect(said.includes(Buffer.of(255, 252, 24))).toBe(true);
    port.destroy();
  });
});

const hasPySerial = spawnSync("python3", ["-c", "import serial.rfc2217"]).status === 0;

skipUnless(hasPySerial, "the monitor against pySerial's RFC 2217 server, which needs pySerial").describe(
  "with pySerial's server",
  () => {
    let server: ChildProcessWithoutNullStreams;
    let told = "";
    let url: string;

    beforeEach(async () => {
      told = "";
      server = spawn("python3", [join(ROOT, "test", "support", "serial-server.py")]);
      server.stderr.pipe(process.stderr);
      url = `rfc2217://127.0.0.1:${/listening (\d+)/.exec(await until(server, "stdout", /listening \d+\n/))?.[1] ?? ""}`;
      server.stdout.on("data", (text) => (told += String(text)));
    });
    afterEach(() => void server.kill("SIGKILL"));

    async function readBytes(port: Duplex, length: number): Promise<Buffer> {
      const parts: Buffer[] = [];
      for await (const part of port.iterator({ destroyOnReturn: false })) {
        parts.push(part as Buffer);
        if (Buffer.concat(parts).length >= length) break;
      }
      return Buffer.concat(parts);
    }

    test("every byte goes there and back, at the speed that was asked for", async () => {
      const port = await connect({ port: url, baud: 460800, reset: false }, never);
      const bytes = Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 7) & 255));
      port.write(bytes);
      expect((await readBytes(port, bytes.length)).equals(bytes)).toBe(true);
      expect(told).toContain("baud 460800 8N1\n");
      const ended = once(server, "exit");
      port.end();
      await ended;
      port.destroy();
    });

    test("--reset pulls EN down and lets the board start from flash", async () => {
      const program = start("monitor", "--port", url, "--reset");
      const outcome = outcomeOf(program);
      program.stdin.write("status\n");
      while (!told.includes("rts 0")) await once(server.stdout, "data");
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(told).toMatch(/dtr 0\nrts 1\n(baud .*\n)?rts 0\n$/);
      server.kill("SIGKILL");
      const { code, stdout, stderr } = await outcome;
      expect([code, stdout, stderr]).toEqual([1, "status\n", `The connection to ${url} is gone.\n`]);
    });
  },
);

const hasEspServer = spawnSync("esp_rfc2217_server", ["--help"]).status === 0;
const withEspServer = skipUnless(hasEspServer, "the monitor against esptool's RFC 2217 server; it is not installed");

withEspServer.test("with esptool's server, what is typed comes back from a port in a loop", async () => {
  const free = await BoardServer.listen();
  const { port } = free;
  free.close();
  const server = spawn("esp_rfc2217_server", ["-p", String(port), "loop://"]);
  try {
    let outcome;
    do {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const program = start("monitor", "--port", `rfc2217://127.0.0.1:${port}?ign_set_control`, "--reset");
      program.stdin.write("status\n");
      program.stdout.once("data", () => program.kill("SIGINT"));
      outcome = await outcomeOf(program);
    } while (outcome.stderr.includes("the connection was refused"));
    expect(outcome).toEqual({ code: 130, stdout: "status\n", stderr: "" });
  } finally {
    server.kill("SIGKILL");
  }
});

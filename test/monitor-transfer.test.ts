import { existsSync, lstatSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { dirname } from "node:path";
import { FakeDevice } from "./support/fake-device";
import { esp32gpt, outcomeOf, start, temporaryFolder } from "./support/cli";
import { BoardServer } from "./support/monitor";
import { expectRefusal } from "./support/programs";

const at = temporaryFolder();
let server: BoardServer;
let checkpoint: Uint8Array;

beforeAll(async () => {
  await esp32gpt("train", "--steps", "20", "--samples", "0", "--save", at("model"));
  checkpoint = Uint8Array.from(readFileSync(at("model")));
});
beforeEach(async () => {
  server = await BoardServer.listen();
});
afterEach(() => server.close());

interface Attached {
  readonly device: FakeDevice;
  readonly board: Awaited<ReturnType<BoardServer["next"]>>;
}

/** A device behind the next connection. */
async function attach(
  file: Uint8Array,
  options: ConstructorParameters<typeof FakeDevice>[2] = {},
  received: (line: string) => void = () => undefined,
): Promise<Attached> {
  const board = await server.next();
  const device = new FakeDevice((line) => board.writable && board.write(`${line}\r\n`), file, options);
  let rest = "";
  board.on("data", (bytes: Buffer) => {
    const lines = (rest + String(bytes)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines.filter((line) => line !== "")) {
      received(line);
      device.receive(line);
    }
  });
  return { device, board };
}

const leftovers = (): string[] => readdirSync(dirname(at("x"))).filter((name) => name.endsWith(".tmp"));

describe("--fetch", () => {
  test("saves the board's checkpoint, and lets it speak text again", async () => {
    const outcome = esp32gpt("monitor", "--port", server.address, "--fetch", at("fetched"));
    const { device } = await attach(checkpoint);
    const { code, stdout, stderr } = await outcome;
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toBe(`Fetched ${checkpoint.length} bytes, after 20 steps, into ${at("fetched")}.\n`);
    expect(Uint8Array.from(readFileSync(at("fetched")))).toEqual(checkpoint);
    expect(device.done.slice(-2)).toEqual(["fetched", "set log text"]);
    expect(device.isJson).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  test("replaces what is behind a link, and not the link", async () => {
    writeFileSync(at("old"), "old");
    symlinkSync(at("old"), at("link"));
    const outcome = esp32gpt("monitor", "--port", server.address, "--fetch", at("link"));
    await attach(checkpoint);
    expect((await outcome).code).toBe(0);
    expect(lstatSync(at("link")).isSymbolicLink()).toBe(true);
    expect(readFileSync(at("old")).length).toBe(checkpoint.length);
  });

  test("leaves the old file when what came is no checkpoint", async () => {
    writeFileSync(at("kept"), "old");
    const damaged = checkpoint.slice();
    damaged[damaged.length - 9] ^= 1;
    const outcome = esp32gpt("monitor", "--port", server.address, "--fetch", at("kept"));
    await attach(damaged);
    expectRefusal(await outcome, /What the board has sent cannot be used: its checksum/);
    expect([readFileSync(at("kept"), "utf8"), leftovers()]).toEqual(["old", []]);
  });

  test("is refused where no file can be written", async () => {
    for (const [path, message] of [
      ["-", /Cannot save to -/],
      ["/dev/null", /no regular file/],
      [dirname(at("x")), /it is a folder/],
    ] as const)
      expectRefusal(await esp32gpt("monitor", "--port", server.address, "--fetch", path), message);
    expectRefusal(await esp32gpt("monitor", "--fetch", at("a"), "--send", at("model")), /cannot be used with/);
    expectRefusal(
      await esp32gpt("monitor", "--port", server.address, "--fetch", at("a"), "--log", at("a")),
      /same file/,
    );
  });

  test("ends with exit code 1 when the board goes away, and leaves nothing", async () => {
    const outcome = esp32gpt("monitor", "--port", server.address, "--fetch", at("lost"));
    let lines = 0;
    const { board } = await attach(checkpoint, {}, () => ++lines === 5 && board.destroy());
    const { code, stdout, stderr } = await outcome;
    expect([code, stdout, stderr]).toEqual([1, "", `The connection to ${server.address} is gone.\n`]);
    expect([existsSync(at("lost")), leftovers()]).toEqual([false, []]);
  });

  test("ends within two seconds of Ctrl-C, tells the board, and leaves nothing", async () => {
    const program = start("monitor", "--port", server.address, "--fetch", at("stopped"));
    const outcome = outcomeOf(program);
    let lines = 0;
    let asked = 0;
    const { device } = await attach(checkpoint, {}, () => {
      if (++lines !== 5) return;
      asked = performance.now();
      program.kill("SIGINT");
    });
    const { code, stderr } = await outcome;
    expect(performance.now() - asked).toBeLessThan(2000);
    expect([code, stderr]).toEqual([130, ""]);
    expect(device.done.slice(-2)).toEqual(["fetched", "set log text"]);
    expect([existsSync(at("stopped")), leftovers()]).toEqual([false, []]);
  });

  test("says so when the board does not know the protocol, or another", async () => {
    const old = esp32gpt("monitor", "--port", server.address, "--fetch", at("none"));
    await attach(checkpoint, { protocol: undefined });
    expectRefusal(await old, /The board does not answer/);
    const other = esp32gpt("monitor", "--port", server.address, "--fetch", at("none"));
    await attach(checkpoint, { protocol: 2 });
    expectRefusal(await other, /The board speaks version 2 of the device protocol, and this program 1\./);
  });
});

describe("--send", () => {
  test("gives the board a checkpoint", async () => {
    const outcome = esp32gpt("monitor", "--port", server.address, "--send", at("model"), "--log", at("log"));
    const { device } = await attach(new Uint8Array(10));
    const { code, stdout, stderr } = await outcome;
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toBe(`Sent ${checkpoint.length} bytes, after 20 steps, from ${at("model")}.\n`);
    expect(device.file).toEqual(checkpoint);
    expect(readFileSync(at("log"), "utf8")).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z > @\d+ [0-9a-f]{8} receive \d+$/m);
  });

  test("looks at the file first", async () => {
    writeFileSync(at("text"), "emma\n");
    for (const [path, message] of [
      [at("text"), /text is not a sound safetensors file/],
      [at("missing"), /missing: there is no such file/],
      ["-", /there is no such file|name the file/],
      ["/dev/zero", /name the file of a checkpoint/],
      [dirname(at("x")), /name the file of a checkpoint/],
    ] as const)
      expectRefusal(await esp32gpt("monitor", "--port", server.address, "--send", path), message);
  });

  test("says why the board refuses it", async () => {
    const outcome = esp32gpt("monitor", "--port", server.address, "--send", at("model"));
    const { device } = await attach(new Uint8Array(10), { refuses: () => "It has another \x1b[2Jvocabulary." });
    expectRefusal(await outcome, /It has another \\u\{1b\}\[2Jvocabulary\./);
    expect(device.file).toEqual(new Uint8Array(10));
  });

  test("ends within two seconds of Ctrl-C; the board forgets what came", async () => {
    const program = start("monitor", "--port", server.address, "--send", at("model"));
    const outcome = outcomeOf(program);
    let lines = 0;
    const { device } = await attach(new Uint8Array(10), {}, () => void (++lines === 30 && program.kill("SIGINT")));
    const asked = performance.now();
    expect((await outcome).code).toBe(130);
    expect(performance.now() - asked).toBeLessThan(2000);
    expect(device.done.slice(-2)).toEqual(["cancel", "set log text"]);
  });
});

describe("--log", () => {
  test("has what the board said and what was typed, with the time, escaped, behind what was there", async () => {
    writeFileSync(at("session"), "before\n");
    const { program, board } = await server.connected("--log", at("session"));
    const outcome = outcomeOf(program);
    program.stdin.end("status\n");
    await once(board, "data");
    board.end("step 7\r\nclear \x1b[2J\rand \u202e\r\nno end");
    expect((await outcome).code).toBe(0);
    const lines = readFileSync(at("session"), "utf8").split("\n");
    expect(lines.map((line) => line.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /, "T "))).toEqual([
      "before",
      "T > status",
      "T < step 7",
      "T < clear \\u{1b}[2J\\rand \\u{202e}",
      "T < no end",
      "",
    ]);
  });

  const hasFull = existsSync("/dev/full");
  if (!hasFull) console.warn("Skipped: there is no /dev/full to test a full disk of the monitor's log with.");
  (hasFull ? test : test.skip)("on a full disk ends the session with a sentence", async () => {
    const { program, board } = await server.connected("--log", "/dev/full");
    const outcome = outcomeOf(program);
    board.write("ready\n");
    const { code, stderr } = await outcome;
    expect([code, stderr]).toEqual([2, "esp32gpt: Cannot write /dev/full: the disk is full.\n"]);
  });

  test("is refused where it cannot be written", async () => {
    for (const [path, message] of [
      [dirname(at("x")), /it is a folder/],
      [at("no/such/folder"), /there is no such file or folder/],
    ] as const)
      expectRefusal(await esp32gpt("monitor", "--port", server.address, "--log", path), message);
  });
});

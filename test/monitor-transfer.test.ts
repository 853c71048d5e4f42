import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { dirname } from "node:path";
import { FakeDevice } from "./support/fake-device";
import { esp32gpt, outcomeOf, temporaryFolder } from "./support/cli";
import { BoardServer } from "./support/monitor";
import { expectRefusal } from "./support/programs";
import { skipUnless } from "./support/skipping";

/* Carrying checkpoints where something is wrong; with a board that is as it should be: monitor-simulator.test.ts. */

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
async function attach(file: Uint8Array, options: ConstructorParameters<typeof FakeDevice>[2] = {}): Promise<Attached> {
  const board = await server.next();
  const device = new FakeDevice((line) => board.writable && board.write(`${line}\r\n`), file, options);
  let rest = "";
  board.on("data", (bytes: Buffer) => {
    const lines = (rest + String(bytes)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines.filter((line) => line !== "")) device.receive(line);
  });
  return { device, board };
}

const leftovers = (): string[] => readdirSync(dirname(at("x"))).filter((name) => name.endsWith(".tmp"));

describe("--fetch", () => {
  test("leaves the old file when what came is no checkpoint", async () => {
    writeFileSync(at("kept"), "old");
    const damaged = checkpoint.slice();
    damaged[damaged.length - 9] ^= 1;
    const outcome = esp32gpt("monitor", "--port", server.address, "--fetch", at("kept"));
    await attach(damaged);
    expectRefusal(await outcome, /The board's checkpoint cannot be used: its checksum/);
    expect([readFileSync(at("kept"), "utf8"), leftovers()]).toEqual(["old", []]);
  });

  test("is refused where no file can be written", async () => {
    for (const [path, message] of [
      ["-", /Cannot save to -/],
      ["/dev/null", /not a regular file/],
      [dirname(at("x")), /it is a folder/],
    ] as const)
      expectRefusal(await esp32gpt("monitor", "--port", server.address, "--fetch", path), message);
    expectRefusal(await esp32gpt("monitor", "--fetch", at("a"), "--send", at("model")), /cannot be used with/);
    expectRefusal(
      await esp32gpt("monitor", "--port", server.address, "--fetch", at("a"), "--log", at("a")),
      /same file/,
    );
  });

  test("says so when the board does not know the protocol, or another", async () => {
    const old = esp32gpt("monitor", "--port", server.address, "--fetch", at("none"));
    await attach(checkpoint, { protocol: undefined });
    expectRefusal(await old, /The board does not answer/);
    const other = esp32gpt("monitor", "--port", server.address, "--fetch", at("none"));
    await attach(checkpoint, { protocol: 2 });
    expectRefusal(await other, /The board uses version 2 of the device protocol, this program version 1\./);
  });
});

describe("--send", () => {
  test("looks at the file first", async () => {
    writeFileSync(at("text"), "emma\n");
    for (const [path, message] of [
      [at("text"), /text is not a sound safetensors file/],
      [at("missing"), /missing: there is no such file/],
      ["-", /there is no such file|name a checkpoint file/],
      ["/dev/zero", /name a checkpoint file/],
      [dirname(at("x")), /name a checkpoint file/],
    ] as const)
      expectRefusal(await esp32gpt("monitor", "--port", server.address, "--send", path), message);
  });

  test("says why the board refuses it", async () => {
    const outcome = esp32gpt("monitor", "--port", server.address, "--send", at("model"));
    const { device } = await attach(new Uint8Array(10), { refuses: () => "It has another \x1b[2Jvocabulary." });
    expectRefusal(await outcome, /It has another \\u\{1b\}\[2Jvocabulary\./);
    expect(device.file).toEqual(new Uint8Array(10));
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

  const withFull = skipUnless(existsSync("/dev/full"), "a full disk of the monitor's log, which needs /dev/full");
  withFull.test("on a full disk ends the session with a sentence", async () => {
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

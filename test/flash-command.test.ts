/* `esp32gpt flash`, as a user starts it, before a stand-in for a chip's ROM loader. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { esp32gpt, type Outcome, outcomeOf, start, temporaryFolder } from "./support/cli";
import type { FarSide } from "./support/far-side";
import { fullImage } from "./support/full-image";
import { expectRefusal, soon, until } from "./support/programs";
import { PtyPort } from "./support/pty-port";
import { Rfc2217Server } from "./support/rfc2217-server";
import { RomLoader, type RomLoaderOptions } from "./support/rom-loader";
import { skipUnless } from "./support/skipping";
import { hasPty, TerminalProgram } from "./support/terminal";

const at = temporaryFolder();

const STORAGE_AT = 0x300000;
const CHECKPOINT = randomBytes(5_000);
/** Part of it packs well, as in a real one, and part does not. */
const IMAGE = fullImage({ chip: "esp32", application: Buffer.concat([randomBytes(150_000), Buffer.alloc(300_000)]) });

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] ^= 1;
  return copy;
}

/** An image whose parts say that they have no hash. */
function withoutHashes(image: Buffer): Buffer {
  const copy = Buffer.from(image);
  copy[0x1000 + 23] = copy[0x10000 + 23] = 0;
  return copy;
}

function saved(name: string, bytes: Buffer): string {
  writeFileSync(at(name), bytes);
  return at(name);
}

let file: string;
beforeAll(() => {
  file = saved("esp32gpt-full.bin", IMAGE);
  mkdirSync(at("folder"));
});

describe("an image", () => {
  test.each<[string, Buffer, RegExp]>([
    ["some other file", Buffer.from("PK\x03\x04, and so on"), /is not an image for an ESP32\./],
    ["an empty file", Buffer.alloc(0), /is not an image for an ESP32\./],
    ["an application alone", IMAGE.subarray(0x10000), /is an application alone.*-full\./],
    ["a file that was cut off", IMAGE.subarray(0, IMAGE.length - 1), /is damaged or was cut off/],
    ["a file that was cut off early", IMAGE.subarray(0, 0x20000), /is damaged or was cut off/],
    ["a file with a wrong byte", flipped(IMAGE, 0x20000), /is damaged or was cut off/],
    ["one without hashes, by its checksum", flipped(withoutHashes(IMAGE), 0x20000), /is damaged or was cut off/],
    ["a chip that nobody knows", fullImage({ chip: 77, application: randomBytes(100) }), /not known.*\(number 77\)/],
    ["one that no flash holds", Buffer.alloc((16 << 20) + 1), /is larger than/],
  ])("that is %s is refused before a port is looked for", async (_name, bytes, message) => {
    const outcome = await esp32gpt("flash", saved("a\x1b[2J.bin", bytes), "--port", at("nowhere"));
    expectRefusal(outcome, message);
    expect(outcome.stderr).toContain("a\\u{1b}[2J.bin");
  });

  test("that cannot be read is refused", async () => {
    expectRefusal(await esp32gpt("flash", at("missing")), /missing: there is no such file/);
    expectRefusal(await esp32gpt("flash", at("folder")), /folder: .*is a folder/);
    expectRefusal(await esp32gpt("flash", join(file, "inside")), /inside: .*not a folder/);
    expectRefusal(await esp32gpt("flash"), /missing required argument 'image'/);
    expectRefusal(await esp32gpt("flash", ""), /The image must have a name/);
  });

  const onLinux = skipUnless(process.platform === "linux", "a file that cannot be read by anybody, which Linux has");
  onLinux.test("that nobody can read is refused", async () => {
    expectRefusal(await esp32gpt("flash", "/proc/self/mem"), /^esp32gpt: Cannot read \/proc\/self\/mem: /);
  });
});

test("a port that is not there is told", async () => {
  const { code, stderr } = await esp32gpt("flash", file, "--port", at("nowhere"));
  expect([code, stderr]).toEqual([2, `esp32gpt: ${at("nowhere")} could not be opened: there is no such port.\n`]);
});

test("options that make no sense are refused", async () => {
  expectRefusal(await esp32gpt("flash", file, "--baud", "fast"), /--baud.*whole number/);
  expectRefusal(
    await esp32gpt("flash", file, "--port", "tcp://127.0.0.1:1", "--baud", "115200"),
    /--baud is for serial ports and rfc2217:\/\//,
  );
});

const WRITTEN = /The board is flashed and restarts\. Its checkpoint has been left as it was\.\n$/;

describe("behind RFC 2217, which has DTR, RTS and a speed", () => {
  let rom: RomLoader;
  let server: Rfc2217Server;

  /** A board with some application, its partition table, and a file system with something in it. */
  async function plugIn(options: RomLoaderOptions = {}): Promise<void> {
    rom = new RomLoader(options);
    rom.flash.set(fullImage({ chip: options.chip ?? "esp32", application: randomBytes(20_000) }), 0);
    rom.flash.set(CHECKPOINT, STORAGE_AT);
    server = await Rfc2217Server.listen(rom);
  }
  afterEach(() => server.close());

  const flash = (...options: string[]): ChildProcessWithoutNullStreams =>
    start("flash", file, "--port", server.url, ...options);

  const flashed = (): boolean => rom.flash.subarray(0, IMAGE.length).equals(IMAGE);
  const hasCheckpoint = (): boolean =>
    rom.flash.subarray(STORAGE_AT, STORAGE_AT + CHECKPOINT.length).equals(CHECKPOINT);

  async function expectWritten(outcome: Promise<Outcome>): Promise<void> {
    const { code, stdout, stderr } = await outcome;
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(WRITTEN);
    expect(flashed()).toBe(true);
    expect(hasCheckpoint()).toBe(true);
  }

  test("the image is written at 0 and compared, what is stored stays, and the board restarts", async () => {
    await plugIn();
    const { starts } = rom;
    const { code, stdout, stderr } = await outcomeOf(flash());
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.split("\n")).toEqual([
      "esp32gpt-full.bin: ESP32, 4 MB of flash, version 1.2.3, 504 KB, written at 0.",
      "Connecting to the board...",
      "What the board has stored, its checkpoint and settings, is kept.",
      "Writing...",
      "Comparing what the flash holds...",
      "The board is flashed and restarts. Its checkpoint has been left as it was.",
      "",
    ]);
    expect(flashed()).toBe(true);
    expect(hasCheckpoint()).toBe(true);
    expect(rom.log).toContain("flashMd5");
    expect(server.speeds).toEqual([115_200, 460_800]);
    await soon(() => rom.starts > starts);
  });

  test("--erase erases everything first, and says so before", async () => {
    await plugIn();
    const { code, stdout } = await outcomeOf(flash("--erase"));
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /Everything on the board is erased first: its checkpoint and settings are lost\.\nErasing the flash[^]*It begins without a checkpoint\.\n$/,
    );
    expect(flashed()).toBe(true);
    expect(rom.flash.subarray(IMAGE.length).every((byte) => byte === 0xff)).toBe(true);
  });

  test("a board whose file system lies elsewhere is told that it begins without a checkpoint", async () => {
    await plugIn();
    rom.flash.fill(0xff, 0x8000, 0x9000);
    const { stdout } = await outcomeOf(flash());
    expect(stdout).toMatch(/The board has no file system where the image has its own.*\nWriting/);
    expect(stdout).toMatch(/It begins without a checkpoint\.\n$/);
  });

  test("an image that covers the file system says so", async () => {
    await plugIn();
    const large = saved("large.bin", Buffer.concat([IMAGE, Buffer.alloc(STORAGE_AT - IMAGE.length + 1)]));
    const { stdout } = await outcomeOf(start("flash", large, "--port", server.url));
    expect(stdout).toMatch(/The image covers the board's file system: its checkpoint and settings are lost\.\nWriting/);
  });

  test("another chip and a smaller flash are refused before anything is written", async () => {
    await plugIn({ chip: "esp32c3" });
    const before = Buffer.from(rom.flash);
    const other = await outcomeOf(flash());
    expect([other.code, other.stderr]).toEqual([
      2,
      "esp32gpt: The board has an ESP32-C3, and the image is for an ESP32: nothing was written.\n",
    ]);
    const large = saved("8mb.bin", fullImage({ chip: "esp32c3", flash: "8mb", application: randomBytes(1_000) }));
    const smaller = await outcomeOf(start("flash", large, "--port", server.url));
    expect([smaller.code, smaller.stderr]).toEqual([
      2,
      "esp32gpt: The board has 4MB of flash, and the image is for 8MB: nothing was written.\n",
    ]);
    expect(rom.flash.equals(before)).toBe(true);
    await soon(() => rom.starts >= 2);
  });

  test("--baud, and a line that takes no such speed", async () => {
    await plugIn({ fastest: 115_200 });
    await expectWritten(outcomeOf(flash("--baud", "230400")));
    expect(server.speeds.slice(0, 2)).toEqual([115_200, 230_400]);
    expect(server.speeds.at(-1)).toBe(115_200);
  });

  test("a board that does not answer: what to do; then its buttons are pressed", async () => {
    await plugIn({ hasAutoReset: false });
    const before = Buffer.from(rom.flash);
    const { code, stderr } = await outcomeOf(flash());
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^esp32gpt: The board does not answer: hold its BOOT button, press EN [^\n]*\n$/),
    ]);
    expect(rom.flash.equals(before)).toBe(true);
    rom.boot(true);
    await expectWritten(outcomeOf(flash()));
  });

  /** How long a command may take to end after a signal, in milliseconds. */
  const END_TIMEOUT_MS = 2000;

  async function interrupted(program: ChildProcessWithoutNullStreams, when: Promise<unknown>): Promise<Outcome> {
    const outcome = outcomeOf(program);
    await when;
    const begin = Date.now();
    program.kill("SIGINT");
    const ended = await outcome;
    expect(Date.now() - begin).toBeLessThan(END_TIMEOUT_MS);
    return ended;
  }

  test("Ctrl-C while it connects: nothing was written, and the board runs again", async () => {
    await plugIn({ application: silent(() => undefined), hasAutoReset: false });
    const before = Buffer.from(rom.flash);
    const program = flash();
    const { code, stderr } = await interrupted(program, until(program, "stdout", /Connecting/));
    expect([code, stderr]).toEqual([130, "esp32gpt: Cancelled: nothing was written, and the board restarts.\n"]);
    expect(rom.flash.equals(before)).toBe(true);
  });

  test("Ctrl-C once the board is in its loader: it starts what it had", async () => {
    await plugIn();
    const before = Buffer.from(rom.flash);
    const program = flash();
    const { starts } = rom;
    const isThere = soon(() => rom.log.length > 3);
    const { code } = await interrupted(program, isThere);
    expect(code).toBe(130);
    expect(rom.flash.equals(before)).toBe(true);
    await soon(() => rom.starts > starts);
  });

  test("Ctrl-C while it writes says that the board has to be flashed again, and that works", async () => {
    await plugIn();
    const program = flash();
    const writing = new Promise<void>((resolve) => {
      rom.onBlock = (sequence) => {
        if (sequence === 3) resolve();
      };
    });
    const { code, stderr } = await interrupted(program, writing);
    expect([code, stderr]).toEqual([
      130,
      "esp32gpt: Cancelled while the image was written: flash it again; the board is not damaged, but does not boot until then.\n",
    ]);
    expect(flashed()).toBe(false);
    rom.onBlock = () => undefined;
    await expectWritten(outcomeOf(flash()));
  });

  test("a cable that is pulled while the image is written is told, and a second attempt writes it", async () => {
    await plugIn();
    rom.onBlock = (sequence) => {
      if (sequence === 3) server.pull();
    };
    const { code, stderr } = await outcomeOf(flash());
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(
        /^esp32gpt: The connection was lost while the image was written.*flash it again.*not damaged.*\n$/,
      ),
    ]);
    rom.onBlock = () => undefined;
    await expectWritten(outcomeOf(flash()));
  });

  test("a cable that is pulled before that has cost nothing", async () => {
    await plugIn();
    const before = Buffer.from(rom.flash);
    const outcome = outcomeOf(flash());
    await soon(() => rom.log.length > 3);
    server.pull();
    const { code, stderr } = await outcome;
    expect([code, stderr]).toEqual([
      2,
      "esp32gpt: The cable was pulled before anything was written: plug it in and try again.\n",
    ]);
    expect(rom.flash.equals(before)).toBe(true);
  });

  test("a flash that does not hold what was written is noticed", async () => {
    await plugIn();
    rom.onBlock = () => (rom.flash[0x20] = 0);
    const { code, stderr } = await outcomeOf(flash());
    expect([code, stderr]).toEqual([2, expect.stringMatching(/does not hold what was written: flash it again/)]);
  });

  test("the monitor comes afterwards where it is asked for, with what the board says made visible", async () => {
    const application = silent((line) => application.send(Buffer.from(`\x1b[2Jyou said ${line}`)));
    await plugIn({ application });
    const program = flash("--monitor");
    program.stdin.on("error", () => undefined);
    // What comes while a board starts is lost.
    const asking = setInterval(() => program.stdin.write("status\n"), 500);
    const outcome = outcomeOf(program);
    program.stdout.on("data", (text) => {
      if (String(text).includes("you said")) program.kill("SIGINT");
    });
    const { code, stdout, stderr } = await outcome;
    clearInterval(asking);
    expect([code, stderr]).toEqual([130, ""]);
    expect(stdout).toMatch(/left as it was\.\n[^]*\\u\{1b\}\[2Jyou said status\n/);
    expect(stdout).not.toContain("\x1b");
    expect(server.speeds).toEqual([115_200, 460_800, 115_200]);
  });

  test("without a terminal there is no monitor", async () => {
    const application = silent(() => application.send(Buffer.from("hello")));
    await plugIn({ application });
    const program = flash();
    program.stdin.end("status\n");
    expect((await outcomeOf(program)).stdout).toMatch(WRITTEN);
  });

  const hasEsptool = /^5\./m.test(spawnSync("python3", ["-m", "esptool", "version"], { encoding: "utf8" }).stdout);
  skipUnless(hasEsptool, "the stand-in for a server before pySerial's client, which needs esptool 5").test(
    "the server is one to Espressif's esptool as well",
    async () => {
      await plugIn({ isInLoader: true });
      // It waits for an answer between DTR and RTS, which is too slow for a board's circuit: so without a reset.
      const options = ["--port", server.url, "--before", "no-reset", "--no-stub", "flash-id"];
      const { code, stdout, stderr } = await outcomeOf(spawn("python3", ["-m", "esptool", ...options]));
      expect(stdout + stderr).toMatch(/Detected flash size: *4MB/);
      expect(code).toBe(0);
      expect(server.speeds).toContain(115_200);
      expect(server.signals).toContainEqual({ requestToSend: true });
    },
    120_000,
  );
});

/** An application that says nothing by itself. */
function silent(take: (line: string) => void): FarSide {
  return {
    send: () => undefined,
    open: () => undefined,
    receive: (bytes) => take(bytes.toString()),
    setSignals: () => undefined,
    close: () => undefined,
  };
}

test("behind plain TCP a chip that waits in its loader is flashed, and whoever has a button is asked to press it", async () => {
  const rom = new RomLoader({ isInLoader: true });
  const server = createServer((socket) => {
    rom.send = (bytes) => void socket.write(bytes);
    socket.on("data", (bytes) => rom.receive(bytes)).on("error", () => undefined);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  const { code, stdout, stderr } = await esp32gpt("flash", file, "--port", `tcp://127.0.0.1:${port}`);
  server.close();
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(
    /The board is flashed: press its EN \(or RESET\) button\. It begins without a checkpoint\.\n$/,
  );
  expect(rom.flash.subarray(0, IMAGE.length).equals(IMAGE)).toBe(true);
});

skipUnless(hasPty, "flashing over a pseudo-terminal, which needs Linux and Python").describe(
  "over a serial device",
  () => {
    let rom: RomLoader;
    let port: PtyPort;

    beforeEach(async () => {
      rom = new RomLoader({ isInLoader: true });
      port = await PtyPort.open(rom);
    });
    afterEach(() => port.close());

    const flashed = (): boolean => rom.flash.subarray(0, IMAGE.length).equals(IMAGE);

    test("the image is written through the serial library", async () => {
      const { code, stdout, stderr } = await esp32gpt("flash", file, "--port", port.path);
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toMatch(/The board is flashed: press its EN \(or RESET\) button\./);
      expect(flashed()).toBe(true);
    });

    test("a port that another program uses is told", async () => {
      const monitor = new TerminalProgram(["node", join("bin", "esp32gpt.js"), "monitor", "--port", port.path]);
      try {
        await monitor.until(/Connected/);
        const { code, stderr } = await esp32gpt("flash", file, "--port", port.path);
        expect([code, stderr]).toEqual([2, `esp32gpt: ${port.path} could not be opened: another program uses it.\n`]);
      } finally {
        monitor.kill();
        await monitor.ended;
      }
    });

    test("a cable that is pulled while the image is written is told", async () => {
      rom.onBlock = (sequence) => {
        if (sequence === 3) port.close();
      };
      const { code, stderr } = await esp32gpt("flash", file, "--port", port.path);
      expect([code, stderr]).toEqual([2, expect.stringMatching(/lost while the image was written/)]);
    });

    const inTerminal = (...options: string[]): TerminalProgram =>
      new TerminalProgram(["node", join("bin", "esp32gpt.js"), "flash", file, "--port", port.path, ...options]);

    test("at a terminal there is a bar, and the monitor follows", async () => {
      const program = inTerminal();
      try {
        await program.until(/\d+% \| Writing/);
        await program.until(/The board is flashed/);
        await program.until(/Connected/);
        rom.boot(false);
        rom.send(Buffer.from("Training for 5 steps...\n"));
        await program.until(/Training for 5 steps/);
        program.type("\x03");
        await program.ended;
        expect(flashed()).toBe(true);
      } finally {
        program.kill();
      }
    });

    test("Ctrl-C there while it writes gives the cursor back", async () => {
      const program = inTerminal("--no-monitor");
      try {
        rom.onBlock = (sequence) => {
          if (sequence === 3) program.type("\x03");
        };
        expect(await program.ended).toBe(130);
        expect(program.shown).toMatch(/Cancelled while the image was written: flash it again/);
        expect(program.shown.lastIndexOf("\x1b[?25h")).toBeGreaterThan(program.shown.lastIndexOf("\x1b[?25l"));
      } finally {
        program.kill();
      }
    });
  },
);

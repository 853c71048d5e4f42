// The stand-in for a chip's ROM loader before a program that was not written for it: Espressif's esptool.
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { type Outcome, outcomeOf, temporaryFolder } from "./support/cli";
import { RomLoader, type RomLoaderOptions } from "./support/rom-loader";
import { skipUnless } from "./support/skipping";

const at = temporaryFolder();

const hasEsptool = /^5\./m.test(spawnSync("python3", ["-m", "esptool", "version"], { encoding: "utf8" }).stdout);
const { describe: describeIf } = skipUnless(hasEsptool, "the stand-in for a chip, which needs esptool 5");

/** Runs esptool on a chip that waits in its ROM loader behind a socket, which has no signals and no speed. */
async function esptool(options: RomLoaderOptions, ...words: string[]): Promise<{ rom: RomLoader; outcome: Outcome }> {
  const rom = new RomLoader({ isInLoader: true, ...options });
  const server = createServer((socket) => {
    rom.send = (bytes) => void socket.write(bytes);
    socket.on("data", (bytes) => rom.receive(bytes)).on("error", () => undefined);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  rom.flash.set(MARK, 0x300000);
  const { port } = server.address() as AddressInfo;
  const general = ["-m", "esptool", "--port", `socket://127.0.0.1:${port}`, "--after", "no-reset"];
  const outcome = await outcomeOf(spawn("python3", [...general, ...words]));
  server.close();
  return { rom, outcome };
}

/** What the flash holds where nothing is written. */
const MARK = Buffer.from("what was here before");

function writeImage(): Buffer {
  const image = Buffer.concat([Buffer.alloc(0x1000, 0xff), randomBytes(70_001), Buffer.alloc(200_000, 0xff)]);
  writeFileSync(at("image.bin"), image);
  return image;
}

describeIf("esptool", () => {
  test.each<[string, RomLoaderOptions, string[]]>([
    ["the stub of an ESP32", { chip: "esp32" }, ["--chip", "esp32"]],
    ["the stub of an ESP32-C3", { chip: "esp32c3" }, ["--chip", "esp32c3"]],
    ["the ROM of an ESP32", { chip: "esp32" }, ["--chip", "esp32", "--no-stub"]],
    ["the ROM of an ESP32-C3", { chip: "esp32c3" }, ["--chip", "esp32c3", "--no-stub"]],
  ])("writes through %s", async (_name, options, general) => {
    const image = writeImage();
    const { rom, outcome } = await esptool(options, ...general, "write-flash", "0", at("image.bin"));
    expect(outcome.stdout + outcome.stderr).toMatch(/Hash of data verified/);
    expect(outcome.code).toBe(0);
    expect(rom.flash.subarray(0, image.length).equals(image)).toBe(true);
    expect(rom.flash.subarray(0x300000, 0x300000 + MARK.length)).toEqual(MARK);
    expect(rom.log.some((line) => line.startsWith("flash") || line.startsWith("deflateData"))).toBe(true);
  });

  test("finds out which chip it is, and how large its flash", async () => {
    const { outcome } = await esptool({ chip: "esp32c3", flashSize: 8 << 20 }, "flash-id");
    expect(outcome.stdout).toMatch(/ESP32-C3[^]*Detected flash size: *8MB/);
    const other = await esptool({ chip: "esp32" }, "--chip", "esp32c3", "flash-id");
    expect(other.outcome.code).not.toBe(0);
    expect(other.outcome.stdout + other.outcome.stderr).toMatch(/This chip is ESP32,? not ESP32-C3/);
  });

  test("reads, and erases", async () => {
    const read = await esptool({}, "read-flash", "0x2ff000", "0x3000", at("read.bin"));
    expect(read.outcome.code).toBe(0);
    expect(readFileSync(at("read.bin")).equals(read.rom.flash.subarray(0x2ff000, 0x302000))).toBe(true);
    const erased = await esptool({}, "erase-flash");
    expect(erased.outcome.code).toBe(0);
    expect(erased.rom.flash.every((byte) => byte === 0xff)).toBe(true);
  });

  test("is told when the image does not fit", async () => {
    writeImage();
    const { rom, outcome } = await esptool({ flashSize: 4 << 20 }, "write-flash", "0x3f0000", at("image.bin"));
    expect(outcome.code).not.toBe(0);
    expect(rom.flash.subarray(0x3f0000).every((byte) => byte === 0xff)).toBe(true);
  });
});

/** A command as the computer sends it. */
function frame(command: number, words: readonly number[], data = Buffer.alloc(0), sum = 0): Buffer {
  const packet = Buffer.alloc(8 + 4 * words.length);
  packet[1] = command;
  packet.writeUInt16LE(4 * words.length + data.length, 2);
  packet.writeUInt32LE(sum, 4);
  words.forEach((word, i) => packet.writeUInt32LE(word, 8 + 4 * i));
  return Buffer.from([0xc0, ...Buffer.concat([packet, data]), 0xc0]);
}

test("what the ROM refuses is refused", () => {
  const rom = new RomLoader({ isInLoader: true });
  const begin = frame(0x02, [0x1000, 4, 0x400, 0]);
  const data = Buffer.alloc(0x400);
  rom.receive(begin);
  rom.receive(frame(0x0d, [0, 0]));
  rom.receive(begin);
  rom.receive(frame(0x03, [0x400, 0, 0, 0], data, 0xee));
  rom.receive(frame(0x03, [0x400, 1, 0, 0], data, 0xef));
  rom.receive(frame(0x03, [0x3ff, 0, 0, 0], data, 0xef));
  rom.receive(frame(0xd0, []));
  rom.receive(frame(0x03, [0x400, 0, 0, 0], data, 0xef));
  rom.receive(frame(0x06, [0, 0x40080000]));
  expect(rom.log).toEqual([
    "flashBegin refused: failed",
    "spiAttach",
    "flashBegin",
    "flashData refused: checksum",
    "flashData refused: failed",
    "flashData refused: format",
    "eraseFlash refused: unknown",
    "flashData",
    "memEnd",
  ]);
  expect(rom.flash.subarray(0, 0x401)).toEqual(Buffer.concat([data, Buffer.from([0xff])]));
  // There was nothing to be started.
  expect(rom.starts).toBe(1);
});

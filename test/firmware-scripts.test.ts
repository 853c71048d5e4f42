import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { ROOT } from "./helpers";
import { type Outcome, outcomeOf, temporaryFolder } from "./support/cli";
import { expectRefusal, until } from "./support/programs";

const at = temporaryFolder();
const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };

/** The environment of a computer without SDK. */
const bare = { ...process.env };
delete bare.MODDABLE;
delete bare.IDF_PATH;
/** A PATH with nothing on it. */
const NOWHERE = at("nowhere");

const onPosix = process.platform === "win32" ? test.skip : test;

function startScript(name: string, options: readonly string[] = [], env = {}): ChildProcessWithoutNullStreams {
  const file = join(ROOT, "scripts", "firmware", `${name}.mjs`);
  return spawn(process.execPath, [file, ...options], { cwd: ROOT, env: { ...bare, ...env } });
}

function script(name: string, options: readonly string[] = [], env = {}): Promise<Outcome> {
  return outcomeOf(startScript(name, options, env));
}

/** A program for PATH that is a script for Node. */
function writeProgram(folder: string, name: string, code: string): string {
  mkdirSync(at(folder), { recursive: true });
  // Whatever package.json there may be above.
  writeFileSync(join(at(folder), "package.json"), `{ "type": "commonjs" }`);
  const file = join(at(folder), name);
  writeFileSync(file, `#!${process.execPath}\n${code}`);
  chmodSync(file, 0o755);
  return at(folder);
}

describe("without the SDK", () => {
  test.each(["build", "flash", "debug", "release", "qemu"])("%s says what is missing", async (name) => {
    expectRefusal(await script(name), /MODDABLE is not set.*npx xs-dev setup --device esp32/);
  });

  test("names a folder that is no SDK", async () => {
    expectRefusal(await script("build", [], { MODDABLE: ROOT + "x" }), /x, which is no Moddable SDK.*xs-dev/);
  });

  test("names a tool that is missing", async () => {
    mkdirSync(at("sdk/build"), { recursive: true });
    expectRefusal(await script("build", [], { MODDABLE: at("sdk"), PATH: NOWHERE }), /mcconfig.*not on PATH.*xs-dev/);
  });

  test("misses ESP-IDF", async () => {
    if (process.platform === "win32") return;
    const tools = ["mcconfig", "make"].map((tool) => writeProgram("tools", tool, ""))[0];
    const env = { MODDABLE: at("sdk"), PATH: tools };
    expectRefusal(await script("build", [], env), /IDF_PATH is not set.*xs-dev/);
    expectRefusal(await script("build", [], { ...env, IDF_PATH: at("sdk") }), /sdk, which is no ESP-IDF.*xs-dev/);
  });

  test("test:moddable is skipped", async () => {
    expect(await script("test-moddable")).toEqual({ code: 0, stdout: "skipped: MODDABLE is not set.\n", stderr: "" });
  });

  test.each(["erase", "flash --from FOLDER", "release --full --from FOLDER"])("%s misses esptool", async (line) => {
    const [name, ...options] = line.split(" ").map((word) => word.replace("FOLDER", at("none")));
    expectRefusal(await script(name, options, { PATH: NOWHERE }), /esptool is missing.*pip install esptool/);
  });

  test("qemu misses the emulator", async () => {
    expectRefusal(
      await script("qemu", ["--image", "x"], { PATH: NOWHERE }),
      /qemu-system-xtensa is not on PATH.*install/,
    );
  });
});

test.each<[string, RegExp]>([
  ["build --board esp8266", /--board.*esp32\//],
  ["build --flash 2mb", /4mb, 8mb/],
  ["build --debug --instrumented", /cannot be used with/],
  ["flash --attempts 0", /--attempts.*from 1/],
  ["qemu --tcp 65536", /--tcp.*65535/],
  ["qemu frobnicate", /frobnicate is no setting.*steps=500/],
  ["erase --frobnicate", /unknown option '--frobnicate'/],
])("%s is refused", async (line, message) => {
  const [name, ...options] = line.split(" ");
  expectRefusal(await script(name, options), message);
});

/** An application as the chip's ROM and bootloader read it: header, segments, checksum, hash. */
function image(chip: number, text: string): Buffer {
  const data = Buffer.alloc(Math.ceil((text.length + 1) / 4) * 4);
  data.write(text);
  const header = Buffer.alloc(24);
  // Magic, segments, flash mode DIO, 4 MB at 40 MHz, entry point.
  header.set([0xe9, 1, 2, 0x20]);
  header.writeUInt32LE(0x40080000, 4);
  header[8] = 0xee;
  header.writeUInt16LE(chip, 12);
  header[23] = 1;
  const segment = Buffer.alloc(8);
  segment.writeUInt32LE(0x3ffb0000, 0);
  segment.writeUInt32LE(data.length, 4);
  const body = Buffer.concat([header, segment, data]);
  // The checksum is the last byte of a row of sixteen.
  const padding = Buffer.alloc(16 - (body.length % 16));
  padding[padding.length - 1] = data.reduce((sum, byte) => sum ^ byte, 0xef);
  const whole = Buffer.concat([body, padding]);
  return Buffer.concat([whole, createHash("sha256").update(whole).digest()]);
}

function partitionTable(applicationSize: number): Buffer {
  const table = Buffer.alloc(0xc00, 0xff);
  const entry = (i: number, type: number, subtype: number, offset: number, size: number, label: string): void => {
    table.fill(0, 32 * i, 32 * i + 32);
    table.set([0xaa, 0x50, type, subtype], 32 * i);
    table.writeUInt32LE(offset, 32 * i + 4);
    table.writeUInt32LE(size, 32 * i + 8);
    table.write(label, 32 * i + 12);
  };
  entry(0, 1, 2, 0x9000, 0x6000, "nvs");
  entry(1, 0, 0, 0x20000, applicationSize, "factory");
  return table;
}

const CHIPS: [name: string, id: number, bootloaderAt: number][] = [
  ["esp32", 0, 0x1000],
  ["esp32s3", 9, 0],
  ["esp32c3", 5, 0],
  ["esp32c6", 13, 0],
];

/** What a build leaves. */
function writeBuild(folder: string, chip: number, text = `\0${version}`, applicationSize = 0x10000): string {
  mkdirSync(at(folder));
  writeFileSync(join(at(folder), "bootloader.bin"), image(chip, "bootloader"));
  writeFileSync(join(at(folder), "partition-table.bin"), partitionTable(applicationSize));
  writeFileSync(join(at(folder), "xs_esp32.bin"), image(chip, text));
  return at(folder);
}

function released(name: string): string {
  return join(at("release"), `esp32gpt-${version}-${name}.bin`);
}

describe("release", () => {
  test("offers the application", async () => {
    const folder = writeBuild("application", 0);
    const { code, stdout, stderr } = await script("release", [
      "--from",
      folder,
      "--to",
      at("release"),
      "--flash",
      "8mb",
    ]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/esp32-8mb\.bin: [\d,]+ bytes\.\n$/);
    expect(readFileSync(released("esp32-8mb"))).toEqual(readFileSync(join(folder, "xs_esp32.bin")));
  });

  test("refuses what is no release", async () => {
    const expectRefused = async (folder: string, message: RegExp): Promise<void> =>
      expectRefusal(await script("release", ["--from", folder, "--to", at("release")]), message);
    await expectRefused(at("none"), /bootloader\.bin is not there/);
    await expectRefused(writeBuild("other-version", 0, `\x000.0.${version}x`), /xs_esp32\.bin is not version/);
    await expectRefused(writeBuild("other-chip", 77), /chip that is not known.*77/);
    await expectRefused(writeBuild("large", 0, version, 16), /more than its partition's 16/);
    writeFileSync(join(writeBuild("garbage", 0), "xs_esp32.bin"), "ELF");
    await expectRefused(at("garbage"), /no image for an ESP32/);
    writeFileSync(join(writeBuild("tableless", 0), "partition-table.bin"), "");
    await expectRefused(at("tableless"), /no partition for an application/);
  });
});

describe("with the SDK", () => {
  // Boards that no SDK has: what a maker has built stays as it is.
  const board = "esp32/testboard";
  const outputs = (variant: string): string => join(ROOT, "build", "firmware", variant, "bin", "esp32", "testboard");
  afterAll(() => {
    for (const variant of ["4mb", "8mb"]) rmSync(outputs(variant), { recursive: true, force: true });
  });

  /** A mcconfig that copies a build to where the real one would have put its own, and tells how it was started. */
  function sdk(build: string): Record<string, string> {
    for (const file of ["sdk/build/x", "idf/tools/idf.py"]) mkdirSync(at(file), { recursive: true });
    const tools = writeProgram(
      `tools-${build}`,
      "mcconfig",
      `const { cpSync } = require("node:fs");
      const options = process.argv.slice(2);
      const output = options[options.indexOf("-o") + 1];
      const kind = { "-d": "debug", "-i": "instrument" }[options[0]] ?? "release";
      console.log(JSON.stringify({ options, env: process.env }));
      if (options.includes("steps=0")) process.exit(7);
      cpSync("${at(build)}", output + "/bin/${board}/" + kind + "/esp32gpt", { recursive: true });`,
    );
    writeProgram(`tools-${build}`, "make", "");
    return { MODDABLE: at("sdk"), IDF_PATH: at("idf"), PATH: tools };
  }

  onPosix("builds, and says where the image is", async () => {
    const env = sdk(writeBuild("sdk-build", 9).replace(/.*\//, ""));
    const options = ["steps=5", "--board", board, "--flash", "8mb", "--debug"];
    const { code, stdout, stderr } = await script("build", options, env);
    expect([code, stderr]).toEqual([0, ""]);
    const [call, ...rest] = stdout.split("\n");
    const image = join("build", "firmware", "8mb", "bin", board, "debug", "esp32gpt", "xs_esp32.bin");
    expect(rest).toEqual([`${image}: 80 bytes of 65,536 bytes.`, ""]);

    const started = JSON.parse(call) as { options: string[]; env: Record<string, string> };
    const output = join(ROOT, "build", "firmware", "8mb");
    expect(started.options).toEqual([
      "-d",
      "-m",
      "-t",
      "build",
      "-p",
      board,
      "-o",
      output,
      `version=${version}`,
      "steps=5",
    ]);
    expect(started.env.PARTITIONS_FILE).toBe(join(ROOT, "sdkconfig", "partitions-8mb.csv"));
    const sdkconfig = readFileSync(join(started.env.SDKCONFIGPATH, "sdkconfig.defaults"), "utf8");
    expect(sdkconfig).toMatch(/FLASHSIZE_8MB=y[^]*CONFIG_APP_PROJECT_VER=/);
    expect(sdkconfig).toContain(`CONFIG_APP_PROJECT_VER="${version}"\n`);
    expect(sdkconfig).toContain("FLASHMODE_DIO=y");
    expect(started.env.PATH).toMatch(/^[^:]*node_modules\/\.bin:/);
  });

  onPosix("ends as mcconfig does when it fails", async () => {
    const { code, stderr } = await script("build", ["steps=0", "--board", board], sdk("sdk-build"));
    expect([code, stderr]).toEqual([7, ""]);
  });

  onPosix("releases what it has built", async () => {
    writeBuild("sdk-release", 13);
    const { code, stdout } = await script("release", ["--board", board, "--to", at("release")], sdk("sdk-release"));
    expect(code).toBe(0);
    expect(stdout).toMatch(/esp32c6-4mb\.bin: 80 bytes\.\n$/);
    expect(readFileSync(released("esp32c6-4mb"))).toEqual(image(13, `\0${version}`));
  });
});

describe("clean", () => {
  /** The project with nothing but the script: cleaning the real one would take the tests' own program away. */
  function copyProject(): string {
    const project = at("project");
    cpSync(join(ROOT, "scripts", "firmware"), join(project, "scripts", "firmware"), { recursive: true });
    cpSync(join(ROOT, "package.json"), join(project, "package.json"));
    symlinkSync(join(ROOT, "node_modules"), join(project, "node_modules"), "junction");
    for (const folder of ["dist", "build/xs", "src"]) mkdirSync(join(project, folder), { recursive: true });
    return project;
  }

  test("removes what was built of the project, and nothing else of the SDK's", () => {
    const project = copyProject();
    const build = join(at("used-sdk"), "build");
    const ours = ["bin/esp32/release/esp32gpt", "tmp/esp32/esp32s3/debug/esp32gpt", "bin/lin/mc/release/esp32gpt"];
    const others = ["bin/esp32/release/hello", "tmp/esp32/release/lib", "bin/lin/release", "devices/esp32/esp32gpt"];
    for (const folder of [...ours, ...others]) mkdirSync(join(build, folder), { recursive: true });
    const clean = spawnSync(process.execPath, [join(project, "scripts", "firmware", "clean.mjs")], {
      env: { ...bare, MODDABLE: at("used-sdk") },
      encoding: "utf8",
    });
    expect([clean.status, clean.stdout, clean.stderr]).toEqual([0, "", ""]);
    expect(ours.filter((folder) => existsSync(join(build, folder)))).toEqual([]);
    expect(others.filter((folder) => existsSync(join(build, folder)))).toEqual(others);
    expect(["dist", "build", "src", "node_modules"].map((name) => existsSync(join(project, name)))).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });
});

const hasEsptool = ["esptool", "esptool.py"].some((name) => spawnSync(name, ["version"]).status === 0);
if (!hasEsptool) console.warn("skipped: what esptool does with the images, as it is not installed.");

(hasEsptool ? describe : describe.skip)("with esptool", () => {
  test.each(CHIPS)("merges the images for %s, which esptool reads", async (name, id, bootloaderAt) => {
    const folder = writeBuild(`merge-${name}`, id);
    const { code, stdout, stderr } = await script("release", ["--full", "--from", folder, "--to", at("release")]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(new RegExp(`esp32gpt-${version}-${name}-4mb-full\\.bin: [\\d,]+ bytes\\.\n$`));

    const merged = readFileSync(released(`${name}-4mb-full`));
    for (const [offset, file] of [
      [bootloaderAt, "bootloader.bin"],
      [0x8000, "partition-table.bin"],
      [0x20000, "xs_esp32.bin"],
    ] as const) {
      const part = readFileSync(join(folder, file));
      expect(merged.subarray(offset, offset + part.length).equals(part)).toBe(true);
    }
    expect(merged.subarray(0x9000, 0x20000).every((byte) => byte === 0xff)).toBe(true);

    writeFileSync(at("cut-out.bin"), merged.subarray(0x20000));
    const info = spawnSync("esptool", ["--chip", name, "image-info", at("cut-out.bin")], { encoding: "utf8" });
    if (info.error === undefined) {
      expect(info.stdout).toMatch(/Checksum: 0x[0-9a-f]+ \(valid\)/i);
      expect(info.stdout).toMatch(/Validation hash: [0-9a-f]+ \(valid\)/i);
    }
  });
});

/** An esptool that notes what it is asked for; the board answers from the third attempt on. */
function fakeEsptool(folder: string, esptoolVersion: string, attemptsNeeded: number): string {
  return writeProgram(
    folder,
    "esptool",
    `const { appendFileSync, readFileSync } = require("node:fs");
    const options = process.argv.slice(2);
    if (options[0] === "version") {
      console.log("${esptoolVersion}");
      process.exit();
    }
    const log = __dirname + "/log";
    appendFileSync(log, options.join(" ") + "\\n");
    if (readFileSync(log, "utf8").split("\\n").length <= ${attemptsNeeded}) {
      console.log("A fatal error occurred: Failed to connect to ESP32: No serial data received.");
      process.exit(2);
    }`,
  );
}

describe("flash", () => {
  onPosix.each([
    ["esptool.py v4.8.1\n4.8.1", "write_flash"],
    ["esptool v5.6.0\n5.6.0", "write-flash"],
  ])("tries until the board answers, with %j", async (esptoolVersion, name) => {
    const build = writeBuild(`flash-${name}`, 0);
    const tool = fakeEsptool(`esptool-${name}`, esptoolVersion.replace("\n", "\\n"), 3);
    const options = ["--from", build, "--port", "PORT", "--no-monitor"];
    const { code, stderr } = await script("flash", options, { PATH: tool });
    expect(code).toBe(0);
    expect(stderr.match(/does not answer \(attempt \d of 10\): hold its BOOT button/g)).toHaveLength(2);
    const calls = readFileSync(join(tool, "log"), "utf8").trim().split("\n");
    expect(calls).toHaveLength(3);
    expect(calls[2]).toBe(
      `--chip esp32 --port PORT --baud 460800 --connect-attempts 3 ${name} ` +
        `0x1000 ${build}/bootloader.bin 0x8000 ${build}/partition-table.bin 0x20000 ${build}/xs_esp32.bin`,
    );
  });

  onPosix("gives up", async () => {
    const tool = fakeEsptool("esptool-silent", "5.6.0", 99);
    const options = ["--from", writeBuild("flash-silent", 9), "--port", "PORT", "--attempts", "2"];
    const { code, stderr } = await script("flash", options, { PATH: tool });
    expect([code, stderr.trim().split("\n").at(-1)]).toEqual([
      2,
      "The board did not answer in 2 attempts: hold its BOOT button, press EN (or RESET), and let BOOT go.",
    ]);
  });
});

describe("qemu", () => {
  /** An emulator that says how it was started, and then what it receives. */
  const emulator = `
    if (process.argv[3] === "help") {
      console.log("Supported machines are:\\nesp32  Espressif ESP32 machine");
      process.exit();
    }
    console.log("started " + process.argv.slice(2).join(" "));
    process.stdin.on("data", (text) => {
      console.log("received " + String(text).trim());
      if (String(text) === "end\\n") process.exit(3);
    });`;

  onPosix("shares the serial port between terminal and TCP", async () => {
    const folder = writeProgram("emulator", "qemu-system-xtensa", emulator);
    writeFileSync(at("merged.bin"), "image");
    const program = startScript("qemu", ["--image", at("merged.bin"), "--tcp", "0"], { PATH: folder });
    const port = /tcp:\/\/127\.0\.0\.1:(\d+)/.exec(await until(program, "stderr", /\d\. Ctrl-C/))?.[1];
    const started = await until(program, "stdout", /started.*\n/);
    expect(started).toMatch(/-machine esp32 .*-serial stdio -drive file=.*flash\.bin,if=mtd,format=raw/);
    const flash = readFileSync(join(ROOT, "build", "firmware", "qemu", "flash.bin"));
    expect([flash.length, flash.toString("latin1", 0, 6), flash.at(-1)]).toEqual([4 << 20, "image\xff", 0xff]);

    const monitor = connect(Number(port), "127.0.0.1");
    await once(monitor, "connect");
    monitor.write("status\n");
    expect(String((await once(monitor, "data"))[0])).toBe("received status\n");
    await until(program, "stdout", /received status/);
    const outcome = outcomeOf(program);
    program.stdin.write("end\n");
    expect(await outcome).toEqual({ code: 3, stdout: "received end\n", stderr: "" });
    monitor.destroy();
  });

  onPosix("refuses an emulator that does not know the ESP32, and images that do not fit", async () => {
    const other = writeProgram("other-emulator", "qemu-system-xtensa", `console.log("kc705  board");`);
    expectRefusal(await script("qemu", ["--image", "x"], { PATH: other }), /no ESP32.*idf_tools\.py install/);
    const folder = writeProgram("emulator", "qemu-system-xtensa", emulator);
    expectRefusal(await script("qemu", ["--image", at("none")], { PATH: folder }), /none cannot be read/);
    writeFileSync(at("huge.bin"), Buffer.alloc((4 << 20) + 1));
    expectRefusal(await script("qemu", ["--image", at("huge.bin")], { PATH: folder }), /larger than/);
  });
});

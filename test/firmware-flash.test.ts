import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { ROOT } from "./helpers";
import { outcomeOf, temporaryFolder } from "./support/cli";
import { buildsIn } from "./support/firmware-build";
import { expectRefusal, until } from "./support/programs";
import { onPosix, programsIn, script, startScript } from "./support/scripts";

const at = temporaryFolder();
const writeProgram = programsIn(at);
const writeBuild = buildsIn(at);

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

  onPosix.each([
    [["--port", "tcp://127.0.0.1:5555"], {}, "--port socket://127.0.0.1:5555"],
    [["--port", "rfc2217://127.0.0.1:4000"], {}, "--port rfc2217://127.0.0.1:4000 --baud 460800"],
    [[], { ESPTOOL_PORT: "PORT" }, "--port PORT --baud 460800"],
    [[], { UPLOAD_PORT: "UPLOAD", ESPTOOL_PORT: "PORT" }, "--port UPLOAD --baud 460800"],
    [["--port", "NAMED"], { UPLOAD_PORT: "UPLOAD" }, "--port NAMED --baud 460800"],
  ])("with %j and %j in the environment", async (options, env, expected) => {
    const name = `port${expected.replace(/\W+/g, "-")}`;
    const build = writeBuild(`build-${name}`, 0);
    const tool = fakeEsptool(`esptool-${name}`, "5.6.0", 1);
    const flash = ["--from", build, "--no-monitor", ...options];
    expect(await script("flash", flash, { PATH: tool, ...env })).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(await script("erase", options, { PATH: tool, ...env })).toMatchObject({ code: 0 });
    const [written, erased] = readFileSync(join(tool, "log"), "utf8").trim().split("\n");
    expect(written).toContain(`--chip esp32 ${expected} --connect-attempts 3 write-flash`);
    expect(erased).toBe(`${expected.replace(" --baud 460800", "")} erase-flash`);
  });

  onPosix("gives up", async () => {
    const tool = fakeEsptool("esptool-silent", "5.6.0", 99);
    const options = ["--from", writeBuild("flash-silent", 9), "--port", "PORT", "--attempts", "2"];
    const { code, stderr } = await script("flash", options, { PATH: tool });
    expect([code, stderr.trim().split("\n").at(-1)]).toEqual([
      2,
      "The board did not answer in 2 attempts: hold its BOOT button, press EN (or RESET), then release BOOT.",
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
    expectRefusal(
      await script("qemu", ["--image", "x"], { PATH: other }),
      /does not support the ESP32.*idf_tools\.py install/,
    );
    const folder = writeProgram("emulator", "qemu-system-xtensa", emulator);
    expectRefusal(await script("qemu", ["--image", at("none")], { PATH: folder }), /none cannot be read/);
    writeFileSync(at("huge.bin"), Buffer.alloc((4 << 20) + 1));
    expectRefusal(await script("qemu", ["--image", at("huge.bin")], { PATH: folder }), /larger than/);
  });
});

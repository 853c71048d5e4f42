import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "./helpers";
import { temporaryFolder } from "./support/cli";

/*
 * gpt-device.c on a chip that is none: a stand-in for ESP-IDF's drivers, a UART's with a FIFO of 16 bytes and
 * that of USB, and for the few calls of XS that it makes, under AddressSanitizer and UndefinedBehaviorSanitizer.
 */

const COMPILER = process.env.CC ?? "cc";
const IDF = join(ROOT, "test", "support", "idf");
const XS = join(ROOT, "node_modules", "@agoric", "xsnap", "moddable", "xs", "includes");
const DEVICE = join(ROOT, "src", "moddable", "device", "esp32", "gpt-device.c");
const STRICT = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-isystem", XS, "-I", IDF];
const SANITIZED = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
const at = temporaryFolder();

function compile(...options: string[]): void {
  execFileSync("sh", ["-c", `${COMPILER} "$@"`, COMPILER, ...STRICT, ...options], { stdio: "pipe" });
}

function hasCompiler(): boolean {
  return spawnSync("sh", ["-c", `${COMPILER} --version`], { stdio: "pipe" }).status === 0;
}

const compiled = hasCompiler() ? describe : undefined;
if (!compiled) console.warn(`Skipped: gpt-device.c, which needs a C compiler (${COMPILER}).`);

compiled?.("gpt-device.c", () => {
  beforeAll(() => {
    const sources = [DEVICE, join(IDF, "fake-chip.c"), join(IDF, "scenarios.c")];
    compile(...SANITIZED, ...sources, "-o", at("device"));
    compile(...SANITIZED, "-DWITHOUT_IRAM", ...sources, "-o", at("device-without-iram"));
    compile(...SANITIZED, "-DWITH_USB", ...sources, "-o", at("device-with-usb"));
  });

  const run = (program: string, scenario: string): unknown[] => {
    const { status, stdout, stderr } = spawnSync(at(program), [scenario], { encoding: "utf8", timeout: 20_000 });
    return [status, stdout, stderr];
  };

  const scenarios = [
    ["figures", "tells the free heap and why the chip was reset"],
    ["opens", "installs the driver as its options want it"],
    ["refuses-pins", "opens the chip's own pins after others that it cannot use"],
    ["reads", "gives what has arrived, piece by piece"],
    ["writes", "puts into the hardware what fits, and does not wait"],
    ["refuses-ranges", "reads nothing outside of the buffer"],
    ["stands-still", "waits no longer than it may for a port that has stopped"],
    ["flushes", "waits until all is sent"],
    ["last-words", "says why it restarts, without control characters"],
    ["last-words-alone", "says a reason that has no message"],
    ["last-words-of-nothing", "restarts without any reason"],
    ["long-last-words", "cuts a long message"],
    ["last-words-once", "says one line, however often it is asked to"],
    ["restarts-unopened", "restarts in silence where there is no port"],
    ["javascript-overflow", "says that the JavaScript stack overflowed"],
    ["c-overflow", "says that the C stack overflowed"],
    ["unopened", "gives and takes nothing before a port is opened"],
  ];

  test.each([...scenarios, ["no-usb", "has no USB port to open"]])("%s: it %s", (scenario) => {
    expect(run("device", scenario)).toEqual([0, "ok\n", ""]);
  });

  test.each(scenarios)("a chip with USB and no host, %s: it %s", (scenario) => {
    expect(run("device-with-usb", scenario)).toEqual([0, "ok\n", ""]);
  });

  test.each([
    ["usb-opens", "speaks to the host that finds it, and opens no second port"],
    ["usb-without-host", "looks for a host for half a second, and takes UART0"],
    ["usb-asked-for", "opens USB for a host that may come later"],
    ["usb-not-asked-for", "leaves USB alone"],
    ["usb-refused", "takes UART0 where the driver of USB cannot be installed"],
    ["usb-reads", "gives what has arrived, piece by piece"],
    ["usb-writes", "hands the driver what it can take, and does not wait"],
    ["usb-unplugged", "refuses what nobody fetches, and goes on when it is plugged in again"],
    ["usb-last-words", "says why it restarts"],
    ["usb-last-words-unplugged", "restarts in time though nobody listens"],
    ["usb-overflow", "says that the JavaScript stack overflowed"],
  ])("%s: it %s", (scenario) => {
    expect(run("device-with-usb", scenario)).toEqual([0, "ok\n", ""]);
  });

  test("without CONFIG_UART_ISR_IN_IRAM the interrupt is not asked to be there", () => {
    expect(run("device-without-iram", "opens")).toEqual([0, "ok\n", ""]);
  });

  test.each([
    ["mxDebug", []],
    ["mxInstrument", []],
    ["mxDebug", ["-DWITH_USB"]],
    ["mxInstrument", ["-DWITH_USB"]],
  ])("compiles without a warning with %s %j, too", (option, options) => {
    compile(`-D${option}=1`, ...options, "-c", DEVICE, "-o", at(`${option}.o`));
  });
});

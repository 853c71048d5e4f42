import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "./helpers";
import { temporaryFolder } from "./support/cli";

/*
 * gpt-device.c on a chip that is none: a stand-in for ESP-IDF's driver, with a FIFO of 16 bytes, and for
 * the few calls of XS that it makes, under AddressSanitizer and UndefinedBehaviorSanitizer.
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
  });

  const run = (program: string, scenario: string): unknown[] => {
    const { status, stdout, stderr } = spawnSync(at(program), [scenario], { encoding: "utf8", timeout: 20_000 });
    return [status, stdout, stderr];
  };

  test.each([
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
  ])("%s: it %s", (scenario) => {
    expect(run("device", scenario)).toEqual([0, "ok\n", ""]);
  });

  test("without CONFIG_UART_ISR_IN_IRAM the interrupt is not asked to be there", () => {
    expect(run("device-without-iram", "opens")).toEqual([0, "ok\n", ""]);
  });

  test.each(["mxDebug", "mxInstrument"])("compiles without a warning with %s, too", (option) => {
    compile(`-D${option}=1`, "-c", DEVICE, "-o", at(`${option}.o`));
  });
});

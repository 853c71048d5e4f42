import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./helpers";
import { temporaryFolder } from "./support/cli";
import { skipUnless } from "./support/skipping";

/*
 * gpt_*.c on a chip that is none: a stand-in for ESP-IDF's drivers, a UART's with a FIFO of 16 bytes and
 * that of USB, and for the few calls of XS that it makes, under AddressSanitizer and UndefinedBehaviorSanitizer.
 */

const COMPILER = process.env.CC ?? "cc";
const IDF = join(ROOT, "test", "support", "idf");
const XS = join(ROOT, "node_modules", "@agoric", "xsnap", "moddable", "xs", "includes");
const DEVICE = join(ROOT, "src", "firmware", "chip", "esp32");
const SOURCES = readdirSync(DEVICE)
  .filter((name) => name.endsWith(".c"))
  .map((name) => join(DEVICE, name));
/** What idf/esp32gpt_panic/CMakeLists.txt asks the linker for. */
const WRAPPED = "-Wl,--wrap=esp_panic_handler";
const STRICT = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-isystem", XS, "-I", IDF];
const SANITIZED = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
const at = temporaryFolder();

function compile(...options: string[]): void {
  execFileSync("sh", ["-c", `${COMPILER} "$@"`, COMPILER, ...STRICT, ...options], { stdio: "pipe" });
}

function hasCompiler(): boolean {
  return spawnSync("sh", ["-c", `${COMPILER} --version`], { stdio: "pipe" }).status === 0;
}

skipUnless(hasCompiler(), `gpt_*.c, which need a C compiler (${COMPILER})`).describe("gpt_*.c", () => {
  beforeAll(() => {
    const sources = [...SOURCES, join(IDF, "fake-chip.c"), join(IDF, "scenarios.c"), WRAPPED];
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
    ["keeps-numbers", "keeps numbers over a reset, and takes nothing for one that power-on has left"],
    ["sees-damage", "takes nothing that has changed"],
    ["refuses-slots", "has no other slots"],
    ["keeps-a-panic", "keeps where the chip panicked, and tells it once"],
    ["keeps-the-first-panic", "keeps the first of several panics in a row"],
    ["keeps-an-abort", "keeps the words of an abort, cut and without control characters"],
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
    for (const source of SOURCES) compile(`-D${option}=1`, ...options, "-c", source, "-o", at(`${option}.o`));
  });

  test("the firmware's build asks the linker for the panics, and links where it is not asked", () => {
    const component = readFileSync(join(DEVICE, "..", "idf", "esp32gpt_panic", "CMakeLists.txt"), "utf8");
    expect(component).toContain(`INTERFACE "${WRAPPED}"`);
    // As ESP-IDF links without that option: what nothing calls is left out, and what it would need is not missed.
    const main = at("main.c");
    writeFileSync(main, "void gpt_xs_kept(void *the); int main(void) { gpt_xs_kept(0); return 0; }\n");
    const kept = join(DEVICE, "gpt_kept.c");
    const chip = join(IDF, "fake-chip.c");
    compile("-ffunction-sections", "-Wl,--gc-sections", main, kept, chip, "-o", at("without"));
  });
});

// npm run test:moddable: checks the firmware with the tools of the real SDK and runs the program on the SDK's own XS.
// The extent depends on what is installed. MODDABLE alone: runs the tests of XS and the simulator on an XS built from
// the SDK's sources, and compiles the program for Linux (and runs it, if ESP32GPT_LIN_HOST is a program that can do
// so without a window). With IDF_PATH set to any git repository: also runs the JavaScript half of the ESP32 build.
// With ESP-IDF: also builds the image.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { CODENAME, main, ProgramFailed, ROOT, run, VERSION, which } from "./command.mjs";
import { formatBytes, readImages } from "./images.mjs";
import { buildFirmware, imageFolder, requireModdable, requireSettings } from "./sdk.mjs";

/** The apps of examples/. */
const EXAMPLES = readdirSync(join(ROOT, "examples"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
/** A short training. */
const STEPS = 20;
const MAX_SECONDS = 120;
/** The tests that run on XS, including fuzz tests of the console. */
const ON_XS = ["test/xs", "test/simulator", "test/native-ops", "test/fuzz-board"];

let failures = 0;

await main("test:moddable", "Checks the firmware with the Moddable SDK's own tools.", (command) => {
  command
    .option("--project <folder>", "folder of the manifest to build", ROOT)
    .option("--board <platform...>", "boards for the JavaScript half of the ESP32 build", ["esp32"])
    .action(async ({ project, board: boards }) => {
      const { MODDABLE, IDF_PATH, ESP32GPT_LIN_HOST } = process.env;
      if (!MODDABLE) return console.log("skipped: MODDABLE is not set.");
      requireModdable();
      const tools = toolsFor(resolve(project));

      if (process.platform === "win32") console.log("skipped: XS from the SDK, which needs Linux or macOS.");
      else {
        await check("XS from the SDK: the tests", () =>
          onSdkXs(join("node_modules", "jest", "bin", "jest.js"), ...ON_XS),
        );
        await check("XS from the SDK: the heap does not grow", () => onSdkXs(join("scripts", "soak.mjs")));
      }
      if (process.platform === "linux") {
        for (const kind of ["release", "debug"]) await check(`lin, ${kind}: builds`, () => tools.buildForLinux(kind));
        if (ESP32GPT_LIN_HOST) await check("lin, release: trains", () => tools.runOnLinux(ESP32GPT_LIN_HOST));
        else console.log("skipped: a run on Linux; ESP32GPT_LIN_HOST is not set.");
        for (const app of EXAMPLES)
          await check(`examples/${app} for lin: builds`, () =>
            toolsFor(join(ROOT, "examples", app)).buildForLinux("release"),
          );
      } else console.log("skipped: the build for Linux.");

      if (!IDF_PATH || !existsSync(join(IDF_PATH, ".git")) || process.platform === "win32")
        console.log("skipped: the JavaScript for the ESP32; IDF_PATH is not a git repository.");
      else
        for (const board of boards)
          for (const kind of ["release", "debug"])
            await check(`${board}, ${kind}: JavaScript compiles, links and preloads`, () => tools.linkFor(board, kind));
      for (const app of EXAMPLES)
        await check(`examples/${app} for esp32: JavaScript compiles, links and preloads`, () =>
          toolsFor(join(ROOT, "examples", app)).linkFor("esp32", "release"),
        );

      if (!IDF_PATH || !existsSync(join(IDF_PATH, "tools", "idf.py"))) {
        console.log("skipped: the image for the ESP32; IDF_PATH is not ESP-IDF.");
      } else await check("esp32, release: the image", buildImage);

      if (failures > 0) throw new ProgramFailed(1);
    });
});

/**
 * @param {string} name
 * @param {() => Promise<string | void>} body returns a remark to print
 */
async function check(name, body) {
  try {
    const remark = await body();
    console.log(`ok: ${name}${remark ? ` (${remark})` : ""}`);
  } catch (error) {
    if (error instanceof ProgramFailed) console.log(`FAILED: ${name}`);
    else console.log(`FAILED: ${name}: ${error instanceof Error ? error.message : error}`);
    failures++;
  }
}

/** @param {string[]} words arguments of node */
async function onSdkXs(...words) {
  await run(process.execPath, words, { cwd: ROOT, env: { ...process.env, ESP32GPT_XS: "moddable" } });
}

/** @param {string} project */
function toolsFor(project) {
  const manifest = JSON.parse(readFileSync(join(project, "manifest.json"), "utf8"));
  const name = manifest.build?.NAME ?? basename(project);
  const isFirmware = project === ROOT;
  const output = join(ROOT, "build", "firmware", isFirmware ? "test" : `test-${name}`);
  mkdirSync(output, { recursive: true });

  /**
   * @param {string} program
   * @param {readonly string[]} options
   */
  async function runTool(program, options) {
    const { output: log } = await run(program, options, { cwd: project, show: false });
    const warnings = ownWarnings(log, project);
    if (warnings.length > 0) throw new Error(`\n  ${warnings.join("\n  ")}`);
    return log;
  }

  /**
   * The folder of mcconfig's generated files, emptied: tools that skip finished work print no warnings.
   * @param {string[]} path platform and kind
   */
  function freshFolder(...path) {
    const folder = join(output, "tmp", ...path, name);
    rmSync(folder, { recursive: true, force: true });
    return folder;
  }

  return {
    /** @param {string} kind */
    async buildForLinux(kind) {
      const debug = kind === "debug" ? ["-d"] : [];
      freshFolder("lin", "mc", kind);
      // Not the default target, which kills other simulators and opens a window.
      const settings = [`version=${VERSION}`, `codename=${CODENAME}`, `steps=${STEPS}`];
      await runTool("mcconfig", [...debug, "-m", "-p", "lin", "-t", "build", "-o", output, ...settings]);
    },

    /** @param {string} host */
    async runOnLinux(host) {
      const program = join(output, "bin", "lin", "mc", "release", name, "mc.so");
      const seconds = ["--seconds", String(MAX_SECONDS)];
      const { code, output: log } = await run(host, [...seconds, program], { show: false, check: false });
      const losses = [...log.matchAll(/^step +\d+\/\d+: loss = (\d+\.\d+)/gm)].map(([, loss]) => Number(loss));
      if (code !== 0 || !log.includes("=== Done ===") || losses.length === 0)
        throw new Error(`it exited with ${code} and printed:\n${log.slice(-2000)}`);
      if (losses.some((loss) => !(loss > 0 && loss < 10))) throw new Error(`its losses are ${losses.join(", ")}`);
      return `${losses.length} lines of the log, the last with loss ${losses.at(-1)}`;
    },

    /**
     * Runs TypeScript, XS's compiler and linker (which loads preloaded modules), and the resource tool; no C
     * compiler.
     * @param {string} board
     * @param {string} kind
     */
    async linkFor(board, kind) {
      const debug = kind === "debug" ? ["-d"] : [];
      const folder = freshFolder(...board.split("/"), kind);
      await runTool("mcconfig", [...debug, "-p", board, "-o", output, `version=${VERSION}`, `codename=${CODENAME}`]);
      const makefile = join(folder, "makefile");
      const chip = /^ESP32_SUBCLASS *= *(\w+)/m.exec(readFileSync(makefile, "utf8"))?.[1] ?? "esp32";
      // ESP-IDF would generate this header; the JavaScript half does not read it.
      const header = join(folder, `xsProj-${chip}`, "build", "config", "sdkconfig.h");
      const targets = ["mc.xs.c", "mc.resources.c"].map((target) => join(folder, target));
      const log = await runTool("make", ["-f", makefile, "-o", header, ...targets]);
      // XS (8.2.3, fxAllocateRegExpData) panics on preloaded regular expressions.
      const count = readFileSync(targets[0], "utf8").split("XS_REGEXP_KIND").length - 1;
      if (count > 0) throw new Error(`preloaded modules hold ${count} regular expressions`);
      const { output: commands } = await run("make", ["-n", "-f", makefile, "build"], { show: false, check: false });
      if (isFirmware && !commands.includes(`EXTRA_COMPONENT_DIRS=${join(ROOT, "src", "firmware", "chip", "idf")}`))
        throw new Error("the ESP-IDF component that stores panic information is missing");
      return /^### .*$/m.exec(log)?.[0].slice(4);
    },
  };
}

/**
 * Warnings about the project's own modules; those about the SDK's are left out.
 * @param {string} log
 * @param {string} project
 */
function ownWarnings(log, project) {
  return log
    .split("\n")
    .filter((line) => /warning|: no const|not frozen/i.test(line))
    .filter((line) => line.includes(project) || /\bgpt\/|\bsrc\//.test(line));
}

async function buildImage() {
  const build = /** @type {const} */ ({ board: "esp32", flash: "4mb" });
  await buildFirmware(build, await requireSettings([], build));
  const folder = imageFolder(build);
  const { chip, bytes, partition } = readImages(folder, "ESP-IDF printed the reason above.");
  const prefix = { esp32: "xtensa-esp32-elf" }[chip.name];
  const elf = join(folder, "xs_esp32.elf");
  if (which(`${prefix}-size`) && existsSync(elf)) await run(`${prefix}-size`, ["-A", elf]);
  if (bytes.length > partition.size) throw new Error("it does not fit its partition");
  return `${formatBytes(bytes.length)} of ${formatBytes(partition.size)}`;
}

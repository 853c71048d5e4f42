// The Moddable SDK and ESP-IDF: whether they are installed, and how to build with them.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { InvalidArgumentError, Option } from "commander";
import { ELF } from "./images.mjs";
import { CODENAME, ROOT, run, runInTerminal, UserError, VERSION, which } from "./command.mjs";

/** The project's name in its manifest, which mcconfig uses for output folders. */
export const NAME = "esp32gpt";
/** The version of the Moddable SDK that the firmware is built and tested with; it determines ESP-IDF's version. */
const SDK = "8.2.3";
const OLDEST_SDK = 8.2;
const SETUP_SDK = `\`npx xs-dev@latest setup --release ${SDK}\``;
const SETUP = "`npx xs-dev@latest setup --device esp32`";

/**
 * @typedef {"4mb" | "8mb"} Flash size of the flash chip
 * @typedef {"release" | "debug" | "instrument"} Kind
 * @typedef {{ settings: readonly string[], names: Uint8Array }} Content settings and dataset of a firmware
 * @typedef {{ board: string, flash: Flash, psram?: boolean, kind?: Kind, isEmulated?: boolean }} Build
 */

/**
 * Checks that the tools for an ESP32 build are installed, and puts the SDK's tools and the project's TypeScript on
 * PATH.
 * @throws {UserError} when one is missing
 */
export function requireSdk() {
  requireModdable();
  const { IDF_PATH } = process.env;
  if (!IDF_PATH) throw new UserError(`IDF_PATH is not set: ${SETUP} installs ESP-IDF, then open a new terminal.`);
  if (!existsSync(join(IDF_PATH, "tools", "idf.py")))
    throw new UserError(`IDF_PATH is ${IDF_PATH}, which is not ESP-IDF: ${SETUP} installs it.`);
}

/**
 * Checks that the Moddable SDK is installed.
 * @returns its folder
 * @throws {UserError} when it is missing or too old
 */
export function requireModdable() {
  const { MODDABLE } = process.env;
  if (!MODDABLE)
    throw new UserError(`MODDABLE is not set: ${SETUP_SDK} installs the Moddable SDK, then open a new terminal.`);
  if (!existsSync(join(MODDABLE, "build")))
    throw new UserError(`MODDABLE is ${MODDABLE}, which is not a Moddable SDK: ${SETUP_SDK} installs it.`);
  const version = sdkVersion(MODDABLE);
  if (version !== undefined && parseFloat(version) < OLDEST_SDK)
    throw new UserError(`MODDABLE has version ${version} of the SDK, which is too old: ${SETUP_SDK} installs ${SDK}.`);
  const system = process.platform === "darwin" ? "mac" : process.platform === "win32" ? "win" : "lin";
  // mcconfig runs the tsc on PATH, and only TypeScript 6.0 works for both the SDK and the project.
  process.env.PATH = [
    join(ROOT, "node_modules", ".bin"),
    process.env.PATH,
    join(MODDABLE, "build", "bin", system, "release"),
  ].join(delimiter);
  if (!which("mcconfig"))
    throw new UserError(`mcconfig, the SDK's build tool, is not on PATH: ${SETUP_SDK} builds it.`);
  if (!which("tsc")) throw new UserError("TypeScript is missing: `npm ci` installs it.");
  const make = process.platform === "win32" ? "nmake" : "make";
  if (!which(make)) throw new UserError(`${make} is not on PATH: ${SETUP_SDK} installs it.`);
  return MODDABLE;
}

/** @param {string} moddable */
function sdkVersion(moddable) {
  const file = join(moddable, "tools", "VERSION");
  return existsSync(file) ? /\d+\.\d+(\.\d+)?/.exec(readFileSync(file, "utf8"))?.[0] : undefined;
}

/** @param {import("commander").Command} command */
export function boardOptions(command) {
  return command
    .option(
      "--board <platform>",
      "board, as mcconfig names it: esp32, esp32/esp32s3, esp32/esp32c3 …",
      parseBoard,
      "esp32",
    )
    .addOption(new Option("--flash <size>", "size of the board's flash").choices(["4mb", "8mb"]).default("4mb"));
}

/** @param {import("commander").Command} command */
export function psramOption(command) {
  return command.option("--psram", "use the board's PSRAM: a WROVER, or an S3 with 8 MB of it");
}

/** @param {string} text */
function parseBoard(text) {
  const board = text.replace(/^esp32(?=[a-z])/, "esp32/esp32");
  if (!/^esp32(\/\w+)?$/.test(board)) throw new InvalidArgumentError("It must be esp32, or esp32/ and a board's name.");
  return board;
}

/**
 * Checks the settings that mcconfig passes to the program as mc/config, and reads the dataset for flash, which
 * data=FILE replaces.
 * @param {readonly string[]} words key=value
 * @param {{ board: string, flash: Flash, psram?: boolean }} build
 * @returns {Promise<Content>}
 * @throws {UserError} for invalid settings, or when the model does not fit the chip's memory or the dataset its flash
 */
export async function requireSettings(words, { board, flash, psram }) {
  const { checkFirmware, printable } = await loadProgram();
  const wrong = words.find((word) => !/^[A-Za-z_]\w*=/.test(word));
  if (wrong !== undefined) throw new UserError(`${printable(wrong)} is not a setting: it must look like steps=500.`);
  const entries = words.map((word) => {
    const at = word.indexOf("=");
    return [word.slice(0, at), word.slice(at + 1)];
  });
  const { data, ...settings } = Object.fromEntries(entries);
  try {
    const names = checkFirmware(settings, { board, flash, psram, namesFile: data });
    return { settings: words.filter((word) => !word.startsWith("data=")), names };
  } catch (error) {
    if (error instanceof Error && error.name === "InputError") throw new UserError(error.message);
    throw error;
  }
}

/**
 * Loads the part of the program that checks settings and memory.
 * @returns {Promise<typeof import("../../host/firmware")>}
 */
async function loadProgram() {
  const { build } = await import("../build.mjs");
  await build();
  return import(pathToFileURL(join(ROOT, "dist", "firmware.js")).href);
}

/**
 * The folder for build output. It is outside the SDK and depends on the build, so that different builds coexist.
 * @param {Build} build
 */
function outputFolder({ flash, psram = false, isEmulated = false }) {
  return join(ROOT, "build", "firmware", isEmulated ? "qemu" : `${flash}${psram ? "-psram" : ""}`);
}

/**
 * The folder of a build's images.
 * @param {Build} build
 */
export function imageFolder(build) {
  return join(outputFolder(build), "bin", ...build.board.split("/"), build.kind ?? "release", NAME);
}

/**
 * Runs mcconfig.
 * @param {Build} build
 * @param {Content} content
 * @param {{ options?: readonly string[], port?: string }} more options of mcconfig
 * @throws {import("./command.mjs").ProgramFailed} when it fails
 */
export async function mcconfig(build, { settings, names }, { options = [], port } = {}) {
  const output = outputFolder(build);
  mkdirSync(output, { recursive: true });
  const env = {
    ...process.env,
    PARTITIONS_FILE: join(ROOT, "sdkconfig", `partitions-${build.flash}.csv`),
    SDKCONFIGPATH: writeSdkconfig(build, output),
    NAMES_FILE: writeNames(names, output),
    ...(isEsp32WithPsram(build) && { C_FLAGS_SUBPLATFORM: PSRAM_WORKAROUND.join(" ") }),
    // The manifest's variable uses make syntax; nmake gets the SDK's own, with less detail in a panic.
    ...(process.platform === "win32" && {
      MAKE_FRAGMENT: join(requireModdable(), "tools", "mcconfig", "nmake.esp32.mk"),
    }),
    ...(port && { UPLOAD_PORT: port }),
  };
  const all = [...options, "-p", build.board, "-o", output, `version=${VERSION}`, `codename=${CODENAME}`, ...settings];
  await runInTerminal("mcconfig", all, { cwd: ROOT, env });
}

/**
 * Builds the firmware.
 * @param {Build} build
 * @param {Content} content
 */
export async function buildFirmware(build, content) {
  const kind = { release: [], debug: ["-d"], instrument: ["-i"] }[build.kind ?? "release"];
  await mcconfig(build, content, { options: [...kind, "-m", "-t", "build"] });
  // The SDK leaves the ELF among its object files.
  const elf = elfFile(build);
  if (elf !== undefined) copyFileSync(elf, join(imageFolder(build), ELF));
}

/**
 * Path of the ELF that ESP-IDF has linked.
 * @param {Build} build
 */
function elfFile(build) {
  const folder = join(outputFolder(build), "tmp", ...build.board.split("/"), build.kind ?? "release", NAME);
  if (!existsSync(folder)) return undefined;
  const projects = readdirSync(folder).filter((name) => name.startsWith("xsProj-"));
  return projects.map((name) => join(folder, name, "build", ELF)).find((file) => existsSync(file));
}

/** Whether the name of a board tells that its chip is an S3. @param {string} board */
function isS3(board) {
  return /s3/i.test(board);
}

/**
 * Before revision 3, a write of an ESP32 to PSRAM may be lost. ESP-IDF compiles its own code so that it is not
 * (CONFIG_SPIRAM_CACHE_WORKAROUND, on by default); the SDK compiles XS and our C code with its own flags, of which the
 * makefile has this variable (documentation/tools/manifest.md).
 */
const PSRAM_WORKAROUND = ["-mfix-esp32-psram-cache-issue", "-mfix-esp32-psram-cache-strategy=memw"];

/** @param {Build} build */
function isEsp32WithPsram({ board, psram }) {
  return psram && !isS3(board);
}

/**
 * Writes the ESP-IDF options of a build: the common ones, those of its kind, and the version.
 * @param {Build} build
 * @param {string} output
 * @returns the folder, for the manifest's SDKCONFIGPATH
 */
function writeSdkconfig({ board, flash, psram }, output) {
  const parts = [""];
  if (flash === "8mb") parts.push("8mb");
  if (psram) parts.push("psram", ...(isS3(board) ? [join("psram", "esp32s3")] : []));
  const text = [
    ...parts.map((part) => readFileSync(join(ROOT, "sdkconfig", part, "sdkconfig.defaults"), "utf8")),
    "CONFIG_APP_PROJECT_VER_FROM_CONFIG=y\n",
    `CONFIG_APP_PROJECT_VER="${VERSION}"\n`,
  ].join("");
  const folder = join(output, "sdkconfig");
  const file = join(folder, "sdkconfig.defaults");
  mkdirSync(folder, { recursive: true });
  // A newer mtime would make ESP-IDF rebuild everything.
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) writeFileSync(file, text);
  return folder;
}

/**
 * Writes the dataset where the manifest expects it. Every dataset uses the same file, because make only compares
 * mtimes.
 * @param {Uint8Array} names
 * @param {string} output
 * @returns {string} its path without extension, as a manifest names a resource
 */
function writeNames(names, output) {
  const folder = join(output, "data");
  const file = join(folder, "names.txt");
  mkdirSync(folder, { recursive: true });
  if (!existsSync(file) || !readFileSync(file).equals(names)) writeFileSync(file, names);
  return join(folder, "names");
}

/**
 * The serial port that the monitor would open.
 * @param {string | undefined} port as the user gave it
 * @throws {UserError} when there is none, or several
 */
export async function requirePort(port) {
  if (port !== undefined) return port;
  const monitor = [join(ROOT, "bin", "esp32gpt.js"), "monitor", "--which"];
  const { code, stdout, stderr } = await run(process.execPath, monitor, { show: false, check: false });
  // The output may begin with the messages of a build of the command line.
  if (code !== 0)
    throw new UserError(
      stderr
        .trim()
        .split("\n")
        .at(-1)
        ?.replace(/^esp32gpt: /, ""),
    );
  process.stderr.write(stderr);
  return stdout.trim();
}

/** @param {import("commander").Command} command */
export function portOption(command) {
  return command.option(
    "--port <port>",
    "serial port, tcp://host:port or rfc2217://host:port (default: $UPLOAD_PORT, $ESPTOOL_PORT, or the port of the only board)",
  );
}

/** @param {string} port */
export function isRemote(port) {
  return /^\w+:\/\//.test(port);
}

/** @param {string} port */
export async function runMonitor(port) {
  await runInTerminal(process.execPath, [join(ROOT, "bin", "esp32gpt.js"), "monitor", "--port", port]);
}

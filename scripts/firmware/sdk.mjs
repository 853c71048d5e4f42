// The Moddable SDK and ESP-IDF: are they there, and what do they build where?
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { InvalidArgumentError, Option } from "commander";
import { ELF } from "./images.mjs";
import { CODENAME, ROOT, run, runInTerminal, UserError, VERSION, which } from "./command.mjs";

/** The project's name in its manifest, and so the folder of what mcconfig makes of it. */
export const NAME = "esp32gpt";
/** The Moddable SDK that the firmware is built and tested with. ESP-IDF's version is the SDK's choice. */
const SDK = "8.2.3";
const OLDEST_SDK = 8.2;
const SETUP_SDK = `\`npx xs-dev@latest setup --release ${SDK}\``;
const SETUP = "`npx xs-dev@latest setup --device esp32`";

/**
 * @typedef {"4mb" | "8mb"} Flash the size of the flash chip
 * @typedef {"release" | "debug" | "instrument"} Kind
 * @typedef {{ settings: readonly string[], names: Uint8Array }} Content what makes one firmware differ from another
 * @typedef {{ board: string, flash: Flash, kind?: Kind, isEmulated?: boolean }} Build
 */

/**
 * Looks for what a build for the ESP32 needs, and puts the SDK's tools and the project's TypeScript on PATH.
 * @throws {UserError}
 */
export function requireSdk() {
  requireModdable();
  const { IDF_PATH } = process.env;
  if (!IDF_PATH) throw new UserError(`IDF_PATH is not set: ${SETUP} installs ESP-IDF, then open a new terminal.`);
  if (!existsSync(join(IDF_PATH, "tools", "idf.py")))
    throw new UserError(`IDF_PATH names ${IDF_PATH}, which is no ESP-IDF: ${SETUP} installs it.`);
}

/**
 * Looks for the Moddable SDK alone.
 * @returns its folder
 * @throws {UserError}
 */
export function requireModdable() {
  const { MODDABLE } = process.env;
  if (!MODDABLE)
    throw new UserError(`MODDABLE is not set: ${SETUP_SDK} installs the Moddable SDK, then open a new terminal.`);
  if (!existsSync(join(MODDABLE, "build")))
    throw new UserError(`MODDABLE names ${MODDABLE}, which is no Moddable SDK: ${SETUP_SDK} installs it.`);
  const version = sdkVersion(MODDABLE);
  if (version !== undefined && parseFloat(version) < OLDEST_SDK)
    throw new UserError(
      `MODDABLE names version ${version} of the SDK, which is too old: ${SETUP_SDK} installs ${SDK}.`,
    );
  const system = process.platform === "darwin" ? "mac" : process.platform === "win32" ? "win" : "lin";
  // mcconfig starts the tsc of PATH, and only TypeScript 6.0 suits the SDK and the project alike.
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
    .option("--board <platform>", "as mcconfig names it: esp32, esp32/esp32s3, esp32/esp32c3 …", parseBoard, "esp32")
    .addOption(new Option("--flash <size>", "of the board").choices(["4mb", "8mb"]).default("4mb"));
}

/** @param {string} text */
function parseBoard(text) {
  const board = text.replace(/^esp32(?=[a-z])/, "esp32/esp32");
  if (!/^esp32(\/\w+)?$/.test(board)) throw new InvalidArgumentError("It is esp32, or esp32/ and a board's name.");
  return board;
}

/**
 * What mcconfig hands to the program as mc/config, and the list of names that goes into flash: data=FILE puts
 * another one there.
 * @param {readonly string[]} words key=value
 * @param {{ board: string, flash: Flash }} build
 * @returns {Promise<Content>}
 * @throws {UserError} for what makes no sense, or would not fit the memory of the board's chip, or its flash
 */
export async function requireSettings(words, { board, flash }) {
  const { checkFirmware, printable } = await loadProgram();
  const wrong = words.find((word) => !/^[A-Za-z_]\w*=/.test(word));
  if (wrong !== undefined) throw new UserError(`${printable(wrong)} is no setting: they look like steps=500.`);
  const entries = words.map((word) => {
    const at = word.indexOf("=");
    return [word.slice(0, at), word.slice(at + 1)];
  });
  const { data, ...settings } = Object.fromEntries(entries);
  try {
    const names = checkFirmware(settings, { board, flash, namesFile: data });
    return { settings: words.filter((word) => !word.startsWith("data=")), names };
  } catch (error) {
    if (error instanceof Error && error.name === "InputError") throw new UserError(error.message);
    throw error;
  }
}

/**
 * What the program itself knows of its settings and its memory.
 * @returns {Promise<typeof import("../../host/firmware")>}
 */
async function loadProgram() {
  const { build } = await import("../build.mjs");
  await build();
  return import(pathToFileURL(join(ROOT, "dist", "firmware.js")).href);
}

/**
 * Where the tools put what they build: not into the SDK, so that builds which differ stand side by side.
 * @param {Build} build
 */
function outputFolder({ flash, isEmulated = false }) {
  return join(ROOT, "build", "firmware", isEmulated ? "qemu" : flash);
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
    // The manifest's is for make; nmake takes the SDK's own, and a panic then says less.
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
  // The SDK leaves it among its objects.
  const elf = elfFile(build);
  if (elf !== undefined) copyFileSync(elf, join(imageFolder(build), ELF));
}

/**
 * The program with its symbols, where ESP-IDF has linked it.
 * @param {Build} build
 */
function elfFile(build) {
  const folder = join(outputFolder(build), "tmp", ...build.board.split("/"), build.kind ?? "release", NAME);
  if (!existsSync(folder)) return undefined;
  const projects = readdirSync(folder).filter((name) => name.startsWith("xsProj-"));
  return projects.map((name) => join(folder, name, "build", ELF)).find((file) => existsSync(file));
}

/**
 * Puts together the ESP-IDF options of a build: the common ones, those of its kind, and the version.
 * @param {Build} build
 * @param {string} output
 * @returns the folder, as the manifest's SDKCONFIGPATH
 */
function writeSdkconfig({ flash }, output) {
  const parts = ["", ...(flash === "8mb" ? ["8mb"] : [])];
  const text = [
    ...parts.map((part) => readFileSync(join(ROOT, "sdkconfig", part, "sdkconfig.defaults"), "utf8")),
    "CONFIG_APP_PROJECT_VER_FROM_CONFIG=y\n",
    `CONFIG_APP_PROJECT_VER="${VERSION}"\n`,
  ].join("");
  const folder = join(output, "sdkconfig");
  const file = join(folder, "sdkconfig.defaults");
  mkdirSync(folder, { recursive: true });
  // A newer file would make ESP-IDF begin from the start.
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) writeFileSync(file, text);
  return folder;
}

/**
 * Puts the list where the manifest finds it. The same file for every list: make looks at its time only.
 * @param {Uint8Array} names
 * @param {string} output
 * @returns {string} its path without the ending, as a manifest names a resource
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
 * @param {string | undefined} port as the user named it
 * @throws {UserError} when there is none, or more than one
 */
export async function requirePort(port) {
  if (port !== undefined) return port;
  const monitor = [join(ROOT, "bin", "esp32gpt.js"), "monitor", "--which"];
  const { code, stdout, stderr } = await run(process.execPath, monitor, { show: false, check: false });
  // The command line may have had to build itself first, and said so.
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
    "serial port, tcp://host:port or rfc2217://host:port (default: $UPLOAD_PORT, $ESPTOOL_PORT, or the one with a board)",
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

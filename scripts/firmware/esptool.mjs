// Runs Espressif's esptool, however it is installed.
import { run, UserError, which } from "./command.mjs";

/** @type {readonly (readonly string[])[]} */
const WAYS = [
  ["esptool"],
  ["esptool.py"],
  [process.platform === "win32" ? "python" : "python3", "-m", "esptool"],
  ["uvx", "esptool"],
  ["pipx", "run", "esptool"],
];

/** @type {Promise<{ way: readonly string[], major: number }> | undefined} */
let found;

/**
 * @throws {UserError} when there is none
 */
export function requireEsptool() {
  return (found ??= findEsptool());
}

async function findEsptool() {
  for (const way of WAYS) {
    if (!which(way[0])) continue;
    const { code, output } = await run(way[0], [...way.slice(1), "version"], { show: false, check: false });
    const version = /^v?(\d+)\.\d+/m.exec(output.replaceAll("esptool.py ", "").replaceAll("esptool ", ""));
    if (code === 0 && version) return { way, major: Number(version[1]) };
  }
  throw new UserError("esptool is missing: `pip install esptool` installs it.");
}

/**
 * Runs an esptool command. Command names have hyphens since version 5 and had underscores before.
 * @param {string} command with hyphens
 * @param {readonly string[]} options after the command
 * @param {{ general?: readonly string[], show?: boolean, check?: boolean }} settings general: options before the
 * command
 */
export async function esptool(command, options, { general = [], ...settings } = {}) {
  const { way, major } = await requireEsptool();
  const name = major < 5 ? command.replaceAll("-", "_") : command;
  return run(way[0], [...way.slice(1), ...general, name, ...options], settings);
}

/**
 * Merges images into one file to be written at offset 0.
 * @param {string} chip
 * @param {readonly import("./images.mjs").Part[]} parts
 * @param {string} output
 */
export async function mergeImages(chip, parts, output) {
  const options = ["-o", output, ...addresses(parts)];
  await esptool("merge-bin", options, { general: ["--chip", chip], show: false });
}

/**
 * The port as esptool names it: the monitor's tcp:// is esptool's socket://, which has no baud rate.
 * @param {string} port
 * @param {string} [baud] of the transfer
 */
export function portOptions(port, baud) {
  const name = port.replace(/^tcp:/i, "socket:");
  const hasSpeed = baud !== undefined && !/^socket:/i.test(name);
  return ["--port", name, ...(hasSpeed ? ["--baud", baud] : [])];
}

/** @param {readonly import("./images.mjs").Part[]} parts */
export function addresses(parts) {
  return parts.flatMap(({ offset, file }) => [`0x${offset.toString(16)}`, file]);
}

// Shared code of the firmware scripts: project folder, exit, child processes.
import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, CommanderError } from "commander";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** @type {{ version: string, codename: string }} */
export const { version: VERSION, codename: CODENAME } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

const EXIT_INPUT = 2;

/** Something is missing or wrong that the user can correct. The message is one sentence: what, and what to do. */
export class UserError extends Error {}

/** A child process exited with an error that it printed itself. */
export class ProgramFailed extends Error {
  /** @param {number} code the program's exit code */
  constructor(code) {
    super();
    this.code = code;
  }
}

/**
 * Defines the script's command line and runs it.
 * @param {string} name as in package.json
 * @param {string} description
 * @param {(command: Command) => void} define adds options and the action
 */
export async function main(name, description, define) {
  const command = new Command(`npm run ${name} --`).description(description).exitOverride();
  command.configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "")) });
  define(command);
  endOnSignals();
  try {
    await command.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode && EXIT_INPUT;
    else if (error instanceof ProgramFailed) process.exitCode = error.code;
    else if (error instanceof UserError) {
      console.error(error.message);
      process.exitCode = EXIT_INPUT;
    } else throw error;
  }
}

/**
 * @param {string} program
 * @returns {string | undefined} the file that a shell would start
 */
export function which(program) {
  const endings = process.platform === "win32" ? (process.env.PATHEXT ?? ".EXE;.CMD;.BAT").split(";") : [""];
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    for (const ending of endings) {
      const file = join(folder, program + ending);
      if (folder !== "" && isExecutable(file)) return file;
    }
  }
  return undefined;
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** 128 + the signal's number, as shells report it. */
const EXIT_CODES = /** @type {const} */ ({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 });

/** How long child processes may take to exit after a signal, in milliseconds. */
const GRACE = 1000;

const IS_WINDOWS = process.platform === "win32";

/**
 * The running child processes, each the leader of a process group.
 * @type {Set<import("node:child_process").ChildProcess>}
 */
const children = new Set();

/** @type {number | undefined} */
let interruptedBy;

/** The first signal is forwarded to the child processes, then the script exits; a second one kills them. */
function endOnSignals() {
  for (const [name, code] of Object.entries(EXIT_CODES))
    process.on(name, () => {
      if (interruptedBy !== undefined || children.size === 0) leave(code);
      interruptedBy = code;
      for (const child of children) signalAll(child, /** @type {NodeJS.Signals} */ (name));
      setTimeout(() => leave(code), GRACE);
    });
}

/**
 * @param {number} code
 * @returns {never}
 */
function leave(code) {
  for (const child of children) signalAll(child, "SIGKILL");
  process.exit(code);
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function signalAll(child, signal) {
  if (child.pid === undefined) return;
  try {
    if (IS_WINDOWS) spawnSync("taskkill", ["/pid", String(child.pid), "/t", "/f"], { stdio: "ignore" });
    else process.kill(-child.pid, signal);
  } catch {
    // The process group has ended.
  }
}

/**
 * Starts a program on PATH in its own process group. On Windows a command file needs the shell, and the shell needs
 * quotes.
 * @param {string} program
 * @param {readonly string[]} options
 * @param {import("node:child_process").SpawnOptions} settings
 */
export function start(program, options, settings = {}) {
  const file = which(program) ?? program;
  const child = /\.(cmd|bat)$/i.test(file)
    ? spawn(
        `"${file}"`,
        options.map((option) => `"${option}"`),
        { ...settings, shell: true },
      )
    : spawn(file, options, { detached: !IS_WINDOWS, ...settings });
  children.add(child);
  child.on("error", () => children.delete(child));
  child.on("exit", () => {
    if (interruptedBy === undefined) children.delete(child);
    else if ([...children].every(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null))
      leave(interruptedBy);
  });
  return child;
}

/**
 * Runs a program until it exits.
 * @param {string} program
 * @param {readonly string[]} options
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, show?: boolean, check?: boolean }} settings show: also print its
 * output on the terminal (default); check: throw when it fails (default)
 * @returns {Promise<{ code: number, output: string, stdout: string, stderr: string }>} output: stdout and stderr
 * combined
 * @throws {ProgramFailed}
 */
export async function run(program, options, { show = true, check = true, ...settings } = {}) {
  const child = start(program, options, { ...settings, stdio: ["inherit", "pipe", "pipe"] });
  let output = "";
  const said = { stdout: "", stderr: "" };
  for (const name of /** @type {const} */ (["stdout", "stderr"])) {
    child[name]?.setEncoding("utf8").on("data", (text) => {
      output += text;
      said[name] += text;
      if (show) process[name].write(text);
    });
  }
  const code = await ending(child);
  if (check && code !== 0) {
    if (!show) process.stderr.write(output);
    throw new ProgramFailed(code);
  }
  return { code, output, ...said };
}

/**
 * Runs an interactive program with the terminal as its streams until it exits.
 * @param {string} program
 * @param {readonly string[]} options
 * @param {import("node:child_process").SpawnOptions} settings
 * @throws {ProgramFailed}
 */
export async function runInTerminal(program, options, settings = {}) {
  const code = await ending(start(program, options, { ...settings, stdio: "inherit" }));
  if (code !== 0) throw new ProgramFailed(code);
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @returns {Promise<number>}
 */
function ending(child) {
  return new Promise((resolve, reject) => {
    child.on("error", reject).on("close", (code) => resolve(code ?? 1));
  });
}

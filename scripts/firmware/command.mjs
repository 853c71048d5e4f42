// What every script here shares: where the project is, how a script ends, how it starts a program.
import { spawn } from "node:child_process";
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, CommanderError } from "commander";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** @type {{ version: string }} */
export const { version: VERSION } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

const EXIT_INPUT = 2;

/** Something is missing or wrong that the user can mend: one sentence that says what, and what to do. */
export class UserError extends Error {}

/** A program that was started ended with an error, of which it has told the user itself. */
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
 * @returns {string | undefined} the file that the shell would start
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

/**
 * Starts a program from PATH. On Windows a command file needs the shell, and the shell needs quotes.
 * @param {string} program
 * @param {readonly string[]} options
 * @param {import("node:child_process").SpawnOptions} settings
 */
export function start(program, options, settings = {}) {
  const file = which(program) ?? program;
  return /\.(cmd|bat)$/i.test(file)
    ? spawn(
        `"${file}"`,
        options.map((option) => `"${option}"`),
        { ...settings, shell: true },
      )
    : spawn(file, options, settings);
}

/**
 * Runs a program to its end.
 * @param {string} program
 * @param {readonly string[]} options
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, show?: boolean, check?: boolean }} settings show: what it prints
 *   goes to the terminal as well (default); check: throw when it fails (default)
 * @returns {Promise<{ code: number, output: string }>} what it printed on both of its streams
 * @throws {ProgramFailed}
 */
export async function run(program, options, { show = true, check = true, ...settings } = {}) {
  const child = start(program, options, { ...settings, stdio: ["inherit", "pipe", "pipe"] });
  let output = "";
  /** @type {[import("node:stream").Readable, NodeJS.WriteStream][]} */
  const streams = [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ];
  for (const [from, to] of streams) {
    from.setEncoding("utf8").on("data", (text) => {
      output += text;
      if (show) to.write(text);
    });
  }
  const code = await ending(child);
  if (check && code !== 0) {
    if (!show) process.stderr.write(output);
    throw new ProgramFailed(code);
  }
  return { code, output };
}

/**
 * Runs a program that has the terminal to itself, to its end.
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

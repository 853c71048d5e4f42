import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../helpers";

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the program as a user does. */
export function start(...options: string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [join("bin", "esp32gpt.js"), ...options], { cwd: ROOT });
}

export function outcomeOf(program: ChildProcessWithoutNullStreams): Promise<Outcome> {
  let [stdout, stderr] = ["", ""];
  program.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  program.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    program.on("error", reject).on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

export function esp32gpt(...options: string[]): Promise<Outcome> {
  return outcomeOf(start(...options));
}

/** A folder for one test file, gone when its tests are done; returns where a file in it lies. */
export function temporaryFolder(): (file: string) => string {
  const folder = mkdtempSync(join(tmpdir(), "esp32gpt-test-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (file) => join(folder, file);
}

/** Makes a folder of a name that begins so, and none that a first try of a test has left. */
export const newFolder = (path: string): string => mkdtempSync(`${path}-`);

/** Makes a named pipe, also where a first try of a test has left one. */
export function makePipe(path: string): void {
  rmSync(path, { force: true });
  execFileSync("mkfifo", [path]);
}

/** Makes a symbolic link, likewise. */
export function makeLink(target: string, path: string): void {
  rmSync(path, { force: true });
  symlinkSync(target, path);
}

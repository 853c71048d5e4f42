import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../helpers";
import { type Outcome, outcomeOf } from "./cli";
import { skipUnless } from "./skipping";

/** The environment of a computer without SDK. */
export const bare = { ...process.env };
delete bare.MODDABLE;
delete bare.IDF_PATH;
delete bare.UPLOAD_PORT;
delete bare.ESPTOOL_PORT;

export const { test: onPosix } = skipUnless(
  process.platform !== "win32",
  "what starts programs or sends signals as POSIX systems do",
);

export function startScript(name: string, options: readonly string[] = [], env = {}): ChildProcessWithoutNullStreams {
  const file = join(ROOT, "scripts", "firmware", `${name}.mjs`);
  return spawn(process.execPath, [file, ...options], { cwd: ROOT, env: { ...bare, ...env } });
}

export function script(name: string, options: readonly string[] = [], env = {}): Promise<Outcome> {
  return outcomeOf(startScript(name, options, env));
}

/** Returns what writes a program for PATH, a script for Node, into a folder, and returns that. */
export function programsIn(at: (name: string) => string): (folder: string, name: string, code: string) => string {
  return (folder, name, code) => {
    mkdirSync(at(folder), { recursive: true });
    // Whatever package.json there may be above.
    writeFileSync(join(at(folder), "package.json"), `{ "type": "commonjs" }`);
    const file = join(at(folder), name);
    writeFileSync(file, `#!${process.execPath}\n${code}`);
    chmodSync(file, 0o755);
    return at(folder);
  };
}

// What the tests with kills use both: starting the program, and looking for what it has left running.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../bin/esp32gpt.js", import.meta.url));
/** A list that is soon read. */
export const NAMES = fileURLToPath(new URL("../test/data/names-short.txt", import.meta.url));

/**
 * Starts the program as a user does, its streams pipes.
 * @param {readonly string[]} options
 */
export function startProgram(options) {
  return spawn(process.execPath, [PROGRAM, ...options]);
}

/**
 * How many processes have a text in their command lines.
 * @param {string} text
 */
export function processesWith(text) {
  let count = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (Number(pid) !== process.pid && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text)) count++;
    } catch {
      // It has just ended.
    }
  }
  return count;
}
